import pytest

from textlvm.corpora.gutenberg import MAX_HEADER, body

START = b"*** START OF THE PROJECT GUTENBERG EBOOK A VERY\r\nLONG TITLE ***"
END = b"\n*** END OF THIS PROJECT GUTENBERG EBOOK A VERY"
STORY = b"\r\nIt was a dark night.\n*** A star ***\nThe end of Project Gutenberg's story.\n" * 50


def cleaned(data: bytes, size: int) -> bytes:
    return b"".join(body(data[i : i + size] for i in range(0, len(data), size)))


@pytest.mark.parametrize("size", [1, 7, 64, 1000, 1 << 20])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Header\n" + START, END + b" ***\nLicence\n" * 100),
        (b"Header\n" + START, b"\nEnd of the Project Gutenberg EBook\n" + END + b"\nLicence"),
        (b"Header\n" + START, b""),
        (b"", END + b"Licence"),
        (b"", b""),
    ],
    ids=["both", "older end", "start alone", "end alone", "none"],
)
def test_body(before, after, size):
    assert cleaned(before + STORY + after, size) == STORY


def test_start_mark_after_the_header_is_ignored():
    text = b"word " * MAX_HEADER + START + STORY
    assert cleaned(text, 1 << 16) == text


def test_body_reads_all_blocks():
    blocks = iter([START, END, b"Licence"])
    assert b"".join(body(blocks)) == b""
    assert list(blocks) == []
