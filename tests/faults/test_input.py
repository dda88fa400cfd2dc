"""Texts, archives and pickles as nobody should write them: a defined result, or one sentence."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import stat
import tarfile
import tracemalloc
import zipfile
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textlvm.corpora import containers
from textlvm.corpora.counting import count, read_counts, write_counts
from textlvm.corpora.documentation import Docstring, prose
from textlvm.corpora.tokens import decode
from textlvm.corpora.vocabulary import VocabularySettings, vocabulary
from textlvm.errors import UserError
from textlvm.sentences import data
from textlvm.sentences.prepare import prepare
from textlvm.sentences.prose import question, sentences
from textlvm.sentences.questions import read_pickle, read_triples
from textlvm.sentences.sources import records

MIB = 1 << 20
# Without a date, so that the same texts make the same bytes.
COMPRESS = {"gz": partial(gzip.compress, mtime=0), "bz2": bz2.compress, "xz": lzma.compress}


def tar(*members: tuple[str, bytes] | tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                entry = tarfile.TarInfo(member[0])
                entry.size = len(member[1])
                archive.addfile(entry, io.BytesIO(member[1]))
    return buffer.getvalue()


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members:
            entry = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def special(kind: bytes, name: str = "a.txt", link: str = "/etc/passwd") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, link
    return entry


def in_zip(mode: int, name: str = "a.txt") -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    return entry


def sentence(error: pytest.ExceptionInfo[UserError]) -> str:
    text = str(error.value)
    assert text.isprintable()
    return text


@pytest.fixture
def path(tmp_path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder" / "source"


def read(path: Path, content: bytes, members: str = "*") -> list[tuple[str, bytes]]:
    path.write_bytes(content)
    before = set(path.parents[1].rglob("*"))
    found = [
        (name.removeprefix(f"{path}, "), b"".join(blocks)) for name, blocks in containers.texts(path, members)
    ]
    assert set(path.parents[1].rglob("*")) == before, "something was unpacked to disk"
    return found


TEXT = ("b.txt", b"One two.")
OUTSIDE = [
    *("../a.txt", "x/../../a.txt", "/a.txt", "/etc/passwd", "..\\a.txt", "\\a.txt", "C:\\a.txt", "C:/a.txt"),
    *("x/..", "//server/a.txt"),
]
HIDDEN = [".a.txt", "x/.git/a.txt", "x/._a.txt", "__MACOSX/a.txt"]
KINDS = [
    *(tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)
]
MODES = [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR]


def pass_over(path: Path, members: str = "*", binary: bool = False) -> None:
    for _, blocks in containers.texts(path, members, binary):
        deque(blocks, maxlen=0)


class TestMembers:
    @pytest.mark.parametrize("name", OUTSIDE)
    @pytest.mark.parametrize("pack", [tar, zipped])
    def test_names_that_lead_out_are_passed_over_and_told(self, path, pack, name, caplog):
        assert read(path, pack((name, b"harm"), TEXT)) == [TEXT]
        # zipfile cuts names at nothing and turns no slashes here.
        assert f"{path}: passed over {name}, which leads out of the archive" in caplog.text

    @pytest.mark.parametrize("name", HIDDEN)
    @pytest.mark.parametrize("pack", [tar, zipped])
    def test_hidden_ones_are_passed_over(self, path, pack, name, caplog):
        assert read(path, pack((name, b"harm"), TEXT)) == [TEXT]
        assert caplog.text == ""

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
        with pytest.raises(UserError, match=r"a\.gz is no text: \d+% of its first bytes are control"):
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
    with pytest.raises(UserError, match="damaged or cut short"):
        read(path, bytes(damaged))
    with pytest.raises(UserError, match="damaged or cut short"):
        read(path, whole[: 1024 + 300])


class TestPickle:
    """Nothing but dicts, lists, tuples, texts, bytes and numbers comes out of a pickle, whatever is in it."""

    @staticmethod
    def refused(path, content: bytes) -> str:
        path.write_bytes(content)
        with pytest.raises(UserError) as error:
            list(read_pickle(path, "test"))
        text = sentence(error)
        assert len(text) < 600
        return text

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"cos\nsystem\n(S'touch harm'\ntR.", "it asks for os.system"),
            (b'cbuiltins\neval\n(S\'open("harm", "w")\'\ntR.', "it asks for builtins.eval"),
            (b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x0atouch harm\x85R.", "it asks for posix.system"),
            (b"(S'touch harm'\nios\nsystem\n.", "it asks for os.system"),
            (b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n.", "asks for numpy.core.multiarray._reconstr"),
            (b"\x80\x02ccollections\nOrderedDict\n)R.", "it asks for collections.OrderedDict"),
            (b"P1\n.", "it has the instruction PERSID"),
            (b"\x80\x02K\x01Q.", "it has the instruction BINPERSID"),
            (b"\x80\x02\x82\x01.", "it has the instruction EXT1"),
            (b"\x80\x02}}b.", "it has the instruction BUILD"),
            (b"\x80\x02]]R.", "it has the instruction REDUCE"),
            (b"\x80\x02])\x81.", "it has the instruction NEWOBJ"),
            (b"\x80\x04\x8f.", "it has the instruction EMPTY_SET"),
            (b"\x80\x05\x97.", "it has the instruction NEXT_BUFFER"),
            (b"\xfe", "it has the instruction 254"),
        ],
    )
    def test_no_function_is_called(self, path, content, reason, monkeypatch):
        monkeypatch.chdir(path.parent)
        assert reason in self.refused(path, content)
        assert [child.name for child in path.parent.iterdir()] == ["source"]

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"\x80\x05\x96" + (1 << 40).to_bytes(8, "little") + b".", "BYTEARRAY8"),
            (b"\x80\x04\x8e" + (1 << 40).to_bytes(8, "little") + b".", "EOFError"),
            (b"\x80\x04\x8d" + (1 << 63).to_bytes(8, "little") + b".", "exceeds system's maximum size"),
            (b"\x80\x02T\xff\xff\xff\x7f.", "EOFError"),
            (b"\x80\x02T\xff\xff\xff\xff.", "negative byte count"),
            (b"\x80\x02\x8b\xff\xff\xff\x7f.", "EOFError"),
            (b"L" + b"9" * 5000 + b"L\n.", "limit"),
            (b"\x80\x02" + b"(" * 1000 + b".", "it nests more than 100 containers"),
            (b"\x80\x02}" + b")" + b"\x85" * 200_000 + b"Ns.", "it has a key that is a container"),
            (b"\x80\x02}(" + b")" + b"\x85" * 200_000 + b"Nu.", "it has a key that is a container"),
            (b"\x80\x02(" + b")" + b"\x85" * 200_000 + b"Nd.", "it has a key that is a container"),
        ],
    )
    def test_no_room_is_made_for_what_is_not_there(self, path, content, reason):
        tracemalloc.start()
        text = self.refused(path, content)
        assert reason in text
        assert tracemalloc.get_traced_memory()[1] < 100 * MIB
        tracemalloc.stop()

    def test_a_memo_of_any_size(self, path):
        """Python's unpickler in C makes room for all numbers up to the one that a pickle names."""
        path.write_bytes(b"\x80\x02}r\xff\xff\xff\xff" + pickle.dumps({"test": {"q": [["a", 1]]}}, 2)[2:])
        tracemalloc.start()
        assert len(list(read_pickle(path, "test"))) == 1
        assert tracemalloc.get_traced_memory()[1] < 10 * MIB
        tracemalloc.stop()

    @pytest.mark.parametrize("byte", [b"]", b"}", b"N\x85", b"\x94", b"N\x94"])
    def test_memory_is_bounded_by_what_is_built(self, path, byte, monkeypatch):
        monkeypatch.setattr("textlvm.sentences.plain_pickle.MOST_BUILT", 10_000)
        assert "it builds more than 10,000 things" in self.refused(path, b"\x80\x04N" + byte * 20_000 + b".")

    def test_so_is_the_size(self, path, monkeypatch):
        monkeypatch.setattr("textlvm.sentences.plain_pickle.LARGEST", 10_000)
        assert "has more than 10,000 bytes" in self.refused(path, b"x" * 10_001)

    def test_lists_in_lists_without_end(self, path):
        deep = b"]" * 200_000 + b"a" * 199_999
        assert "found a list in it" in self.refused(path, b"\x80\x02" + deep + b".")
        inside = b"\x80\x02}U\x04test}U\x01q" + deep + b"ss."
        assert "found 1 things together" in self.refused(path, inside)

    def test_a_list_that_holds_itself(self, path):
        assert "found a list in it" in self.refused(path, b"\x80\x02]q\x00h\x00a.")
        inside = b"\x80\x02}U\x04test}U\x01q]q\x00(h\x00K\x01ess."
        assert "found a list in it" in self.refused(path, inside)

    def test_one_list_at_many_places(self, path):
        """A thousand questions that share a list of a thousand answers, of ten thousand letters."""
        answers = [["a" * 10_000, 0]] * 1000
        content = pickle.dumps({"test": {str(i): answers for i in range(1000)}})
        assert len(content) < 100_000
        assert "says the same again and again" in self.refused(path, content)

    def test_halves_of_characters_can_be_written(self, path, tmp_path):
        answers = [["\ud800 yes", 1], ["no\udfff", 0]]
        path.write_bytes(pickle.dumps({s: {"q \ud800": answers} for s in ("train", "valid", "test")}))
        entry = {"corpus": "c", "format": "pickle", "members": {s: s for s in ("train", "valid", "test")}}
        prepare("yahoocqa", entry, dict.fromkeys(("train", "valid", "test"), path), tmp_path / "data")
        assert "q ?" in (tmp_path / "data" / "questions.json").read_text(encoding="utf-8")


