import errno
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from textlvm.corpora.download import corpora_folder, fetch
from textlvm.corpora.registry import Corpus, Local, SourceFile
from textlvm.runtime.errors import UserError

CONTENT = b"Tick, tock.\n" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        found = self.path in ("/good", "/novels/a.txt")
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(CONTENT if found else b"not here")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def out(tmp_path):
    return tmp_path / "downloads" / "novels" / "a.txt"


def corpus(source: SourceFile, kind: str = "text") -> Corpus:
    return Corpus("novels", "Novels", kind, (source,))


def get(source: SourceFile, out, folder=None, mirror=None) -> bytes:
    fetch(corpus(source), source, out, folder, mirror)
    return out.read_bytes()


@pytest.mark.parametrize(("names", "path"), [(["a.txt"], "FILE"), (["a.txt", "b.txt"], "FOLDER")])
def test_error_message_for_a_file_without_address(out, names, path):
    sources = tuple(map(SourceFile, names))
    message = r"a\.txt of corpus 'novels' has no address .*set `corpora: {novels: {path: "
    with pytest.raises(UserError, match=f"{message}{path}}}}}`"):
        fetch(Corpus("novels", "Novels", "text", sources), sources[0], out)


def test_supplied_file_has_precedence(tmp_path, site, out):
    mine = tmp_path / "mine.txt"
    mine.write_bytes(CONTENT)
    source = SourceFile("a.txt", (f"{site}/none",), {"sha256": SHA256}, path=mine)
    assert get(source, out) == CONTENT
    mine.write_bytes(b"something else")
    with pytest.raises(UserError, match=r"mine\.txt is not a\.txt of corpus 'novels': its sha256 is"):
        get(source, out)
    assert out.read_bytes() == CONTENT


def test_missing_supplied_file_is_an_error(tmp_path, out):
    with pytest.raises(UserError, match=r"cannot copy .*none\.txt .*: No such file or directory"):
        get(SourceFile("a.txt", path=tmp_path / "none.txt"), out)


def test_full_disk_while_copying_is_an_os_error(tmp_path, out, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    mine = tmp_path / "mine.txt"
    mine.write_bytes(CONTENT)
    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        get(SourceFile("a.txt", path=mine), out)
    assert list(out.parent.iterdir()) == []


class TestFolderOfCorpora:
    def test_folder_has_precedence_over_addresses(self, tmp_path, site, out):
        (tmp_path / "shelf.txt").write_bytes(CONTENT)
        source = SourceFile("a.txt", (f"{site}/none",), {"sha256": SHA256}, local=Local("shelf.txt"))
        assert get(source, out, tmp_path) == CONTENT

    def test_differently_packed_file_has_a_separate_digest(self, tmp_path, out):
        (tmp_path / "shelf.xz").write_bytes(b"packed")
        digest = hashlib.sha256(b"packed").hexdigest()
        source = SourceFile("a.txt", (), {"sha256": SHA256}, len(CONTENT), Local("shelf.xz", digest))
        assert get(source, out, tmp_path) == b"packed"
        (tmp_path / "shelf.xz").write_bytes(b"Packed")
        with pytest.raises(UserError, match=r"shelf\.xz is not a\.txt"):
            get(source, out, tmp_path)

    def test_file_missing_in_the_folder_is_downloaded(self, tmp_path, site, out):
        source = SourceFile("a.txt", (f"{site}/good",), local=Local("none.txt"))
        assert get(source, out, tmp_path) == CONTENT


def test_documentation_corpus_cannot_be_downloaded(out):
    source = SourceFile("documentation.txt")
    with pytest.raises(UserError, match=r"run python -m textlvm\.corpora\.documentation"):
        fetch(corpus(source, "documentation"), source, out)


def test_command_line(tmp_path, site, out, python):
    entry = {"title": "Novels", "kind": "text", "files": [{"name": "a.txt", "urls": [f"{site}/good"]}]}
    registry = tmp_path / "corpora.yaml"
    registry.write_text(yaml.safe_dump({"novels": entry}))

    def run(corpus, **overrides):
        arguments = ["--registry", registry, "--corpus", corpus, "--file", "a.txt", "--out", out]
        return python("-m", "textlvm.corpora.download", *arguments, "--overrides", json.dumps(overrides))

    assert run("novels").returncode == 0
    assert out.read_bytes() == CONTENT
    (tmp_path / "a.txt").write_bytes(b"mine")
    assert run("mine", mine={"path": str(tmp_path / "a.txt"), "kind": "text"}).returncode == 0
    assert out.read_bytes() == b"mine"
    failed = run("novel")
    assert failed.returncode == 2
    assert failed.stderr.startswith("error: unknown corpus 'novel'")


def test_shell_syntax_in_the_folder_variable_is_rejected(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", "/home/me")
    for value, expected in {"": None, str(tmp_path): tmp_path}.items():
        monkeypatch.setenv("TEXTLVM_CORPORA", value)
        assert corpora_folder() == expected
    monkeypatch.setenv("TEXTLVM_CORPORA", "~/corpora")
    with pytest.raises(UserError) as error:
        corpora_folder()
    assert str(error.value) == (
        "TEXTLVM_CORPORA: ~ and $ are not expanded in '~/corpora': write '/home/me/corpora'"
    )
