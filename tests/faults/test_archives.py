"""Archives as nobody should write them: what is harmless in them is read, or one sentence."""

import gzip
import io
import lzma
import os
import stat
import tarfile
import tracemalloc

import pytest

from faults.packed import COMPRESS, MIB, in_zip, pass_over, read, sentence, special, tar, zipped
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
    def test_names_that_lead_out_are_passed_over_and_told(self, path, pack, name, caplog):
        assert read(path, pack((name, b"harm"), TEXT)) == [TEXT]
        # zipfile cuts names at nothing and turns no slashes here.
        assert f"{path}: skipped {name}, which points outside the archive" in caplog.text

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_is_no_file_is_passed_over_in_tar(self, path, kind):
        assert read(path, tar(special(kind), TEXT)) == [TEXT]

    @pytest.mark.parametrize("mode", MODES)
    def test_and_in_zip(self, path, mode):
        assert read(path, zipped((in_zip(mode | 0o777), b"/etc/passwd"), TEXT)) == [TEXT]

    def test_a_link_to_a_member_is_not_read_twice(self, path):
        assert read(path, tar(TEXT, special(tarfile.LNKTYPE, "a.txt", "b.txt"))) == [TEXT]

    def test_an_archive_of_nothing_else_is_a_sentence(self, path):
        with pytest.raises(UserError, match=r"no file in this archive matches '\*'; correct `members`"):
            read(path, tar(special(tarfile.SYMTYPE), ("../a.txt", b"harm")))

    def test_names_do_not_reach_the_terminal_as_they_are(self, path):
        path.write_bytes(tar(("a\n\x1b[2J.txt", b"a 1\nb\n")))
        with pytest.raises(UserError, match=r"a\?\?\[2J\.txt, line 2: expected `word count`") as error:
            count(path, "counts")
        sentence(error)

    def test_an_archive_in_an_archive_is_no_text(self, path):
        with pytest.raises(UserError, match=r"a\.gz is not text: \d+% of its first bytes are control"):
            read(path, tar(("a.gz", gzip.compress(os.urandom(4096)))))


class TestBombs:
    """A file that unpacks to more than 1,000 times its size, read to the end or passed over."""

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
    def test_compressed(self, path, form, size, members, pack):
        path.write_bytes(COMPRESS[form](pack(self.SPACES[:size])))
        with pytest.raises(UserError, match=self.REFUSED) as error:
            pass_over(path, members)
        sentence(error)

    def test_zip(self, path):
        path.write_bytes(zipped(("a.txt", self.SPACES)))
        with pytest.raises(UserError, match=self.REFUSED):
            count(path)

    def test_zip_of_many(self, path):
        path.write_bytes(zipped(*((f"{i}.txt", self.SPACES[: 8 * MIB]) for i in range(4))))
        with pytest.raises(UserError, match=self.REFUSED):
            count(path)

    def test_a_file_of_holes(self, path):
        """Two terabytes of nothing in a tar archive of 10 KiB, which tarfile reads as zeros."""
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
    def test_a_header_without_end(self, path, kind):
        entry = special(kind)
        entry.size = 1 << 35
        header = entry.tobuf(tarfile.GNU_FORMAT)
        path.write_bytes(gzip.compress(header + os.urandom(8 * MIB)))
        with pytest.raises(UserError, match="header with 34,359,738,368 bytes"):
            count(path)

    def test_a_million_members(self, path):
        """Headers are not kept: a thousand bytes for each would come together."""
        path.write_bytes(tar(("a.txt", b""))[:512] * 5_000 + bytes(1024))
        pass_over(path)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        pass_over(path)
        assert tracemalloc.get_traced_memory()[1] - before < 3 * MIB

    def test_what_compresses_well_but_less_is_text(self, path):
        path.write_bytes(gzip.compress(b"tick tock " * MIB))
        assert count(path) == {"tick": MIB, "tock": MIB}
        path.write_bytes(lzma.compress(b" tick" * 200_000))
        assert count(path) == {"tick": 200_000}, "less than 1 MiB is always in order"


def test_a_damaged_header_is_not_the_end(path):
    whole = tar(TEXT, ("c.txt", b"Three."), ("d.txt", b"Four."))
    damaged = bytearray(whole)
    damaged[1024 + 150] ^= 0xFF
    with pytest.raises(UserError, match="damaged or truncated"):
        read(path, bytes(damaged))
    with pytest.raises(UserError, match="damaged or truncated"):
        read(path, whole[: 1024 + 300])