# ---- what a file of text can be, in every format

VALID = {
    "text": "Tick, tock.\nIt's café time.\n",
    "counts": "tick 2\ntock 1\ncafé 3\n",
    "lines": "tick tock\nit 's café time\n",
    "labelled": "1\ttick tock\n2 it 's café time\n",
    "wikitext": " = Time = \n \n tick tock \n it 's café time \n",
    "triples": "is it#yes#1\nis it#café#0\n",
}
WORDS = ("text", "counts")
SENTENCES = ("lines", "labelled", "wikitext", "triples")


def found(path: Path, form: str) -> object:
    """What a file holds, read as one of the formats."""
    if form in WORDS:
        return count(path, form)
    if form == "triples":
        return list(read_triples(path))
    return list(records(path, form))


def prepared(path: Path, form: str, out: Path) -> set[str]:
    """The words of a data set whose every split is from this file; what was written can be read again."""
    entry = {"corpus": "c", "format": form}
    if form == "pickle":
        entry["members"] = {"train": "train", "valid": "train", "test": "train"}
    prepare("yahoocqa", entry, dict.fromkeys(("train", "valid", "test"), path), out)
    known = data.read_vocabulary(out)
    if form in ("triples", "pickle"):
        return set(known.tokens)
    sentences = data.load(out, "train")
    assert len(sentences)
    return {word for codes in sentences for word in known.decode(codes)}


