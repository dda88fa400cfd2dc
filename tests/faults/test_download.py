"""Downloads from faulty servers: temporary failures are retried, and the received file is checked."""

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


class TestTemporaryFailures:
    @pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
    def test_request_is_repeated_while_the_server_is_not_ready(self, site, get, slept, code):
        url = site.serve("/a", status(code), status(code), plain())
        assert get(url, **KNOWN) == CONTENT
        assert slept == [1, 2]

    def test_waits_double_up_to_a_limit(self, site, get, slept):
        url = site.serve("/a", status(503))
        assert "(HTTP status 503, after several attempts)" in failed(get, url)
        assert slept == [1, 2, 4, 8, 16]
        assert len(site.requests["/a"]) == 6

    def test_retry_after_is_respected(self, site, get, slept):
        soon = formatdate(time.time() + 100, usegmt=True)
        later = [status(429, Retry_After="30"), status(503, Retry_After=soon), status(429, Retry_After="x")]
        assert get(site.serve("/a", *later, plain()), **KNOWN) == CONTENT
        assert slept[0] == 30
        assert 60 < slept[1] <= 100
        assert slept[2] == 4

    def test_long_retry_after_is_refused(self, site, get, slept):
        url = site.serve("/a", status(429, Retry_After="7200"))
        assert "(HTTP status 429, and asks to retry after 7,200 seconds)" in failed(get, url)
        assert slept == []

    def test_next_address_is_tried_after_the_last_attempt(self, site, get):
        first, second = site.serve("/a", status(500)), site.serve("/b", plain())
        assert get(first, second, **KNOWN) == CONTENT

    def test_unreachable_server_gives_one_error_message(self, get, slept):
        assert "no connection, after several attempts" in failed(get, "http://127.0.0.1:1/a.txt")
        assert len(slept) == 5

    @pytest.mark.parametrize("sent", [None, 1000])
    def test_silent_server_is_asked_again(self, site, get, slept, sent):
        over = threading.Event()

        def silent(handler: Handler) -> None:
            if sent:
                handler.reply(200, CONTENT, sent)
            over.wait(20)

        url = site.serve("/a", silent, plain())
        try:
            assert get(url, timeout=0.2, **KNOWN) == CONTENT
        finally:
            over.set()
        assert slept == [1]

    def test_error_message_for_a_silent_server_has_the_bytes_received(self, site, get, slept):
        over = threading.Event()

        def silent(handler: Handler) -> None:
            handler.reply(200, CONTENT, 2 * transfer.BLOCK)
            over.wait(20)

        url = site.serve("/a", silent)
        try:
            text = failed(get, url, timeout=0.1, **KNOWN)
        finally:
            over.set()
        assert f"(no data for 0.1 seconds after 131,072 of {len(CONTENT):,}, after several attempts)" in text
        assert slept == [1, 2, 4, 8, 16]


class TestPermanentFailures:
    @pytest.mark.parametrize("code", [204, 400, 401, 403, 404, 410, 451, 501])
    def test_other_status_codes_are_final(self, site, get, slept, code):
        assert f"(HTTP status {code})" in failed(get, site.serve("/a", status(code)))
        assert slept == []
        assert len(site.requests["/a"]) == 1

    def test_wrong_content_is_refused(self, site, get, out):
        url = site.serve("/a", plain(OTHER))
        found = hashlib.sha256(OTHER).hexdigest()
        assert f"(its sha256 is {found}, not {SHA256})" in failed(get, url, **KNOWN)
        assert "(its git_blob is " in failed(get, url, hashes={"git_blob": BLOB})
        assert "(its md5 is " in failed(get, url, hashes={"md5": "0" * 32})
        assert list(out.parent.iterdir()) == []

    @pytest.mark.parametrize("size", [len(CONTENT) - 7, len(CONTENT) + 7])
    def test_file_of_another_size_is_refused(self, site, get, out, size):
        body = (CONTENT + b"1234567")[:size]
        text = failed(get, site.serve("/a", plain(body)), bytes=len(CONTENT))
        assert "bytes" in text
        assert f"{len(CONTENT):,}" in text
        assert list(out.parent.iterdir()) == []

    @pytest.mark.parametrize("known", [{}, KNOWN], ids=["nothing known", "known"])
    def test_login_page_is_refused(self, site, get, out, known):
        url = site.serve("/a", redirect(f"{site.url}/login?next=a"))
        site.serve("/login?next=a", plain(PAGE, Content_Type="text/html"))
        expected = f"(which leads to {site.url}/login?next=a: it is a web page)"
        assert expected in failed(get, url, **known)
        assert list(out.parent.iterdir()) == []

    def test_invalid_redirections_are_refused(self, site, get):
        assert "30 redirects" in failed(get, site.serve("/a", redirect("/a")))
        assert "No connection adapters" in failed(get, site.serve("/b", redirect("file:///etc/passwd")))

    def test_failed_download_keeps_the_existing_file(self, site, get, out):
        out.parent.mkdir(parents=True)
        out.write_bytes(b"mine")
        failed(get, site.serve("/a", plain(OTHER)), **KNOWN)
        assert out.read_bytes() == b"mine"

    def test_error_message_names_all_addresses(self, site, get):
        text = failed(get, site.serve("/a", status(404)), site.serve("/b", plain(OTHER)), **KNOWN)
        assert f"{site.url}/a (HTTP status 404) or {site.url}/b (its sha256 is" in text

    def test_full_disk_gives_one_error_message(self, site, get, out, monkeypatch):
        def full(*_):
            raise OSError(28, "No space left on device")

        url = site.serve("/a", ranged())
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

    def test_truncated_chunked_answer_is_repeated(self, site, get, slept):
        url = site.serve("/a", self.chunked(CONTENT[:HALF], ends=False), self.chunked(CONTENT, ends=True))
        assert get(url) == CONTENT
        assert slept == [1]

    def test_endless_answer_is_aborted(self, site, get, out):
        def endless(handler: Handler) -> None:
            handler.send_response(200)
            handler.end_headers()
            try:
                while True:
                    handler.wfile.write(CONTENT)
            except OSError:
                pass

        text = failed(get, site.serve("/a", endless), bytes=len(CONTENT))
        assert f"(it has more than {len(CONTENT):,} bytes)" in text
        assert list(out.parent.iterdir()) == []


