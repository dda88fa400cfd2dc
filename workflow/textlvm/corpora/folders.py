"""The files of a folder of texts, and the shares that jobs count."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

__all__ = ["Listing", "Share", "listing", "shares"]

MOST_SHARES = 16
"""Jobs that count one folder."""
LEAST_BYTES = 100_000_000
"""Of a share: with smaller ones, most of a job's time would be the start of Python."""


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
    """The files of a folder that one job counts: those from one name on, up to another one.

    A file that is added while jobs are running is in one share at most.
    """

    first: str
    """The first name; empty in the first share."""
    end: str
    """The name before which it ends; empty in the last share."""
    names: tuple[str, ...]
    """The names of its files when it was created."""


def listing(folder: Path) -> Listing:
    """The regular files and the links below `folder`; as in archives, hidden ones are left out.

    Raises `OSError` if the folder, or one in it, cannot be read.
    """
    entries = sorted(_entries(folder, ""))
    return Listing(
        {name: size for name, size in entries if size is not None},
        tuple(name for name, size in entries if size is None),
    )


def shares(sizes: dict[str, int], most: int = MOST_SHARES, least: int = LEAST_BYTES) -> list[Share]:
    """Divide the files of a `Listing` into at most `most` shares of similar size, `least` bytes or more each.

    >>> [share.names for share in shares({"a": 3, "b": 1, "c": 2, "d": 4}, least=4)]
    [('a', 'b'), ('c', 'd')]
    """
    total = sum(sizes.values())
    count = max(1, min(most, total // least))
    groups: dict[int, list[str]] = {}
    before = 0
    for name, size in sizes.items():
        # The share that the middle of the file falls into.
        place = (2 * before + size) * count // (2 * total) if total else 0
        groups.setdefault(min(place, count - 1), []).append(name)
        before += size
    bounds = ["", *[names[0] for names in groups.values()][1:], ""]
    return [
        Share(first, end, tuple(names))
        for (first, end), names in zip(pairwise(bounds), groups.values(), strict=True)
    ]


def _entries(folder: Path | str, prefix: str) -> Iterator[tuple[str, int | None]]:
    """Names and sizes of files below a folder; a link has no size."""
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