@pytest.mark.parametrize("form", VALID)
class TestText:
    @pytest.mark.parametrize(
        "content",
        [b"", b"\n", b"\r\n \t\r\n", b"\xef\xbb\xbf", b"\0"],
        ids=["empty", "LF", "blank", "BOM", "NUL"],
    )
    def test_nothing_is_a_sentence(self, path, tmp_path, form, content):
        path.write_bytes(content)
        with pytest.raises(UserError) as error:
            _ = count(path, form) if form in WORDS else prepared(path, form, tmp_path / "data")
        assert sentence(error).startswith(f"{path} ")

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
    def test_what_says_the_same_reads_the_same(self, path, form, change):
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
    def test_binary_is_a_sentence(self, path, form, content):
        path.write_bytes(content)
        with pytest.raises(
            UserError, match=r"source is no text: \d+% of its first bytes are control"
        ) as error:
            found(path, form)
        sentence(error)

    def test_utf_16_is_a_sentence(self, path, form):
        path.write_bytes(VALID[form].encode("utf-16"))
        with pytest.raises(UserError, match="source is UTF-16 text; convert it to UTF-8 first"):
            found(path, form)

    def test_nul_separates(self, path, form):
        text = (VALID[form] * 9).encode()
        space = b" 2" if form == "counts" else b" tock" if b" tock" in text else b" it"
        path.write_bytes(text)
        expected = found(path, form)
        path.write_bytes(text.replace(space, b"\0" + space[1:], 1))
        assert found(path, form) == expected

    def test_a_gigabyte_in_a_line(self, path, tmp_path, form):
        """A sparse file: only the first block is on the disk."""
        path.write_bytes(VALID[form].encode() + b"x" * (2 * MIB))
        os.truncate(path, 1 << 30)
        tracemalloc.start()
        try:
            if form == "text":
                assert count(path)["tick"] == 1
            else:
                with pytest.raises(UserError, match=r"source, line \d: longer than 1,048,576 bytes") as error:
                    found(path, form)
                sentence(error)
            assert tracemalloc.get_traced_memory()[1] < 100 * MIB
        finally:
            tracemalloc.stop()


def test_a_corpus_without_admissible_words():
    with pytest.raises(UserError, match="no word of 2 to 12 letters occurs 10 times or more"):
        vocabulary({"1999": 10**6, "it's": 10**6, "a": 10**6, "rare": 9}, VocabularySettings())


def test_counts_that_no_number_holds(path):
    path.write_text("tick 999999999999999999\nTick 1\n")
    with pytest.raises(UserError, match="source, line 2: counts of 'tick' add up to more than 999,999,"):
        count(path, "counts")


# ---- bytes that nobody wrote