class TestRecord:
    def test_later_downloads_must_match_the_first_download(self, site, get, out):
        url = site.serve("/a", plain())
        assert get(url) == CONTENT
        record = out.with_name("a.txt.lock.json")
        assert json.loads(record.read_text()) == {"sha256": SHA256, "bytes": len(CONTENT), "url": url}
        out.unlink()
        site.serve("/a", plain(OTHER[:-1] + b"!"))
        text = failed(get, url)
        assert (
            f", not {SHA256}, says {record} of the first download: remove that if a new one is right" in text
        )
        assert not out.exists()
        site.serve("/a", plain())
        assert get(url) == CONTENT
        record.unlink()
        out.unlink()
        site.serve("/a", plain(OTHER))
        assert get(url) == OTHER

    def test_no_record_if_the_registry_has_a_digest(self, site, get, out):
        assert get(site.serve("/a", plain()), hashes={"git_blob": BLOB}) == CONTENT
        assert [path.name for path in out.parent.iterdir()] == ["a.txt"]

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": 1, "bytes": "x"}', "\0"])
    def test_damaged_record_gives_one_error_message(self, site, get, out, text):
        out.parent.mkdir(parents=True)
        out.with_name("a.txt.lock.json").write_text(text)
        with pytest.raises(
            UserError, match=r"a\.txt\.lock\.json does not contain the digest of the first download"
        ):
            get(site.serve("/a", plain()))


class TestMirror:
    def test_mirror_is_tried_first_with_the_local_path(self, site, get):
        site.serve("/shelf/novels/a%20b.txt", plain())
        url = site.serve("/a", status(404))
        local = Local("novels/a b.txt")
        assert get(url, mirror=f"{site.url}/shelf/", local=local, **KNOWN) == CONTENT
        assert site.ranges("/a") == []

    def test_path_on_the_mirror_defaults_to_corpus_and_file(self, site, get):
        site.serve("/novels/a.txt", plain())
        assert get(mirror=site.url, **KNOWN) == CONTENT

    def test_mirrored_file_may_have_another_compression(self, site, get):
        site.serve("/a.xz", plain(OTHER))
        local = Local("a.xz", hashlib.sha256(OTHER).hexdigest())
        assert get(mirror=site.url, local=local, **KNOWN) == OTHER

    def test_registry_address_is_tried_after_the_mirror(self, site, get):
        site.serve("/novels/a.txt", plain(OTHER))
        assert get(site.serve("/a", plain()), mirror=site.url, **KNOWN) == CONTENT

    def test_invalid_mirror_address_gives_one_error_message(self, get):
        with pytest.raises(UserError, match="TEXTLVM_MIRROR must be an http or https address, not '/shelf'"):
            get(mirror="/shelf")


def test_two_processes_download_a_file_once(site, tmp_path, out):
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

    url = site.serve("/a", slow)
    first = start()
    assert begun.wait(30)
    second = start()
    assert "waiting for another process that is writing it" in second.stderr.readline()
    over.set()
    for process in (first, second):
        assert process.wait() == 0, process.stderr.read()
        process.stderr.close()
    assert out.read_bytes() == CONTENT
    assert len(site.requests["/a"]) == 1
    assert {path.name for path in out.parent.iterdir()} == {"a.txt", "a.txt.lock.json"}


def test_progress_bar_is_shown_on_a_terminal(site, tmp_path, out):
    url = site.serve("/a", plain())
    reader, writer = os.openpty()
    termios.tcsetwinsize(writer, (24, 80))
    done = subprocess.run(command(tmp_path, url, out), env=environment(), stderr=writer, check=False)
    os.close(writer)
    output = os.read(reader, 1 << 16).decode()
    os.close(reader)
    assert done.returncode == 0, output
    assert "100%|" in output
    assert "a.txt" in output
