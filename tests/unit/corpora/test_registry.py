import copy
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from textlvm.corpora import registry
from textlvm.corpora.folders import listing
from textlvm.corpora.registry import SourceFile
from textlvm.runtime.errors import UserError

REGISTRY = Path(__file__).parents[3] / "workflow" / "corpora.yaml"
ENTRY = {
    "title": "A corpus",
    "kind": "text",
    "files": [{"name": "a.txt", "urls": ["https://example.org/a.txt"], "sha256": "0" * 64, "bytes": 5}],
}


def load(tmp_path, entries, overrides=None):
    path = tmp_path / "corpora.yaml"
    path.write_text(yaml.safe_dump(entries))
    return registry.load(path, overrides)


class TestShippedRegistry:
    corpora = registry.load(REGISTRY)

    def test_every_corpus_has_licence_and_citation(self):
        for corpus in self.corpora.values():
            assert corpus.licence
            assert corpus.citation

    def test_corpora_of_the_papers(self):
        papers = {corpus.name: corpus.kind for corpus in self.corpora.values() if corpus.paper_corpus}
        sentences = ("ptb", "yelp15", "wikitext-103", "yahoocqa")
        assert papers == {"bookscorpus": "text"} | dict.fromkeys(sentences, "sentences")

    def test_corpora_of_sentences_define_their_splits(self):
        for corpus in self.corpora.values():
            assert all(source.splits for source in corpus.files) == (corpus.format is not None), corpus.name
            assert corpus.kind != "sentences" or {"test"} < corpus.splits.keys(), corpus.name
        assert self.corpora["yahoocqa"].splits["valid"] == (self.corpora["yahoocqa"].files[0], "dev")
        assert self.corpora["ptb"].splits["test"] == (self.corpora["ptb"].file("ptb.test.txt"), "*")

    def test_every_file_has_an_address_or_a_digest(self):
        for corpus in self.corpora.values():
            for source in corpus.files:
                assert source.urls or source.hashes or corpus.kind == "documentation"

    def test_attributes_of_an_entry(self):
        symspell = self.corpora["symspell"]
        source = symspell.file("frequency_dictionary_en_82_765.txt")
        assert symspell.content == "counts"
        assert source.bytes == 1_332_881
        assert source.hashes.keys() == {"sha256"}
        assert source.local.path.startswith("symspell/")
        assert self.corpora["gutenberg"].cleaning == "gutenberg"
        assert self.corpora["documentation"].content == "text"


def test_error_message_for_unknown_names_suggests_the_nearest(tmp_path):
    corpora = load(tmp_path, {"novels": ENTRY, "letters": ENTRY})
    with pytest.raises(UserError, match="unknown corpus 'novel'; did you mean 'novels'"):
        registry.find(corpora, "novel")
    with pytest.raises(UserError, match=r"corpus 'novels' has no file 'b\.txt'; .*'a\.txt'"):
        corpora["novels"].file("b.txt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.update(licnce="MIT"), "unknown key 'licnce' in novels; did you mean 'licence'"),
        (lambda e: e["files"][0].update(name="../a.txt"), "novels.files.0.name must be a file name of"),
        (lambda e: e["files"][0].update(urls=["file:///etc/x"]), "novels.files.0.urls.0 must be an http"),
    ],
)
def test_error_message_for_an_invalid_entry(tmp_path, change, message):
    entry = copy.deepcopy(ENTRY)
    change(entry)
    with pytest.raises(UserError) as caught:
        load(tmp_path, {"novels": entry})
    assert message in str(caught.value)
    assert "corpora.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda values: st.dictionaries(
        st.text(max_size=5) | st.sampled_from([1, None, *ENTRY]), values, max_size=4
    ),
)


@settings(max_examples=50, deadline=None)
@given(VALUES)
def test_any_registry_is_read_or_rejected(tmp_path_factory, entries):
    message = ""
    try:
        load(tmp_path_factory.getbasetemp(), entries)
    except UserError as error:
        message = str(error)
    assert bool(message) == (entries != {})
    assert "\n" not in message


