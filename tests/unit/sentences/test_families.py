"""The requirements of a pretrained model."""

from importlib import metadata

from textlvm.sentences.families import supplied


def test_supplied_lists_package_version_and_files(tmp_path, monkeypatch):
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
