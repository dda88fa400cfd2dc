import hashlib
import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from textlvm.corpora import download
from textlvm.corpora.download import fetch, mismatch
from textlvm.corpora.registry import Corpus, Local, SourceFile
from textlvm.errors import UserError

CONTENT = b"Tick, tock.\n" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PAGES = {
    "/good": (200, CONTENT),
    "/other": (200, CONTENT[:-1] + b"!"),
    "/page": (200, b"\n<!DOCTYPE html><html>Please log in</html>"),
    "/short": (200, CONTENT),
}


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        status, content = PAGES.get(self.path, (404, b"not here"))
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:100] if self.path == "/short" else content)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def out(tmp_path):
    return tmp_path / "downloads" / "novels" / "a.txt"


def corpus(source: SourceFile, kind: str = "text") -> Corpus:
    return Corpus("novels", "Novels", kind, (source,))


def get(source: SourceFile, out, folder=None) -> bytes:
    fetch(corpus(source), source, out, folder)
    return out.read_bytes()


def test_a_download(site, out):
    source = SourceFile("a.txt", (f"{site}/good",), {"sha256": SHA256}, len(CONTENT))
    assert get(source, out) == CONTENT


def test_the_next_address_is_tried(site, out):
    urls = tuple(f"{site}/{page}" for page in ("none", "short", "other", "good"))
    assert get(SourceFile("a.txt", urls, {"sha256": SHA256}), out) == CONTENT


@pytest.mark.parametrize(
    ("page", "source", "reason"),
    [
        ("none", SourceFile("a.txt"), "HTTP status 404"),
        ("short", SourceFile("a.txt"), "it broke off"),
        ("page", SourceFile("a.txt"), "it is a web page"),
        ("other", SourceFile("a.txt", hashes={"sha256": SHA256}), f"its sha256 is .*, not {SHA256}"),
        ("other", SourceFile("a.txt", hashes={"md5": "0" * 32}), "its md5 is"),
        ("good", SourceFile("a.txt", bytes=5), "it has 12,000 bytes, not 5"),
    ],
)
def test_a_failed_download_is_one_sentence_and_leaves_nothing(site, out, page, source, reason):
    url = f"{site}/{page}"
    source = SourceFile(source.name, (url,), source.hashes, source.bytes)
    with pytest.raises(
        UserError, match=rf"cannot download a\.txt of corpus 'novels' from {url} \(.*{reason}"
    ) as e:
        get(source, out)
    assert "set `corpora: {novels: {path: FILE}}` in config.yaml" in str(e.value)
    assert "\n" not in str(e.value)
    assert list(out.parent.iterdir()) == []


def test_a_server_that_is_not_there(out):
    with pytest.raises(UserError, match="no connection"):
        get(SourceFile("a.txt", ("http://127.0.0.1:1/a.txt",)), out)


def test_a_server_that_is_silent(out, monkeypatch):
    class Silent(Pages):
        def do_GET(self):
            done.wait(10)

    done = threading.Event()
    monkeypatch.setattr(download, "TIMEOUT", 0.1)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with pytest.raises(UserError, match="no answer in"):
        get(SourceFile("a.txt", (f"http://127.0.0.1:{server.server_port}/",)), out)
    done.set()
    server.shutdown()
    server.server_close()


def test_a_file_without_address(out):
    with pytest.raises(UserError, match=r"a\.txt of corpus 'novels' has no address .*set `corpora: {novels:"):
        get(SourceFile("a.txt"), out)


def test_a_supplied_file_goes_before_all(tmp_path, site, out):
    mine = tmp_path / "mine.txt"
    mine.write_bytes(CONTENT)
    source = SourceFile("a.txt", (f"{site}/none",), {"sha256": SHA256}, path=mine)
    assert get(source, out) == CONTENT
    mine.write_bytes(b"something else")
    with pytest.raises(UserError, match=r"mine\.txt is not a\.txt of corpus 'novels': its sha256 is"):
        get(source, out)
    assert out.read_bytes() == CONTENT


def test_a_supplied_file_that_is_not_there(tmp_path, out):
    with pytest.raises(UserError, match=r"cannot copy .*none\.txt .*: No such file or directory"):
        get(SourceFile("a.txt", path=tmp_path / "none.txt"), out)


class TestFolderOfCorpora:
    def test_it_goes_before_the_addresses(self, tmp_path, site, out):
        (tmp_path / "shelf.txt").write_bytes(CONTENT)
        source = SourceFile("a.txt", (f"{site}/none",), {"sha256": SHA256}, local=Local("shelf.txt"))
        assert get(source, out, tmp_path) == CONTENT

    def test_a_file_packed_in_another_way_has_its_own_digest(self, tmp_path, out):
        (tmp_path / "shelf.xz").write_bytes(b"packed")
        digest = hashlib.sha256(b"packed").hexdigest()
        source = SourceFile("a.txt", (), {"sha256": SHA256}, len(CONTENT), Local("shelf.xz", digest))
        assert get(source, out, tmp_path) == b"packed"
        (tmp_path / "shelf.xz").write_bytes(b"Packed")
        with pytest.raises(UserError, match=r"shelf\.xz is not a\.txt"):
            get(source, out, tmp_path)

    def test_without_the_file_the_addresses_are_used(self, tmp_path, site, out):
        source = SourceFile("a.txt", (f"{site}/good",), local=Local("none.txt"))
        assert get(source, out, tmp_path) == CONTENT


def test_documentation_is_not_fetched(out):
    source = SourceFile("documentation.txt")
    with pytest.raises(UserError, match=r"run python -m textlvm\.corpora\.documentation"):
        fetch(corpus(source, "documentation"), source, out)


def test_a_git_blob_id_is_gits_own(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(CONTENT)
    blob = subprocess.run(
        ["git", "hash-object", path], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert mismatch(path, SourceFile("a.txt", hashes={"git_blob": blob})) is None
    path.write_bytes(b"x")
    assert "its git_blob is" in mismatch(path, SourceFile("a.txt", hashes={"git_blob": blob}))


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
