"""Downloads that break off: they go on where they stopped, and no two files are spliced."""

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
    def test_it_goes_on_where_it_stopped(self, site, get, slept):
        url = site.lay("/a", ranged(sent=HALF), ranged(sent=1000), ranged())
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a") == [None, f"bytes={HALF}-", f"bytes={HALF + 1000}-"]
        assert {headers.get("If-Range") for headers in site.asked["/a"][1:]} == {'"1"'}
        assert slept == [1, 2]

    def test_it_goes_on_in_another_process(self, site, get, out):
        url = site.lay("/a", *[ranged(sent=1000)] * 6, ranged())
        assert f"the connection broke off after 6,000 of {len(CONTENT):,} bytes" in failed(get, url, **KNOWN)
        assert kept(out) == CONTENT[:6000]
        assert not out.exists()
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a")[-1] == "bytes=6000-"

    def test_a_process_that_is_killed(self, site, tmp_path, out):
        sent, over = threading.Event(), threading.Event()

        def stalling(handler: Handler) -> None:
            handler.reply(200, CONTENT, HALF, ETag='"1"')
            sent.set()
            over.wait(30)

        url = site.lay("/a", stalling, ranged())
        process = subprocess.Popen(command(tmp_path, url, out), env=environment(), stderr=subprocess.PIPE)
        assert sent.wait(30)
        part = out.with_name("a.txt.part")
        while not part.stat().st_size:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        process.stderr.close()
        over.set()
        come = part.stat().st_size
        assert not out.exists()
        done = subprocess.run(
            command(tmp_path, url, out), env=environment(), capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert out.read_bytes() == CONTENT
        assert site.ranges("/a") == [None, f"bytes={come}-"]
        assert {path.name for path in out.parent.iterdir()} == {"a.txt", "a.txt.lock.json"}

    def test_a_process_that_ended_before_the_last_step(self, site, get, out):
        url = site.lay("/a", ranged(sent=HALF), status(503))
        failed(get, url, **KNOWN)
        out.with_name("a.txt.part").write_bytes(CONTENT)
        site.lay("/a", ranged())
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a")[-1] == f"bytes={len(CONTENT)}-"
        assert len(site.ranges("/a")) == 7

    def test_a_server_that_sends_a_part_of_what_is_asked_for(self, site, get):
        def capped(handler: Handler) -> None:
            first = int(handler.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            body = CONTENT[first : first + HALF // 2]
            place = f"bytes {first}-{first + len(body) - 1}/{len(CONTENT)}"
            handler.reply(206, body, Content_Range=place, ETag='"1"')

        url = site.lay("/a", ranged(sent=HALF), capped)
        assert get(url, **KNOWN) == CONTENT
        assert len(site.asked["/a"]) == 4

    @pytest.mark.parametrize("known", [{}, KNOWN], ids=["nothing known", "known"])
    def test_a_file_that_has_changed_is_not_spliced(self, site, get, known):
        url = site.lay("/a", ranged(OTHER, sent=HALF, tag='"0"'), ranged())
        assert get(url, **known) == CONTENT
        assert site.ranges("/a") == [None, f"bytes={HALF}-"]

    def test_nor_by_a_server_that_ignores_if_range(self, site, get):
        url = site.lay("/a", ranged(OTHER, sent=HALF, tag='"0"'), ranged(obeys=False))
        assert get(url) == CONTENT
        assert site.ranges("/a") == [None, f"bytes={HALF}-", None]

    def test_nor_by_one_whose_file_has_another_size(self, site, get):
        url = site.lay("/a", ranged(OTHER + b"!", sent=HALF), ranged(obeys=False))
        assert get(url) == CONTENT
        assert site.ranges("/a") == [None, f"bytes={HALF}-", None]

    def test_a_splice_that_is_wrong_is_done_over(self, site, get, caplog):
        """A server that gives two files the same ETag."""
        url = site.lay("/a", ranged(OTHER, sent=HALF), ranged(), ranged())
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a") == [None, f"bytes={HALF}-", None]
        assert "starting again from the beginning" in caplog.text

    def test_a_date_will_do(self, site, get):
        dated = {"tag": 'W/"1"', "Last_Modified": formatdate(0, usegmt=True)}
        url = site.lay("/a", ranged(sent=HALF, **dated), ranged(**dated))
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a") == [None, f"bytes={HALF}-"]
        assert site.asked["/a"][1]["If-Range"] == formatdate(0, usegmt=True)

    @pytest.mark.parametrize("tag", ['W/"1"', None])
    def test_without_a_strong_validator_it_begins_anew(self, site, get, tag):
        headers = {"ETag": tag} if tag else {}
        url = site.lay("/a", plain(sent=HALF, **headers), plain(**headers))
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a") == [None, None]

    def test_a_server_without_ranges_sends_it_whole(self, site, get):
        url = site.lay("/a", plain(sent=HALF, ETag='"1"'), plain(ETag='"1"'))
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a") == [None, f"bytes={HALF}-"]

    def test_another_address_begins_anew(self, site, get):
        first, second = site.lay("/a", *[ranged(OTHER, sent=100)] * 6), site.lay("/b", ranged())
        assert get(first, second) == CONTENT
        assert site.ranges("/b") == [None]

    @pytest.mark.parametrize("place", ["bytes 5-9/10", "bytes */300", "pages 1-2/3", ""])
    def test_an_answer_with_another_part_is_refused(self, site, get, place):
        def wrong(handler: Handler) -> None:
            handler.reply(206, CONTENT[HALF:], Content_Range=place, ETag='"1"')

        url = site.lay("/a", ranged(sent=HALF), wrong, ranged())
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a") == [None, f"bytes={HALF}-", None]

    def test_a_part_beyond_the_file_begins_anew(self, site, get, out):
        url = site.lay("/a", ranged(sent=HALF), status(503))
        failed(get, url, **KNOWN)
        out.with_name("a.txt.part").write_bytes(CONTENT + b"more")
        site.lay("/a", ranged())
        assert get(url, **KNOWN) == CONTENT

    @pytest.mark.parametrize(
        "note", ["", "[]", '{"url": 3}', '{"url": "x", "validator": "y", "size": 1}', "\0"]
    )
    def test_a_damaged_note_begins_anew(self, site, get, out, note):
        url = site.lay("/a", ranged(sent=HALF), status(503))
        failed(get, url, **KNOWN)
        out.with_name("a.txt.part.json").write_text(note)
        site.lay("/a", ranged())
        assert get(url, **KNOWN) == CONTENT
        assert site.ranges("/a")[-1] is None

    def test_as_long_as_it_gets_further_it_is_tried(self, site, get, slept, monkeypatch):
        monkeypatch.setattr(transfer, "FURTHER", 20_000)
        url = site.lay("/a", ranged(sent=20_000))
        assert get(url, **KNOWN) == CONTENT
        assert len(site.asked["/a"]) > 10
        assert set(slept) == {1}