FUZZ = [150, pytest.param(2000, marks=pytest.mark.faults)]
WORD = st.sampled_from(
    ["a", "b", "the", "1", "0", "#", "=", "é", "\ufeff", "\0", "\x85", "\u2028", "\ud7ff", "'"]
)
LINE = st.lists(WORD | st.text(max_size=3), max_size=8).map(" ".join)
TEXTS = st.lists(LINE, max_size=8).map("\n".join).map(lambda text: text.encode(errors="replace"))


@st.composite
def altered(draw, contents: st.SearchStrategy[bytes]) -> bytes:
    """Valid bytes, of which some are changed, cut out, doubled or put in."""
    content = bytearray(draw(contents))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        size = draw(st.integers(0, 40))
        instead = draw(st.binary(max_size=6) | st.just(bytes(content[at : at + size]) * 2))
        content[at : at + size] = instead
    return bytes(content)


PACKED = st.builds(
    lambda pack, outer, name, text: outer(pack((name, text))),
    st.sampled_from([tar, zipped, lambda member: member[1]]),
    st.sampled_from([bytes, *COMPRESS.values()]),
    st.sampled_from(["a.txt", "../a", "x/" * 60 + "a.txt", "é" * 120, "a.pkl"]),
    TEXTS,
)
TEXT_OR_BYTES = st.binary(max_size=300) | altered(
    TEXTS | st.sampled_from([t.encode() for t in VALID.values()])
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(st.tuples(st.text(max_size=5) | PLAIN, st.sampled_from([0, 1, "1", None])), max_size=3)
SPLITS = st.dictionaries(
    st.sampled_from(["train", "test", b"train", 3]),
    PLAIN | st.dictionaries(st.text(max_size=3), ROWS),
    max_size=3,
)
PICKLED = st.builds(pickle.dumps, SPLITS, st.integers(0, pickle.HIGHEST_PROTOCOL))


def fuzz(strategy: st.SearchStrategy[bytes], examples: int, act: Callable[[bytes], object]) -> None:
    """Whatever the bytes, `act` does not fail but with a sentence."""

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def run(content: bytes) -> None:
        said = ""
        try:
            act(content)
        except UserError as error:
            said = str(error)
        assert "\n" not in said
        assert len(said) < 1000

    run()


@pytest.mark.parametrize("examples", FUZZ)
class TestFuzz:
    @pytest.fixture(autouse=True)
    def _unsynced(self, monkeypatch):
        """What is read and refused does not depend on the disk, which would take most of the time."""
        monkeypatch.setattr(os, "fsync", lambda _: None)

    def test_containers(self, path, examples):
        def act(content: bytes) -> None:
            path.write_bytes(content)
            pass_over(path)

        fuzz(altered(PACKED) | st.binary(max_size=700), examples, act)

    @pytest.mark.parametrize("form", WORDS)
    def test_words(self, path, examples, form):
        def act(content: bytes) -> None:
            path.write_bytes(content)
            counts = count(path, form)
            write_counts(path, counts)
            assert read_counts(path) == counts
            vocabulary(counts, VocabularySettings(1, 5, 1))

        fuzz(TEXT_OR_BYTES | altered(PACKED), examples, act)

    def test_books(self, path, examples):
        marks = st.sampled_from(
            [b"*** START OF THE PROJECT GUTENBERG EBOOK X ***", b"\n*** END OF THE PROJECT GUTENBERG"]
        )
        books = st.lists(marks | TEXTS, max_size=6).map(b"\n".join)

        def act(content: bytes) -> None:
            path.write_bytes(content)
            count(path, cleaning="gutenberg")

        fuzz(altered(books), examples, act)

    @pytest.mark.parametrize("form", SENTENCES)
    def test_sentences(self, path, tmp_path, examples, form):
        def act(content: bytes) -> None:
            path.write_bytes(content)
            prepared(path, form, tmp_path / "data")

        fuzz(TEXT_OR_BYTES | altered(PACKED), examples, act)

    def test_pickles(self, path, tmp_path, examples):
        def act(content: bytes) -> None:
            path.write_bytes(content)
            prepared(path, "pickle", tmp_path / "data")

        fuzz(PICKLED | altered(PICKLED) | st.binary(max_size=60), examples, act)

    def test_docstrings(self, examples):
        """Whatever packages say in them, whole words come out."""

        def act(content: bytes) -> None:
            text = decode(content)
            for found in sentences(prose(text)):
                assert all(token and not token.isspace() for token in found)
            asked = question(Docstring(text, "method", "m", "python", text))
            assert asked is None or all(word.isalnum() for word in asked)

        fuzz(TEXTS | altered(st.just(sentences.__doc__.encode())), examples, act)
