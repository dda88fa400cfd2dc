"""A server with scripted answers, and downloads from it."""

import hashlib
import os
import sys
from collections import defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from textlvm.runtime.errors import UserError

PACKAGES = Path(__file__).parents[2] / "workflow"
CONTENT = b"".join(b"Tick %d, tock.\n" % i for i in range(20_000))
OTHER = CONTENT.replace(b"Tick", b"Tack")
SHA256 = hashlib.sha256(CONTENT).hexdigest()
BLOB = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
HALF = len(CONTENT) // 2
PAGE = b"\n<!DOCTYPE html><html>Please log in</html>"

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Gives each request for a path the next of its answers; the last answer is repeated."""

    server: "Site"

    def do_GET(self):
        self.server.requests[self.path].append(dict(self.headers))
        answers = self.server.answers.get(self.path, [status(404)])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        answer(self)

    def reply(self, code: int, body: bytes, sent: int | None = None, **headers: str) -> None:
        """Announce `body` and send it, or only its first `sent` bytes before closing the connection."""
        self.send_response(code)
        for name, value in ({"Content_Length": str(len(body))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body[:sent])

    def log_message(self, *_):
        pass


class Site(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, list[Answer]] = {}
        self.requests: dict[str, list[dict[str, str]]] = defaultdict(list)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def serve(self, path: str, *answers: Answer) -> str:
        self.answers[path] = list(answers)
        return self.url + path

    def ranges(self, path: str) -> list[str | None]:
        return [headers.get("Range") for headers in self.requests[path]]


def status(code: int, **headers: str) -> Answer:
    return lambda handler: handler.reply(code, b"not now", **headers)


def ranged(
    body: bytes = CONTENT, sent: int | None = None, tag: str = '"1"', obeys: bool = True, **headers: str
) -> Answer:
    """A server that supports ranges; without `obeys`, it ignores If-Range."""

    def answer(handler: Handler) -> None:
        requested = handler.headers.get("Range")
        current = {"ETag": tag} | headers
        if requested is None or (obeys and handler.headers.get("If-Range") not in current.values()):
            handler.reply(200, body, sent, **current)
            return
        first = int(requested.removeprefix("bytes=").removesuffix("-"))
        if first >= len(body):
            handler.reply(416, b"", Content_Range=f"bytes */{len(body)}")
            return
        place = f"bytes {first}-{len(body) - 1}/{len(body)}"
        handler.reply(206, body[first:], sent, Content_Range=place, **current)

    return answer


def plain(body: bytes = CONTENT, sent: int | None = None, **headers: str) -> Answer:
    """A server that does not support ranges."""
    return lambda handler: handler.reply(200, body, sent, **headers)


def redirect(to: str) -> Answer:
    return lambda handler: handler.reply(302, b"", Location=to)


def failed(get, *urls: str, **known) -> str:
    with pytest.raises(UserError) as caught:
        get(*urls, **known)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"cannot download a.txt of corpus 'novels' from {urls[0]} (")
    assert text.endswith(
        "; download the file by hand and set `corpora: {novels: {path: FILE}}` in config.yaml"
    )
    return text


def kept(out: Path) -> bytes:
    return out.with_name("a.txt.part").read_bytes()


KNOWN = {"hashes": {"sha256": SHA256}, "bytes": len(CONTENT)}


def command(tmp_path: Path, url: str, out: Path) -> list[str]:
    registry = tmp_path / "corpora.yaml"
    entry = {"title": "Novels", "kind": "text", "files": [{"name": "a.txt", "urls": [url]}]}
    registry.write_text(yaml.safe_dump({"novels": entry}))
    words = ["--registry", registry, "--corpus", "novels", "--file", "a.txt", "--out", out]
    return [sys.executable, "-m", "textlvm.corpora.download", *map(str, words)]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(PACKAGES)}
