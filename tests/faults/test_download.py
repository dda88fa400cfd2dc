"""Downloads from servers that misbehave: what may pass is waited for, what comes is checked."""

import hashlib
import json
import os
import subprocess
import termios
import threading
import time
from email.utils import formatdate

import pytest

from faults.server import (
    BLOB,
    CONTENT,
    HALF,
    KNOWN,
    OTHER,
    PAGE,
    SHA256,
    Answer,
    Handler,
    command,
    environment,
    failed,
    plain,
    ranged,
    redirect,
    status,
)
from textlvm.corpora import transfer
from textlvm.corpora.registry import Local
from textlvm.runtime.errors import UserError


class TestWhatPasses:
    @pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
    def test_a_server_that_is_not_ready_is_asked_again(self, site, get, slept, code):
        url = site.lay("/a", status(code), status(code), plain())
        assert get(url, **KNOWN) == CONTENT
        assert slept == [1, 2]

    def test_waits_double_and_end(self, site, get, slept):
        url = site.lay("/a", status(503))
        assert "(HTTP status 503, after several attempts)" in failed(get, url)
        assert slept == [1, 2, 4, 8, 16]
        assert len(site.asked["/a"]) == 6

    def test_retry_after_is_heeded(self, site, get, slept):
        soon = formatdate(time.time() + 100, usegmt=True)
        later = [status(429, Retry_After="30"), status(503, Retry_After=soon), status(429, Retry_After="x")]
        assert get(site.lay("/a", *later, plain()), **KNOWN) == CONTENT
        assert slept[0] == 30
        assert 60 < slept[1] <= 100
        assert slept[2] == 4

    def test_no_server_may_ask_for_hours(self, site, get, slept):
        url = site.lay("/a", status(429, Retry_After="7200"))
        assert "(HTTP status 429, and asks to retry after 7,200 seconds)" in failed(get, url)
        assert slept == []

    def test_the_next_address_is_tried_in_the_end(self, site, get):
        first, second = site.lay("/a", status(500)), site.lay("/b", plain())
        assert get(first, second, **KNOWN) == CONTENT

    def test_a_server_that_is_not_there(self, get, slept):
        assert "no connection, after several attempts" in failed(get, "http://127.0.0.1:1/a.txt")
        assert len(slept) == 5

    @pytest.mark.parametrize("sent", [None, 1000])
    def test_silence_is_waited_for_once_more(self, site, get, slept, sent):
        over = threading.Event()

        def silent(handler: Handler) -> None:
            if sent:
                handler.reply(200, CONTENT, sent)
            over.wait(20)

        url = site.lay("/a", silent, plain())
        try:
            assert get(url, timeout=0.2, **KNOWN) == CONTENT
        finally:
            over.set()
        assert slept == [1]

    def test_silence_is_said_with_what_came_before(self, site, get, slept):
        over = threading.Event()

        def silent(handler: Handler) -> None:
            handler.reply(200, CONTENT, 2 * transfer.BLOCK)
            over.wait(20)

        url = site.lay("/a", silent)
        try:
            text = failed(get, url, timeout=0.1, **KNOWN)
        finally:
            over.set()
        assert f"(no data for 0.1 seconds after 131,072 of {len(CONTENT):,}, after several attempts)" in text
        assert slept == [1, 2, 4, 8, 16]


class TestWhatStays:
    @pytest.mark.parametrize("code", [204, 400, 401, 403, 404, 410, 451, 501])
    def test_other_answers_are_final(self, site, get, slept, code):
        assert f"(HTTP status {code})" in failed(get, site.lay("/a", status(code)))
        assert slept == []
        assert len(site.asked["/a"]) == 1

    def test_wrong_content(self, site, get, out):
        url = site.lay("/a", plain(OTHER))
        found = hashlib.sha256(OTHER).hexdigest()
        assert f"(its sha256 is {found}, not {SHA256})" in failed(get, url, **KNOWN)
        assert "(its git_blob is " in failed(get, url, hashes={"git_blob": BLOB})
        assert "(its md5 is " in failed(get, url, hashes={"md5": "0" * 32})
        assert list(out.parent.iterdir()) == []

    @pytest.mark.parametrize("size", [len(CONTENT) - 7, len(CONTENT) + 7])
    def test_a_file_of_another_size(self, site, get, out, size):
        body = (CONTENT + b"1234567")[:size]
        text = failed(get, site.lay("/a", plain(body)), bytes=len(CONTENT))
        assert "bytes" in text
        assert f"{len(CONTENT):,}" in text
        assert list(out.parent.iterdir()) == []

    @pytest.mark.parametrize("known", [{}, KNOWN], ids=["nothing known", "known"])
    def test_a_page_to_log_in(self, site, get, out, known):
        url = site.lay("/a", redirect(f"{site.url}/login?next=a"))
        site.lay("/login?next=a", plain(PAGE, Content_Type="text/html"))
        expected = f"(which leads to {site.url}/login?next=a: it is a web page)"
        assert expected in failed(get, url, **known)
        assert list(out.parent.iterdir()) == []

    def test_redirections_in_a_circle_or_elsewhere(self, site, get):
        assert "30 redirects" in failed(get, site.lay("/a", redirect("/a")))
        assert "No connection adapters" in failed(get, site.lay("/b", redirect("file:///etc/passwd")))

    def test_what_was_there_stays(self, site, get, out):
        out.parent.mkdir(parents=True)
        out.write_bytes(b"mine")
        failed(get, site.lay("/a", plain(OTHER)), **KNOWN)
        assert out.read_bytes() == b"mine"

    def test_every_address_is_named(self, site, get):
        text = failed(get, site.lay("/a", status(404)), site.lay("/b", plain(OTHER)), **KNOWN)
        assert f"{site.url}/a (HTTP status 404) or {site.url}/b (its sha256 is" in text

    def test_no_room(self, site, get, out, monkeypatch):
        def full(*_):
            raise OSError(28, "No space left on device")

        url = site.lay("/a", ranged())
        monkeypatch.setattr("textlvm.corpora.partial.PartialFile.append", full)
        with pytest.raises(UserError, match=r"cannot write .*a\.txt: No space left on device; mend that"):
            get(url)
        monkeypatch.undo()
        assert get(url, **KNOWN) == CONTENT


