"""The files of a folder of texts, and the shares that jobs count."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

__all__ = ["Listing", "Share", "listing", "shares"]

MAX_SHARES = 16
"""Maximum number of jobs that count one folder."""
MIN_BYTES = 100_000_000
"""Minimum size of a share; smaller jobs would spend most of their time starting Python."""


@dataclass(frozen=True)
class Listing:
    """The content of a folder and its subfolders, by relative path with slashes, in alphabetical order."""

    sizes: dict[str, int]
    """Bytes of each regular file."""
    links: tuple[str, ...]
    """Symbolic links, which are not followed."""

    def between(self, first: str, end: str) -> list[str]:
        """The names of files that are `first` or later, and before `end` unless it is empty."""
        return [name for name in self.sizes if first <= name and (not end or name < end)]


@dataclass(frozen=True)
class Share:
    """The files of a folder that one job counts: a range of names.

    A file that is added while jobs are running is in one share at most.
    """

    first: str
    """The first name; empty in the first share."""
    end: str
    """The first name after the share; empty in the last share."""
    names: tuple[str, ...]
    """The names of its files when it was created."""


def listing(folder: Path) -> Listing:
    """List the regular files and the links below `folder`; as in archives, hidden ones are skipped.

    Raises `OSError` if the folder, or one in it, cannot be read.
    """
    entries = sorted(_entries(folder, ""))
    return Listing(
        {name: size for name, size in entries if size is not None},
        tuple(name for name, size in entries if size is None),
    )


def shares(sizes: dict[str, int], max_shares: int = MAX_SHARES, min_bytes: int = MIN_BYTES) -> list[Share]:
    """Divide files into at most `max_shares` shares of similar size and at least `min_bytes`.

    `sizes` are those of a `Listing`.

    >>> [share.names for share in shares({"a": 3, "b": 1, "c": 2, "d": 4}, min_bytes=4)]
    [('a', 'b'), ('c', 'd')]
    """
    total = sum(sizes.values())
    count = max(1, min(max_shares, total // min_bytes))
    groups: dict[int, list[str]] = {}
    before = 0
    for name, size in sizes.items():
        # The share that contains the middle of the file.
        place = (2 * before + size) * count // (2 * total) if total else 0
        groups.setdefault(min(place, count - 1), []).append(name)
        before += size
    bounds = ["", *[names[0] for names in groups.values()][1:], ""]
    return [
        Share(first, end, tuple(names))
        for (first, end), names in zip(pairwise(bounds), groups.values(), strict=True)
    ]


def _entries(folder: Path | str, prefix: str) -> Iterator[tuple[str, int | None]]:
    """Yield the names and sizes of files below a folder; the size of a link is None."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{prefix}{entry.name}"
            if entry.name.startswith(".") or name == "__MACOSX":
                continue
            if entry.is_symlink():
                yield name, None
            elif entry.is_dir():
                yield from _entries(entry.path, f"{name}/")
            elif entry.is_file():
                yield name, entry.stat().st_size
