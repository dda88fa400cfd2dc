"""Reading of texts from plain files, compressed files and archives as streams of blocks of bytes.

The first bytes of a file, not its name, determine its format. Nothing is unpacked to disk. Members of an
archive are skipped if they are not regular files (folders, links, devices), are hidden, or have a path that
leads out of the archive. Memory is bounded for any content, and a file that unpacks to more than a thousand
times its size is rejected. So is markup, whose tags would be counted as words.
"""

import bz2
import gzip
import logging
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any, cast

from textlvm.corpora import markup
from textlvm.runtime.errors import UserError

__all__ = ["lines", "texts"]

BLOCK = 1 << 20
LONGEST_LINE = 1 << 20
MAX_UNPACKED_RATIO = 1000  # times the size of the file
MIN_UNPACKED_LIMIT = 1 << 20  # bytes that a file of any size may unpack to
LARGEST_HEADER = 1 << 20  # bytes of a tar extension header, which tarfile reads into memory
DECOMPRESSORS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
ZIP_SIGNATURE = b"PK\x03\x04"
TAR_SIGNATURE, TAR_SIGNATURE_AT = b"ustar", 257
TAR_EXTENSIONS = {
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
}
# Errors that the standard library raises for damaged files; zipfile raises RuntimeError for an encrypted
# member or an unknown compression method.
DAMAGE = (
    *(EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, RuntimeError),
    *(ValueError, ArithmeticError, LookupError, TypeError, struct.error, MemoryError),
)
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
CONTROL_CHARACTERS = bytes({*range(32), 127} - {*b"\t\n\v\f\r\x1b"})
MOST_CONTROL_CHARACTERS = 1 / 20
"""Maximum share in the first block of a text; uniformly random bytes have twice as many."""

logger = logging.getLogger(__name__)


def texts(path: Path, members: str = "*", binary: bool = False) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield `(name, blocks)` for each text in a file: plain, gz, bz2, xz, zip, or tar in any of these.

    An archive yields its regular, visible members whose whole name matches the shell pattern `members`, in
    the order of the archive; read the blocks of a member before requesting the next. A plain or compressed
    file is one text. `name` locates the text in error messages. Raises `UserError` if the file cannot be
    read, is damaged, unpacks to too much or, unless `binary`, is not plain text, or if no member matches.
    """
    matched = False
    with _user_errors(path), path.open("rb") as file:
        for member, stream in _streams(file, path):
            if member is None or _wanted(member, members, path):
                matched = True
                name = str(path) if member is None else f"{path}, {_printable(member)}"
                yield name, _blocks(stream, name, path, binary)
    if not matched:
        raise UserError(
            f"{path}: no file in this archive matches '{members}'; correct `members` of its corpus"
        )


def lines(blocks: Iterable[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """Yield `(number, line)`, counted from 1, without the line end (LF or CRLF); NUL becomes a space.

    Raises `UserError` for a line of more than 1 MiB, so that memory is bounded.
    """
    number = 1
    rest = b""
    for block in blocks:
        *complete, rest = (rest + block.replace(b"\0", b" ")).split(b"\n")
        for line in complete:
            yield number, line.removesuffix(b"\r")
            number += 1
        if len(rest) > LONGEST_LINE:
            raise UserError(
                f"{name}, line {number}: longer than {LONGEST_LINE:,} bytes; supply a file with one word or "
                "sentence per line"
            )
    if rest:
        yield number, rest.removesuffix(b"\r")


class _Bounded:
    """A stream of the unpacked content of a file, which raises `UserError` if it is too large."""

    def __init__(self, stream: "Stream", path: Path) -> None:
        self._stream, self._path = stream, path
        self._left = max(MIN_UNPACKED_LIMIT, MAX_UNPACKED_RATIO * path.stat().st_size)

    def switch(self, stream: "Stream") -> "_Bounded":
        """Continue with another stream, the next member of the same file."""
        self._stream = stream
        return self

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise UserError(
                f"{self._path} unpacks to more than {MAX_UNPACKED_RATIO:,} times its size, which is not "
                "plausible for text; supply another file"
            )
        return block

    def seek(self, place: int) -> int:
        return self._stream.seek(place)


Stream = IO[bytes] | _Bounded


class _Member(tarfile.TarInfo):
    """A header in a tar archive; unlike in tarfile, a damaged header is an error, not the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Member":
        try:
            member = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if buf.strip(b"\0"):
                raise tarfile.ReadError(str(error)) from error
            raise
        if member.size < 0 or (member.type in TAR_EXTENSIONS and member.size > LARGEST_HEADER):
            raise tarfile.ReadError(f"header with {member.size:,} bytes")
        return member


