"""Interrupted downloads resume where they stopped, and never join parts of different files."""

import signal
import subprocess
import threading
from email.utils import formatdate

import pytest

from faults.server import (
    CONTENT,
    HALF,
    KNOWN,
    OTHER,
    Handler,
    command,
    environment,
    failed,
    kept,
    plain,
    ranged,
    status,
)
from textlvm.corpora import transfer


class TestInterrupted:
    def test_download_resumes_where_it_stopped(self, site, get, slept):
        url = site.serve("/a", ranged(sent=HALF), ranged(sent=1000), ranged())
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a") == [None, f"bytes={HALF}-", f"bytes={HALF + 1000}-"]
        assert {headers.get("If-Range") for headers in site.requests["/a"][1:]} == {'"1"'}
        assert slept == [1, 2]

    def test_another_process_resumes_the_download(self, site, get, out):
        url = site.serve("/a", *[ranged(sent=1000)] * 6, ranged())
        assert f"the connection broke off after 6,000 of {len(CONTENT):,} bytes" in failed(get, url, **KNOWN)
        assert kept(out) == CONTENT[:6000]
        assert not out.exists()
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a")[-1] == "bytes=6000-"

    def test_download_of_a_killed_process_is_resumed(self, site, tmp_path, out):
        sent, over = threading.Event(), threading.Event()

        def stalling(handler: Handler) -> None:
            handler.reply(200, CONTENT, HALF, ETag='"1"')
            sent.set()
            over.wait(30)

        url = site.serve("/a", stalling, ranged())
        process = subprocess.Popen(command(tmp_path, url, out), env=environment(), stderr=subprocess.PIPE)
        assert sent.wait(30)
        part = out.with_name("a.txt.part")
        while not part.stat().st_size:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        process.stderr.close()
        over.set()
        received = part.stat().st_size
        assert not out.exists()
        done = subprocess.run(
            command(tmp_path, url, out), env=environment(), capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert out.read_bytes() == CONTENT
        assert site.ranges("/a") == [None, f"bytes={received}-"]
        assert {path.name for path in out.parent.iterdir()} == {"a.txt", "a.txt.lock.json"}

    def test_complete_part_is_only_checked(self, site, get, out):
        url = site.serve("/a", ranged(sent=HALF), status(503))
        failed(get, url, **KNOWN)
        out.with_name("a.txt.part").write_bytes(CONTENT)
        site.serve("/a", ranged())
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a")[-1] == f"bytes={len(CONTENT)}-"
        assert len(site.ranges("/a")) == 7

    def test_shorter_ranges_than_requested_are_joined(self, site, get):
        def capped(handler: Handler) -> None:
            first = int(handler.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            body = CONTENT[first : first + HALF // 2]
            place = f"bytes {first}-{first + len(body) - 1}/{len(CONTENT)}"
            handler.reply(206, body, Content_Range=place, ETag='"1"')

        url = site.serve("/a", ranged(sent=HALF), capped)
        assert get(url, **KNOWN) == CONTENT
        assert len(site.requests["/a"]) == 4

    @pytest.mark.parametrize("known", [{}, KNOWN], ids=["nothing known", "known"])
    def test_changed_file_is_not_joined_to_the_old_part(self, site, get, known):
        url = site.serve("/a", ranged(OTHER, sent=HALF, tag='"0"'), ranged())
        assert get(url, **known) == CONTENT
        assert site.ranges("/a") == [None, f"bytes={HALF}-"]

    def test_changed_file_is_detected_if_the_server_ignores_if_range(self, site, get):
        url = site.serve("/a", ranged(OTHER, sent=HALF, tag='"0"'), ranged(obeys=False))
        assert get(url) == CONTENT
        assert site.ranges("/a") == [None, f"bytes={HALF}-", None]

    def test_changed_file_is_detected_by_its_size(self, site, get):
        url = site.serve("/a", ranged(OTHER + b"!", sent=HALF), ranged(obeys=False))
        assert get(url) == CONTENT
        assert site.ranges("/a") == [None, f"bytes={HALF}-", None]

    def test_resumed_download_with_a_wrong_digest_starts_again(self, site, get, caplog):
        """The server gives two files the same ETag."""
        url = site.serve("/a", ranged(OTHER, sent=HALF), ranged(), ranged())
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a") == [None, f"bytes={HALF}-", None]
        assert "starting again from the beginning" in caplog.text

    def test_date_is_used_without_a_strong_etag(self, site, get):
        dated = {"tag": 'W/"1"', "Last_Modified": formatdate(0, usegmt=True)}
        url = site.serve("/a", ranged(sent=HALF, **dated), ranged(**dated))
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a") == [None, f"bytes={HALF}-"]
        assert site.requests["/a"][1]["If-Range"] == formatdate(0, usegmt=True)

    @pytest.mark.parametrize("tag", ['W/"1"', None])
    def test_download_without_a_strong_validator_starts_again(self, site, get, tag):
        headers = {"ETag": tag} if tag else {}
        url = site.serve("/a", plain(sent=HALF, **headers), plain(**headers))
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a") == [None, None]

    def test_server_without_ranges_sends_the_whole_file(self, site, get):
        url = site.serve("/a", plain(sent=HALF, ETag='"1"'), plain(ETag='"1"'))
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a") == [None, f"bytes={HALF}-"]

    def test_download_from_another_address_starts_again(self, site, get):
        first, second = site.serve("/a", *[ranged(OTHER, sent=100)] * 6), site.serve("/b", ranged())
        assert get(first, second) == CONTENT
        assert site.ranges("/b") == [None]

    @pytest.mark.parametrize("place", ["bytes 5-9/10", "bytes */300", "pages 1-2/3", ""])
    def test_answer_with_a_wrong_range_is_refused(self, site, get, place):
        def wrong(handler: Handler) -> None:
            handler.reply(206, CONTENT[HALF:], Content_Range=place, ETag='"1"')

        url = site.serve("/a", ranged(sent=HALF), wrong, ranged())
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a") == [None, f"bytes={HALF}-", None]

    def test_part_longer_than_the_file_starts_again(self, site, get, out):
        url = site.serve("/a", ranged(sent=HALF), status(503))
        failed(get, url, **KNOWN)
        out.with_name("a.txt.part").write_bytes(CONTENT + b"more")
        site.serve("/a", ranged())
        assert get(url, **KNOWN) == CONTENT

    @pytest.mark.parametrize(
        "note", ["", "[]", '{"url": 3}', '{"url": "x", "validator": "y", "size": 1}', "\0"]
    )
    def test_part_with_a_damaged_note_starts_again(self, site, get, out, note):
        url = site.serve("/a", ranged(sent=HALF), status(503))
        failed(get, url, **KNOWN)
        out.with_name("a.txt.part.json").write_text(note)
        site.serve("/a", ranged())
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a")[-1] is None

    def test_attempts_continue_while_the_download_progresses(self, site, get, slept, monkeypatch):
        monkeypatch.setattr(transfer, "FURTHER", 20_000)
        url = site.serve("/a", ranged(sent=20_000))
        assert get(url, **KNOWN) == CONTENT
        assert len(site.requests["/a"]) > 10
        assert set(slept) == {1}
