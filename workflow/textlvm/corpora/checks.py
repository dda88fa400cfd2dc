"""Verification of a file by the registry's digests, or by those of its first download.

If the registry has no digest of a file, that of the first download is recorded next to it, in
`NAME.lock.json`. Each file has a separate record, because downloads run in parallel.
"""

import hashlib
from pathlib import Path

from textlvm.corpora.registry import SourceFile
from textlvm.runtime import files
from textlvm.runtime.errors import UserError

__all__ = ["mismatch", "read_record", "record_path", "write_record"]

WEB_PAGE = (b"<!doctype html", b"<html")


def mismatch(path: Path, source: SourceFile) -> str | None:
    """Return how a file differs from its known size and digests, as a clause; None if it is identical."""
    difference = _difference(path, source)
    if (difference or not source.hashes) and _is_web_page(path):
        return "it is a web page"
    return difference


def record_path(path: Path) -> Path:
    """Return the path of the record of the first download of `path`."""
    return path.with_name(f"{path.name}.lock.json")


def read_record(path: Path) -> SourceFile | None:
    """Return the size and digest of the first download of `path`; None without a record.

    Raises `UserError` if the record is damaged.
    """
    place = record_path(path)
    if not place.exists():
        return None
    try:
        entry = files.read_json(place)
        return SourceFile(path.name, hashes={"sha256": str(entry["sha256"])}, bytes=int(entry["bytes"]))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{place} does not contain the digest of the first download: remove it, and the next one "
            "is recorded"
        ) from error


def write_record(path: Path, content: Path, url: str) -> None:
    """Record the digest of the first download of `path`, whose bytes are in `content`, and its `url`."""
    entry = {"sha256": _digest(content, "sha256"), "bytes": content.stat().st_size, "url": url}
    files.write_json(record_path(path), entry)


def _difference(path: Path, source: SourceFile) -> str | None:
    size = path.stat().st_size
    if source.bytes is not None and size != source.bytes:
        return f"it has {size:,} bytes, not {source.bytes:,}"
    for algorithm, expected in source.hashes.items():
        digest = _digest(path, algorithm)
        if digest != expected:
            return f"its {algorithm} is {digest}, not {expected}"
    return None


def _digest(path: Path, algorithm: str) -> str:
    """Return the digest of a file; `git_blob` is the SHA-1 of a header with its size and its bytes."""
    with path.open("rb") as file:
        if algorithm != "git_blob":
            return hashlib.file_digest(file, algorithm).hexdigest()
        digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
        while block := file.read(1 << 20):
            digest.update(block)
        return digest.hexdigest()


def _is_web_page(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(1 << 10).removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(WEB_PAGE)
