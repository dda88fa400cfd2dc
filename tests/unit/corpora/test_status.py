import hashlib
from pathlib import Path

import pytest
import yaml

from textlvm.corpora import checks
from textlvm.corpora.registry import Corpus, Local, SourceFile
from textlvm.corpora.status import state, way

ROOT = Path(__file__).parents[3]
CONTENT = b"Tick, tock.\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
OTHER = "0" * 64


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(CONTENT)
    return path


class TestState:
    def test_what_is_not_there_is_missing(self, tmp_path):
        assert state(SourceFile("a.txt"), tmp_path / "a.txt") == ("missing", "")

    def test_what_the_registry_knows_is_verified(self, path):
        assert state(SourceFile("a.txt", hashes={"sha256": SHA256}), path) == ("verified", "")
        what, problem = state(SourceFile("a.txt", hashes={"sha256": OTHER}), path)
        assert what == "differs"
        assert problem == f"its sha256 is {SHA256}, not {OTHER}"

    def test_so_is_a_file_packed_in_another_way(self, path):
        local = Local("a.xz", SHA256)
        assert state(SourceFile("a.txt", hashes={"sha256": OTHER}, local=local), path) == ("verified", "")
        assert state(SourceFile("a.txt", local=local), path) == ("verified", "")

    def test_what_it_does_not_know_is_held_against_the_first_download(self, path):
        assert state(SourceFile("a.txt"), path) == ("present", "")
        checks.remember(path, path, "http://example.org")
        assert state(SourceFile("a.txt"), path) == ("recorded", "")
        path.write_bytes(b"other")
        assert state(SourceFile("a.txt"), path)[0] == "differs"
        # The user's own file may be any.
        assert state(SourceFile("a.txt", path=Path("mine")), path) == ("present", "")


def test_where_it_would_come_from(tmp_path):
    (tmp_path / "shelf.txt").touch()
    source = SourceFile("a.txt", ("https://example.org/a.txt",), local=Local("shelf.txt"))
    corpus = Corpus("novels", "Novels", "text", (source,))
    assert way(corpus, source, None, None) == "example.org"
    assert way(corpus, source, None, "http://localhost") == "TEXTLVM_MIRROR"
    assert way(corpus, source, tmp_path, "http://localhost") == "TEXTLVM_CORPORA"
    assert way(corpus, source, tmp_path / "elsewhere", None) == "example.org"
    assert way(corpus, SourceFile("a.txt", path=Path("mine.txt")), tmp_path, None) == "copy of mine.txt"
    assert way(corpus, SourceFile("mine", path=tmp_path), tmp_path, None) == f"read in {tmp_path}"
    assert way(corpus, SourceFile("a.txt"), None, None) == "by hand: corpora.novels.path"
    made = Corpus("documentation", "Documentation", "documentation", (SourceFile("d.txt"),))
    assert way(made, made.files[0], None, None) == "made by textlvm.corpora.documentation"


@pytest.fixture
def called(tmp_path, python, monkeypatch):
    """The command with a corpus of two files beside the registered ones."""
    entry = {"title": "A", "kind": "text", "licence": "Nobody knows, " * 9}
    files = [{"name": "a.txt", "sha256": SHA256}, {"name": "b.txt", "urls": ["https://example.org/b.txt"]}]
    registry = tmp_path / "corpora.yaml"
    registered = yaml.safe_load((ROOT / "workflow" / "corpora.yaml").read_text(encoding="utf-8"))
    registry.write_text(yaml.safe_dump(registered | {"my-novels": {**entry, "files": files}}))
    config = tmp_path / "mine.yaml"
    corpora = {"mine": {"path": "nowhere.txt", "kind": "text"}}
    config.write_text(yaml.safe_dump({"pathvars": {"resources": str(tmp_path / "r")}, "corpora": corpora}))
    (tmp_path / "r" / "downloads" / "my-novels").mkdir(parents=True)

    monkeypatch.chdir(ROOT)

    def call(*configs, options=()):
        command = ("-m", "textlvm.corpora.status", "--registry", registry, *options)
        return python(*command, "--configfile", config, *configs)

    return call


def rows(done, *names):
    """The lines of some corpora, word by word."""
    assert done.returncode == 0, done.stderr
    _, _, *lines = [line.split() for line in done.stdout.splitlines()]
    return [line for line in lines if line[0] in names]


def test_a_line_for_each_corpus_with_its_worst_state(called, tmp_path):
    (tmp_path / "r" / "downloads" / "my-novels" / "a.txt").write_bytes(CONTENT)
    done = called()
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert rows(done, "my-novels", "mine", "ptb", "wikitext-103") == [
        ["my-novels", "2", "missing", ">12", "by", "hand:", "corpora.my-novels.path,", "exampl…"],
        ["ptb", "3", "missing", "5,951,345", "raw.githubusercontent.com"],
        ["wikitext-103", "1", "missing", "wikitext.smerity.com"],
        ["mine", "1", "missing", "copy", "of", "nowhere.txt"],
    ]


def test_with_all_a_line_for_each_file(called, tmp_path):
    (tmp_path / "r" / "downloads" / "my-novels" / "a.txt").write_bytes(CONTENT)
    licence = ["Nobody", "knows,", "Nobody", "knows,", "Nobody", "…"]
    assert rows(called(options=["--all"]), "my-novels", "mine") == [
        ["my-novels", "a.txt", "verified", "12", "by", "hand:", "corpora.my-novels.path", *licence],
        ["my-novels", "b.txt", "missing", "example.org", *licence],
        ["mine", "nowhere.txt", "missing", "copy", "of", "nowhere.txt"],
    ]


def test_a_file_that_differs_is_an_error(called, tmp_path):
    path = tmp_path / "r" / "downloads" / "my-novels" / "a.txt"
    path.write_bytes(b"other")
    done = called()
    assert done.returncode == 2
    assert "differs" in done.stdout
    assert done.stderr.startswith(f"error: {path}: its sha256 is")
    assert done.stderr.endswith("; remove what differs, and it is brought again\n")


def test_what_is_no_configuration_is_a_sentence(called, tmp_path):
    assert "No such file or directory" in called(tmp_path / "none.yaml").stderr
    (tmp_path / "other.yaml").write_text("corpora: 3")
    done = called(tmp_path / "other.yaml")
    assert done.returncode == 2
    assert done.stderr.endswith("other.yaml: corpora must be a mapping of keys to values, not 3\n")
    (tmp_path / "other.yaml").write_text("corpora: {other: {path: x.txt}}")
    done = called(tmp_path / "other.yaml")
    assert done.returncode == 2
    assert done.stderr.endswith("other.yaml: corpora.other: `kind` must be text, counts or sentences\n")
    assert "config.yaml" not in done.stderr
