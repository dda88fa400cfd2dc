"""Functions that create archives and texts, and read them."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections import deque
from functools import partial
from pathlib import Path

import pytest

from textlvm.corpora import containers
from textlvm.corpora.counting import count
from textlvm.runtime.errors import UserError
from textlvm.sentences.data import prepared as data
from textlvm.sentences.data.prepare import prepare
from textlvm.sentences.data.questions import read_triples
from textlvm.sentences.data.sources import records

MIB = 1 << 20
# Without a date, so that the bytes are deterministic.
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


def special_member(kind: bytes, name: str = "a.txt", link: str = "/etc/passwd") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, link
    return entry


def zip_member(mode: int, name: str = "a.txt") -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    return entry


def message_of(error: pytest.ExceptionInfo[UserError]) -> str:
    text = str(error.value)
    assert text.isprintable()
    return text


def read(path: Path, content: bytes, members: str = "*") -> list[tuple[str, bytes]]:
    path.write_bytes(content)
    before = set(path.parents[1].rglob("*"))
    found = [
        (name.removeprefix(f"{path}, "), b"".join(blocks)) for name, blocks in containers.texts(path, members)
    ]
    assert set(path.parents[1].rglob("*")) == before, "files were unpacked to disk"
    return found


def pass_over(path: Path, members: str = "*", binary: bool = False) -> None:
    for _, blocks in containers.texts(path, members, binary):
        deque(blocks, maxlen=0)


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
    """The content of a file, read in one of the formats."""
    if form in WORDS:
        return count(path, form)
    if form == "triples":
        return list(read_triples(path))
    return list(records(path, form))


def prepared(path: Path, form: str, out: Path) -> set[str]:
    """The words of a prepared data set, all splits of which are read from this file."""
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
