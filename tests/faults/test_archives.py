"""Hostile and damaged archives: harmless members are read, everything else gives one error message."""

import gzip
import io
import lzma
import os
import stat
import tarfile
import tracemalloc

import pytest

from faults.packed import COMPRESS, MIB, message_of, pass_over, read, special_member, tar, zip_member, zipped
from textlvm.corpora.counting import count
from textlvm.runtime.errors import UserError

TEXT = ("b.txt", b"One two.")
OUTSIDE = [
    *("../a.txt", "x/../../a.txt", "/a.txt", "/etc/passwd", "..\\a.txt", "\\a.txt", "C:\\a.txt", "C:/a.txt"),
    *("x/..", "//server/a.txt"),
]
KINDS = [
    *(tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)
]
MODES = [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR]


class TestMembers:
    @pytest.mark.parametrize("name", OUTSIDE)
    @pytest.mark.parametrize("pack", [tar, zipped])
    def test_members_outside_the_archive_are_skipped_with_a_warning(self, path, pack, name, caplog):
        assert read(path, pack((name, b"harm"), TEXT)) == [TEXT]
        # zipfile does not truncate these names or change their slashes.
        assert f"{path}: skipped {name}, which points outside the archive" in caplog.text

    @pytest.mark.parametrize("kind", KINDS)
    def test_special_members_of_tar_are_skipped(self, path, kind):
        assert read(path, tar(special_member(kind), TEXT)) == [TEXT]

    @pytest.mark.parametrize("mode", MODES)
    def test_special_members_of_zip_are_skipped(self, path, mode):
        assert read(path, zipped((zip_member(mode | 0o777), b"/etc/passwd"), TEXT)) == [TEXT]

    def test_link_to_a_member_is_not_read_twice(self, path):
        assert read(path, tar(TEXT, special_member(tarfile.LNKTYPE, "a.txt", "b.txt"))) == [TEXT]

    def test_archive_without_valid_members_is_refused(self, path):
        with pytest.raises(UserError, match=r"no file in this archive matches '\*'; correct `members`"):
            read(path, tar(special_member(tarfile.SYMTYPE), ("../a.txt", b"harm")))

    def test_control_characters_of_names_are_not_printed(self, path):
        path.write_bytes(tar(("a\n\x1b[2J.txt", b"a 1\nb\n")))
        with pytest.raises(UserError, match=r"a\?\?\[2J\.txt, line 2: expected `word count`") as error:
            count(path, "counts")
        message_of(error)

    def test_nested_archive_is_not_read_as_text(self, path):
        with pytest.raises(UserError, match=r"a\.gz is not text: \d+% of its first bytes are control"):
            read(path, tar(("a.gz", gzip.compress(os.urandom(4096)))))


class TestBombs:
    """A file that unpacks to more than 1,000 times its size is refused, also if the member is skipped."""

    SPACES = b" " * (32 * MIB)
    REFUSED = "unpacks to more than 1,000 times its size"

    @pytest.fixture(autouse=True)
    def _bounded(self):
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        yield
        assert tracemalloc.get_traced_memory()[1] - before < 200 * MIB
        tracemalloc.stop()

    @pytest.mark.parametrize(("form", "size"), [("gz", 32 * MIB), ("bz2", 2 * MIB), ("xz", 2 * MIB)])
    @pytest.mark.parametrize("members", ["*", "other.txt"])
    @pytest.mark.parametrize("pack", [bytes, lambda text: tar(("a.txt", text))], ids=["text", "tar"])
    def test_compressed_bomb(self, path, form, size, members, pack):
        path.write_bytes(COMPRESS[form](pack(self.SPACES[:size])))
        with pytest.raises(UserError, match=self.REFUSED) as error:
            pass_over(path, members)
        message_of(error)

    def test_zip_bomb(self, path):
        path.write_bytes(zipped(("a.txt", self.SPACES)))
        with pytest.raises(UserError, match=self.REFUSED):
            count(path)

    def test_zip_bomb_of_many_members(self, path):
        path.write_bytes(zipped(*((f"{i}.txt", self.SPACES[: 8 * MIB]) for i in range(4))))
        with pytest.raises(UserError, match=self.REFUSED):
            count(path)

    def test_sparse_member(self, path):
        """A sparse member of two terabytes in a tar archive of 10 KiB, which tarfile reads as zeros."""
        entry = tarfile.TarInfo("a.txt")
        entry.pax_headers = {
            "GNU.sparse.major": "0",
            "GNU.sparse.minor": "1",
            "GNU.sparse.name": "a.txt",
            "GNU.sparse.size": str(1 << 41),
            "GNU.sparse.map": f"{1 << 41},0",
        }
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            archive.addfile(entry)
        path.write_bytes(buffer.getvalue())
        with pytest.raises(UserError, match=self.REFUSED):
            pass_over(path, binary=True)

    @pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
    def test_huge_header_is_refused(self, path, kind):
        entry = special_member(kind)
        entry.size = 1 << 35
        header = entry.tobuf(tarfile.GNU_FORMAT)
        path.write_bytes(gzip.compress(header + os.urandom(8 * MIB)))
        with pytest.raises(UserError, match="header with 34,359,738,368 bytes"):
            count(path)

    def test_memory_is_independent_of_the_number_of_members(self, path):
        """Headers are not kept in memory, which would take a thousand bytes each."""
        path.write_bytes(tar(("a.txt", b""))[:512] * 5_000 + bytes(1024))
        pass_over(path)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        pass_over(path)
        assert tracemalloc.get_traced_memory()[1] - before < 3 * MIB

    def test_well_compressed_text_is_read(self, path):
        path.write_bytes(gzip.compress(b"tick tock " * MIB))
        assert count(path) == {"tick": MIB, "tock": MIB}
        path.write_bytes(lzma.compress(b" tick" * 200_000))
        assert count(path) == {"tick": 200_000}, "less than 1 MiB is always accepted"


def test_damaged_header_is_not_taken_for_the_end(path):
    whole = tar(TEXT, ("c.txt", b"Three."), ("d.txt", b"Four."))
    damaged = bytearray(whole)
    damaged[1024 + 150] ^= 0xFF
    with pytest.raises(UserError, match="damaged or truncated"):
        read(path, bytes(damaged))
    with pytest.raises(UserError, match="damaged or truncated"):
        read(path, whole[: 1024 + 300])
