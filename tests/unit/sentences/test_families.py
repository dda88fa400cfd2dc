"""A model of others: what it finds changes when it is supplied."""

from importlib import metadata

from textlvm.sentences.families import supplied


def test_what_a_model_of_others_finds(tmp_path, monkeypatch):
    folder = tmp_path / "weights"
    model = {"objective": "lm", "family": "pretrained", "path": str(folder)}
    assert supplied({"objective": "lm", "hidden": 8}) == ""
    versions = {"transformers": "1.2"}

    def version(name):
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(metadata, "version", version)
    assert supplied(model) == "transformers 1.2"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    assert supplied(model) == "transformers 1.2, config.json 2"
    versions.clear()
    assert supplied({"family": "pretrained", "hub": "gpt2"}) == "no transformers"
