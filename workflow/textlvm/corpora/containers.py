"""Reading texts out of files, compressed files and archives as streams of blocks of bytes.

What a file is, is decided by its first bytes, not by its name. Nothing is ever unpacked to disk, and
links, folders and devices inside an archive are passed over.
"""

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, Any

from textlvm.errors import UserError

__all__ = ["lines", "texts"]

BLOCK = 1 << 20
LONGEST_LINE = 1 << 20
DECOMPRESSORS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
ZIP_SIGNATURE = b"PK\x03\x04"
TAR_SIGNATURE, TAR_SIGNATURE_AT = b"ustar", 257
# RuntimeError is what zipfile raises for an encrypted member or an unknown way of compression.
DAMAGE = (EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, RuntimeError)
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def texts(path: Path, members: str = "*") -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield `(name, blocks)` for each text in a file: plain, gz, bz2, xz, zip, or tar in any of these.

    From an archive come the regular members whose whole name matches the shell pattern `members`, in the
    archive's order and without hidden ones; the blocks of one must be read before the next is asked for.
    A plain or compressed file is one text. `name` says where the text is, for error messages. Raises
    `UserError` if the file cannot be read, is damaged or is UTF-16, or if no member matches.
    """
    found = False
    with _reported(path), path.open("rb") as file:
        for member, stream in _streams(file):
            if member is None or _wanted(member, members):
                found = True
                name = str(path) if member is None else f"{path}, {member}"
                yield name, _blocks(stream, name, path)
    if not found:
        raise UserError(
            f"{path}: no file in this archive matches '{members}'; correct `members` of its corpus"
        )


def lines(blocks: Iterable[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """Yield `(number, line)` from 1 on, without line ends, whether LF or CRLF.

    Raises `UserError` at a line of more than 1 MiB: memory stays bounded, and it is no list of words.
    """
    number = 1
    rest = b""
    for block in blocks:
        *complete, rest = (rest + block).split(b"\n")
        for line in complete:
            yield number, line.removesuffix(b"\r")
            number += 1
        if len(rest) > LONGEST_LINE:
            raise UserError(
                f"{name}, line {number}: longer than {LONGEST_LINE:,} bytes; is this a list of words?"
            )
    if rest:
        yield number, rest.removesuffix(b"\r")


def _streams(file: IO[bytes]) -> Iterator[tuple[str | None, IO[bytes]]]:
    """Streams of an archive's regular members with their names, or the one stream of any other file."""
    head = _head(file, 6)
    if head.startswith(ZIP_SIGNATURE):
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                if not entry.is_dir():
                    with archive.open(entry) as stream:
                        yield entry.filename, stream
        return
    stream = next((open_(file) for magic, open_ in DECOMPRESSORS.items() if head.startswith(magic)), file)
    if _head(stream, 512)[TAR_SIGNATURE_AT:].startswith(TAR_SIGNATURE):
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                if member.isreg() and (content := archive.extractfile(member)):
                    yield member.name, content
    else:
        yield None, stream


def _head(stream: IO[bytes], size: int) -> bytes:
    head = stream.read(size)
    stream.seek(0)
    return head


def _wanted(name: str, members: str) -> bool:
    hidden = any(part.startswith(".") and part != "." for part in PurePosixPath(name).parts)
    return not hidden and not name.startswith("__MACOSX/") and fnmatchcase(name, members)


def _blocks(stream: IO[bytes], name: str, path: Path) -> Iterator[bytes]:
    with _reported(path):
        block = stream.read(BLOCK)
        if block.startswith(UTF_16_MARKS):
            raise UserError(f"{name} is UTF-16 text; convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)")
        while block:
            yield block
            block = stream.read(BLOCK)


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    try:
        yield
    except (*DAMAGE, OSError) as error:
        # The decompressors raise an OSError of their own, without a system error number.
        if isinstance(error, OSError) and error.errno is not None:
            raise UserError(f"cannot read {path}: {error.strerror}") from error
        reason = str(error) or type(error).__name__
        raise UserError(f"{path} is damaged or cut short ({reason}); remove it and fetch it again") from error