class TestChunked:
    @staticmethod
    def chunked(body: bytes, ends: bool) -> Answer:
        def answer(handler: Handler) -> None:
            handler.protocol_version = "HTTP/1.1"
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.send_header("Connection", "close")
            handler.end_headers()
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(body), body) + (b"0\r\n\r\n" if ends else b""))

        return answer

    def test_one_that_does_not_end_is_not_whole(self, site, get, slept):
        url = site.lay("/a", self.chunked(CONTENT[:HALF], ends=False), self.chunked(CONTENT, ends=True))
        assert get(url) == CONTENT
        assert slept == [1]

    def test_an_endless_one_is_left(self, site, get, out):
        def endless(handler: Handler) -> None:
            handler.send_response(200)
            handler.end_headers()
            try:
                while True:
                    handler.wfile.write(CONTENT)
            except OSError:
                pass

        text = failed(get, site.lay("/a", endless), bytes=len(CONTENT))
        assert f"(it has more than {len(CONTENT):,} bytes)" in text
        assert list(out.parent.iterdir()) == []


class TestRecord:
    def test_the_first_download_is_what_later_ones_must_be(self, site, get, out):
        url = site.lay("/a", plain())
        assert get(url) == CONTENT
        record = out.with_name("a.txt.lock.json")
        assert json.loads(record.read_text()) == {"sha256": SHA256, "bytes": len(CONTENT), "url": url}
        out.unlink()
        site.lay("/a", plain(OTHER[:-1] + b"!"))
        text = failed(get, url)
        assert (
            f", not {SHA256}, says {record} of the first download: remove that if a new one is right" in text
        )
        assert not out.exists()
        site.lay("/a", plain())
        assert get(url) == CONTENT
        record.unlink()
        out.unlink()
        site.lay("/a", plain(OTHER))
        assert get(url) == OTHER

    def test_where_the_registry_knows_there_is_none(self, site, get, out):
        assert get(site.lay("/a", plain()), hashes={"git_blob": BLOB}) == CONTENT
        assert [path.name for path in out.parent.iterdir()] == ["a.txt"]

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": 1, "bytes": "x"}', "\0"])
    def test_a_damaged_one_is_a_sentence(self, site, get, out, text):
        out.parent.mkdir(parents=True)
        out.with_name("a.txt.lock.json").write_text(text)
        with pytest.raises(
            UserError, match=r"a\.txt\.lock\.json does not contain the digest of the first download"
        ):
            get(site.lay("/a", plain()))


class TestMirror:
    def test_it_goes_first_with_the_registrys_local_path(self, site, get):
        site.lay("/shelf/novels/a%20b.txt", plain())
        url = site.lay("/a", status(404))
        local = Local("novels/a b.txt")
        assert get(url, mirror=f"{site.url}/shelf/", local=local, **KNOWN) == CONTENT
        assert site.ranges("/a") == []

    def test_without_one_below_the_corpus(self, site, get):
        site.lay("/novels/a.txt", plain())
        assert get(mirror=site.url, **KNOWN) == CONTENT

    def test_a_file_packed_in_another_way(self, site, get):
        site.lay("/a.xz", plain(OTHER))
        local = Local("a.xz", hashlib.sha256(OTHER).hexdigest())
        assert get(mirror=site.url, local=local, **KNOWN) == OTHER

    def test_the_registrys_address_comes_next(self, site, get):
        site.lay("/novels/a.txt", plain(OTHER))
        assert get(site.lay("/a", plain()), mirror=site.url, **KNOWN) == CONTENT

    def test_another_kind_of_address_is_a_sentence(self, get):
        with pytest.raises(UserError, match="TEXTLVM_MIRROR must be an http or https address, not '/shelf'"):
            get(mirror="/shelf")


def test_two_processes_bring_it_once(site, tmp_path, out):
    begun, over = threading.Event(), threading.Event()

    def slow(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        begun.set()
        over.wait(30)
        handler.wfile.write(CONTENT)

    def start() -> subprocess.Popen[str]:
        line = command(tmp_path, url, out)
        return subprocess.Popen(line, env=environment(), stderr=subprocess.PIPE, text=True)

    url = site.lay("/a", slow)
    first = start()
    assert begun.wait(30)
    second = start()
    assert "waiting for another process that is writing it" in second.stderr.readline()
    over.set()
    for process in (first, second):
        assert process.wait() == 0, process.stderr.read()
        process.stderr.close()
    assert out.read_bytes() == CONTENT
    assert len(site.asked["/a"]) == 1
    assert {path.name for path in out.parent.iterdir()} == {"a.txt", "a.txt.lock.json"}


def test_on_a_terminal_there_is_a_bar(site, tmp_path, out):
    url = site.lay("/a", plain())
    reader, writer = os.openpty()
    termios.tcsetwinsize(writer, (24, 80))
    done = subprocess.run(command(tmp_path, url, out), env=environment(), stderr=writer, check=False)
    os.close(writer)
    said = os.read(reader, 1 << 16).decode()
    os.close(reader)
    assert done.returncode == 0, said
    assert "100%|" in said
    assert "a.txt" in said
