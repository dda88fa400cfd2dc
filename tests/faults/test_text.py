"""Unusual text files in every format are read correctly, or refused with one error message."""

import os
import tracemalloc

import pytest

from faults.packed import MIB, VALID, WORDS, found, message_of, prepared
from textlvm.corpora.counting import count
from textlvm.runtime.errors import UserError


@pytest.mark.parametrize("form", VALID)
class TestText:
    @pytest.mark.parametrize(
        "content",
        [b"", b"\n", b"\r\n \t\r\n", b"\xef\xbb\xbf", b"\0"],
        ids=["empty", "LF", "blank", "BOM", "NUL"],
    )
    def test_empty_file_gives_one_error_message(self, path, tmp_path, form, content):
        path.write_bytes(content)
        with pytest.raises(UserError) as error:
            _ = count(path, form) if form in WORDS else prepared(path, form, tmp_path / "data")
        assert message_of(error).startswith(f"{path} ")

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: text.replace("\n", "\r\n").encode(),
            lambda text: b"\xef\xbb\xbf" + text.encode(),
            lambda text: text.encode("latin-1"),
            lambda text: text.encode().rstrip(b"\n"),
        ],
        ids=["CRLF", "BOM", "Latin-1", "no last line end"],
    )
    def test_encoding_and_line_ends_do_not_change_the_content(self, path, form, change):
        path.write_text(VALID[form], encoding="utf-8")
        expected = found(path, form)
        path.write_bytes(change(VALID[form]))
        assert found(path, form) == expected
        assert "é" in str(expected)

    @pytest.mark.parametrize(
        "content",
        [bytes(range(256)) * 8, b"\x7fELF\x02\x01\x01" + bytes(9), "Tick, tock.".encode("utf-32-le")],
        ids=["all bytes", "a program", "UTF-32"],
    )
    def test_binary_content_is_refused(self, path, form, content):
        path.write_bytes(content)
        with pytest.raises(
            UserError, match=r"source is not text: \d+% of its first bytes are control"
        ) as error:
            found(path, form)
        message_of(error)

    def test_utf_16_is_refused(self, path, form):
        for encoding in ("utf-16-le", "utf-16-be"):
            path.write_bytes(f"\ufeff{VALID[form]}".encode(encoding))
            with pytest.raises(UserError, match="source is UTF-16 text; convert it to UTF-8 first"):
                found(path, form)

    def test_nul_separates_words(self, path, form):
        text = (VALID[form] * 9).encode()
        space = b" 2" if form == "counts" else b" tock" if b" tock" in text else b" it"
        path.write_bytes(text)
        expected = found(path, form)
        path.write_bytes(text.replace(space, b"\0" + space[1:], 1))
        assert found(path, form) == expected

    def test_gigabyte_long_line_needs_little_memory(self, path, tmp_path, form):
        """The file is sparse: only its first block is stored."""
        path.write_bytes(VALID[form].encode() + b"x" * (2 * MIB))
        os.truncate(path, 1 << 30)
        tracemalloc.start()
        try:
            if form == "text":
                assert count(path)["tick"] == 1
            else:
                with pytest.raises(UserError, match=r"source, line \d: longer than 1,048,576 bytes") as error:
                    found(path, form)
                message_of(error)
            assert tracemalloc.get_traced_memory()[1] < 100 * MIB
        finally:
            tracemalloc.stop()


def test_too_large_sum_of_counts_is_refused(path):
    path.write_text("tick 999999999999999999\nTick 1\n")
    with pytest.raises(UserError, match="source, line 2: counts of 'tick' add up to more than 999,999,"):
        count(path, "counts")