def test_invalid_registry_is_rejected(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*none\.yaml"):
        registry.load(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_bytes("a: é".encode("latin-1"))
    with pytest.raises(UserError, match=r"bad\.yaml, line 1 is not UTF-8"):
        registry.load(tmp_path / "bad.yaml")
    with pytest.raises(UserError, match="the name 'My Corpus' in the file must consist of"):
        load(tmp_path, {"My Corpus": ENTRY})


class TestOverrides:
    def test_path_of_a_registered_corpus(self, tmp_path):
        (file,) = load(tmp_path, {"novels": ENTRY}, {"novels": {"path": "b.txt"}})["novels"].files
        known = {"urls": ("https://example.org/a.txt",), "hashes": {"sha256": "0" * 64}, "bytes": 5}
        assert file == SourceFile("a.txt", **known, path=Path("b.txt"))
        entry = {**ENTRY, "files": [{"name": "a.txt"}, {"name": "b.txt"}]}
        files = load(tmp_path, {"novels": entry}, {"novels": {"path": str(tmp_path)}})["novels"].files
        assert [source.path for source in files] == [tmp_path / "a.txt", tmp_path / "b.txt"]
        with pytest.raises(UserError, match="this corpus has 2 files; set `path`"):
            load(tmp_path, {"novels": entry}, {"novels": {"path": __file__}})

    def test_new_corpus_of_one_file(self, tmp_path):
        override = {"path": "my letters.txt", "kind": "text", "title": "My letters"}
        corpus = load(tmp_path, {"novels": ENTRY}, {"mine": override})["mine"]
        assert corpus.title == "My letters"
        assert not corpus.paper_corpus
        assert corpus.files == (SourceFile("my_letters.txt", path=Path("my letters.txt")),)

    def test_new_corpus_of_a_folder(self, tmp_path):
        folder = tmp_path / "letters"
        folder.mkdir()
        (folder / "b.txt").touch()
        corpus = load(tmp_path, {}, {"mine": {"path": str(folder), "kind": "counts"}})["mine"]
        assert corpus.title == "mine"
        assert corpus.content == "counts"
        (source,) = corpus.files
        assert (source.name, source.folder) == ("letters", folder)

    def test_new_corpus_of_sentences(self, tmp_path):
        for name in ("letters.train.txt", "letters-val.txt", "Test.txt.gz"):
            (tmp_path / name).touch()
        override = {"path": str(tmp_path), "kind": "sentences", "format": "labelled"}
        registry_file = tmp_path / ".registry"
        registry_file.write_text("{}")
        corpus = registry.load(registry_file, {"mine": override})["mine"]
        assert corpus.format == "labelled"
        assert {split: source.path.name for split, (source, _) in corpus.splits.items()} == {
            "train": "letters.train.txt",
            "valid": "letters-val.txt",
            "test": "Test.txt.gz",
        }

    @pytest.mark.parametrize(
        ("overrides", "message"),
        [
            ({"mine": {"path": "x"}}, "corpora.mine: `kind` must be text, counts or sentences"),
            ({"mine": {"path": "x", "kind": "documentation"}}, "mine: `kind` must be text, counts or"),
            (
                {"mine": {"path": "x", "kind": "sentences"}},
                "mine: `format` is for sentences, which require it",
            ),
            ({"mine": {"path": "x", "kind": "text", "format": "lines"}}, "mine: `format` is for sentences"),
            (
                {"mine": {"path": "x", "kind": "sentences", "format": "lines"}},
                "mine: x must have train, valid or test in its name",
            ),
            (
                {"mine": {"path": "test.txt", "kind": "sentences", "format": "line"}},
                "config.yaml: corpora: mine.format cannot be \"line\"; did you mean 'lines'?",
            ),
            ({"mine": {"kind": "text"}}, "corpora.mine: `path` is missing"),
            ({"novels": {"path": "x", "title": "y"}}, "only `path` and `members` can be set for this"),
            ({"made": {"path": "x"}}, "corpora.made: this corpus is generated from the installed packages"),
        ],
    )
    def test_error_message_for_an_invalid_override(self, tmp_path, overrides, message):
        made = {"title": "Made", "kind": "documentation", "files": [{"name": "made.txt"}]}
        with pytest.raises(UserError) as caught:
            load(tmp_path, {"novels": ENTRY, "made": made}, overrides)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        "override", [{"path": "test.txt"}, {"path": "x", "kind": "sentences", "format": "lines"}]
    )
    def test_error_message_names_the_configuration_file(self, tmp_path, override):
        (tmp_path / "corpora.yaml").write_text(yaml.safe_dump({"novels": ENTRY}))
        with pytest.raises(UserError, match=r"^corpora/mine\.yaml: corpora.*mine"):
            registry.load(tmp_path / "corpora.yaml", {"mine": override}, lambda key: f"{'/'.join(key)}.yaml")

    def test_folder_with_only_hidden_files_and_links_is_rejected(self, tmp_path):
        folder = tmp_path / "letters"
        folder.mkdir()
        (folder / ".hidden").touch()
        (folder / "link").symlink_to(__file__)
        with pytest.raises(UserError, match=r"letters contains only hidden files or links; correct"):
            load(tmp_path, {}, {"mine": {"path": str(folder), "kind": "text"}})

    def test_error_message_names_an_unreadable_subfolder(self, tmp_path, monkeypatch):
        def scandir(path):
            raise PermissionError(13, "Permission denied", "letters/sub")

        monkeypatch.setattr("os.scandir", scandir)
        with pytest.raises(UserError, match="mine: cannot read letters/sub: Permission denied"):
            load(tmp_path, {}, {"mine": {"path": str(tmp_path), "kind": "text"}})

    def test_splits_of_sentences_can_be_named_by_subfolders(self, tmp_path):
        names = ["train/letters.txt", "valid/letters.txt", "test/书.txt"]
        for name in names:
            (tmp_path / "mine" / name).parent.mkdir(parents=True)
            (tmp_path / "mine" / name).touch()
        override = {"path": str(tmp_path / "mine"), "kind": "sentences", "format": "lines"}
        splits = load(tmp_path, {}, {"mine": override})["mine"].splits
        assert {split: source.path for split, (source, _) in splits.items()} == {
            name.partition("/")[0]: tmp_path / "mine" / name for name in names
        }
        assert len({source.name for source, _ in splits.values()}) == 3

    def test_two_files_of_one_split_are_rejected(self, tmp_path):
        folder = tmp_path / "mine"
        folder.mkdir()
        for name in ("train 书.txt", "train 本.txt"):
            (folder / name).touch()
        override = {"path": str(folder), "kind": "sentences", "format": "lines"}
        with pytest.raises(UserError, match=r"mine: train 书\.txt and train 本\.txt are both called train"):
            load(tmp_path, {}, {"mine": override})


@pytest.mark.parametrize("where", [{"path": "~/a.txt"}, {"local": {"path": "~/a.txt"}}])
def test_shell_syntax_in_a_path_of_the_registry_is_rejected(tmp_path, monkeypatch, where):
    monkeypatch.setenv("HOME", "/home/me")
    entry = {**ENTRY, "files": [ENTRY["files"][0] | where]}
    message = r"corpora\.yaml: ~ and \$ are not expanded in '~/a\.txt': write '/home/me/a\.txt'"
    with pytest.raises(UserError, match=message):
        load(tmp_path, {"mine": entry})


def test_shell_syntax_is_allowed_in_file_names_within_a_folder(tmp_path):
    (tmp_path / "texts").mkdir()
    for name in ("~a.txt", "$b.txt"):
        (tmp_path / "texts" / name).touch()
    found = load(tmp_path, {}, {"mine": {"path": str(tmp_path / "texts"), "kind": "text"}})
    assert [source.path for source in found["mine"].files] == [tmp_path / "texts"]
    assert list(listing(tmp_path / "texts").sizes) == ["$b.txt", "~a.txt"]
    with pytest.raises(UserError, match=r"corpora\.mine: ~ and \$ are not expanded in '~/texts'"):
        load(tmp_path, {}, {"mine": {"path": "~/texts", "kind": "text"}})


def test_members_can_be_overridden(tmp_path):
    (tmp_path / "mine").mkdir()
    for split in ("train", "valid", "test"):
        (tmp_path / "mine" / f"{split}.zip").touch()
    given = {"path": str(tmp_path / "mine"), "members": "*.txt"}
    kinds = {
        "texts": given | {"kind": "text"},
        "lines": given | {"kind": "sentences", "format": "lines"},
        "a": given,
    }
    found = load(tmp_path, {"a": ENTRY}, kinds)
    assert {corpus.members for corpus in found.values()} == {"*.txt"}
    assert {place for _, place in found["lines"].splits.values()} == {"*.txt"}
    registered = {**ENTRY, "kind": "sentences", "format": "lines"}
    with pytest.raises(UserError, match="only `path` can be set for this registered corpus"):
        load(tmp_path, {"a": registered}, {"a": given})