def _streams(file: IO[bytes], path: Path) -> Iterator[tuple[str | None, Stream]]:
    """Yield the names and streams of regular members of an archive, or None and the stream of a file."""
    stream: Stream = file
    head = _head(stream, 6)
    if head.startswith(ZIP_SIGNATURE):
        yield from _zip_streams(file, path)
        return
    for magic, open_ in DECOMPRESSORS.items():
        if head.startswith(magic):
            stream = _Bounded(open_(file), path)
    if _head(stream, 512)[TAR_SIGNATURE_AT:].startswith(TAR_SIGNATURE):
        yield from _tar_streams(stream, path)
    else:
        yield None, stream


def _zip_streams(file: IO[bytes], path: Path) -> Iterator[tuple[str, _Bounded]]:
    with zipfile.ZipFile(file) as archive:
        unpacked = _Bounded(file, path)
        for entry in archive.infolist():
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if kind in (0, stat.S_IFREG) and not entry.is_dir():
                with archive.open(entry) as content:
                    yield entry.filename, unpacked.switch(content)


def _tar_streams(stream: Stream, path: Path) -> Iterator[tuple[str, _Bounded]]:
    with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|", tarinfo=_Member) as archive:
        # In addition to the limit of the compressed stream, because a sparse member takes no space in it.
        unpacked = _Bounded(stream, path)
        while member := archive.next():
            archive.members.clear()  # type: ignore[attr-defined]  # tarfile would keep every header
            if member.isreg() and (content := archive.extractfile(member)):
                yield member.name, unpacked.switch(content)


def _head(stream: Stream, size: int) -> bytes:
    head = stream.read(size)
    stream.seek(0)
    return head


def _wanted(name: str, members: str, path: Path) -> bool:
    parts = re.split(r"[/\\]", name)
    if ".." in parts or not parts[0] or re.match(r"[A-Za-z]:[/\\]", name):
        logger.warning("%s: skipped %s, which points outside the archive", path, _printable(name))
        return False
    hidden = any(part.startswith(".") and part != "." for part in parts)
    return not hidden and parts[0] != "__MACOSX" and fnmatchcase(name, members)


def _blocks(stream: Stream, name: str, path: Path, binary: bool) -> Iterator[bytes]:
    with _user_errors(path):
        block = stream.read(BLOCK)
        if not binary:
            _check_text(block, name)
        while block:
            yield block
            block = stream.read(BLOCK)


def _check_text(block: bytes, name: str) -> None:
    if block.startswith(UTF_16_MARKS):
        raise UserError(f"{name} is UTF-16 text; convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)")
    if form := markup.form(block):
        raise UserError(
            f"{name} is {form}, whose tags would be counted as words; convert it to plain text, or select "
            "the texts in an archive by `members`"
        )
    control = len(block) - len(block.translate(None, CONTROL_CHARACTERS))
    if control > MOST_CONTROL_CHARACTERS * len(block):
        raise UserError(
            f"{name} is not text: {control / len(block):.0%} of its first bytes are control characters; "
            "supply plain text in UTF-8, or choose the texts in an archive by `members`"
        )


def _printable(name: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in name)


@contextmanager
def _user_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (*DAMAGE, OSError) as error:
        # Decompressors raise OSError without an error number for damaged data.
        if isinstance(error, OSError) and error.errno is not None:
            raise UserError(f"cannot read {path}: {error.strerror}") from error
        reason = str(error) or type(error).__name__
        raise UserError(
            f"{path} is damaged or truncated ({reason}); remove it and download it again"
        ) from error
