import pytest

from faults.packed import COMPRESS, tar, zipped
from textlvm.corpora import containers
from textlvm.runtime.errors import UserError

TEXT = b"One two.\nThree.\n" * 1000
BOOKS = (("books/a.txt", TEXT), ("books/b.txt", b"Four."))


def read(path, members="*") -> list[bytes]:
    return [b"".join(blocks) for _, blocks in containers.texts(path, members)]


# The name has no meaningful suffix: the first bytes determine the format.
@pytest.fixture
def path(tmp_path):
    return tmp_path / "source.dat"


@pytest.mark.parametrize("compress", [bytes, *COMPRESS.values()], ids=["plain", *COMPRESS])
class TestCompression:
    def test_text(self, path, compress):
        path.write_bytes(compress(TEXT))
        assert read(path) == [TEXT]

    def test_tar_archive(self, path, compress):
        path.write_bytes(compress(tar(*BOOKS)))
        assert read(path) == [TEXT, b"Four."]


def test_zip_archive(path):
    path.write_bytes(zipped(*BOOKS))
    assert read(path) == [TEXT, b"Four."]


@pytest.mark.parametrize("pack", [tar, zipped])
def test_members_are_selected_by_pattern_and_hidden_ones_are_skipped(path, pack):
    names = ["x/books/a.txt", "x/books/._a.txt", "__MACOSX/books/a.txt", "x/.git/books/b.txt", "x/README.md"]
    path.write_bytes(pack(*((name, name.encode()) for name in names)))
    assert read(path, "*books/*.txt") == [b"x/books/a.txt"]
    assert read(path) == [b"x/books/a.txt", b"x/README.md"]
    with pytest.raises(UserError, match=r"no file in this archive matches '\*\.csv'"):
        read(path, "*.csv")


def test_blocks_are_bounded_and_names_contain_the_member(path, monkeypatch):
    monkeypatch.setattr(containers, "BLOCK", 100)
    path.write_bytes(tar(("a.txt", TEXT)))
    ((name, blocks),) = [(name, list(blocks)) for name, blocks in containers.texts(path)]
    assert name == f"{path}, a.txt"
    assert max(map(len, blocks)) == 100
    assert b"".join(blocks) == TEXT


@pytest.mark.parametrize("compress", COMPRESS.values(), ids=COMPRESS)
@pytest.mark.parametrize("content", [TEXT, tar(("a.txt", TEXT))], ids=["text", "tar"])
def test_truncated_or_altered_file_is_rejected(path, compress, content):
    whole = compress(content)
    altered = bytearray(whole)
    altered[len(whole) // 2] ^= 0xFF
    for damaged in (whole[: len(whole) // 2], bytes(altered)):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"source\.dat is damaged or truncated .*; remove it"):
            read(path)


def test_damaged_zip_is_rejected(path):
    whole = zipped(("a.txt", TEXT))
    for damaged in (whole[:-30], whole[:75] + b"\xff" * 5 + whole[80:]):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="damaged or truncated"):
            read(path)


def test_error_message_names_an_unreadable_path(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*nowhere: No such file"):
        read(tmp_path / "nowhere")
    with pytest.raises(UserError, match="cannot read"):
        read(tmp_path)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_lines(size):
    data = b"one 1\r\n\ntwo 2\nlast"
    blocks = [data[i : i + size] for i in range(0, len(data), size)]
    assert list(containers.lines(blocks, "list")) == [(1, b"one 1"), (2, b""), (3, b"two 2"), (4, b"last")]
