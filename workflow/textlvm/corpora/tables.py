"""Word tables: tab-separated files of words with whole numbers, under a header line."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textlvm.runtime import files
from textlvm.runtime.errors import UserError, repair

__all__ = ["read", "write"]


def read(path: Path, columns: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Read the words and numbers, shape (words, columns - 1), of a table with exactly these columns.

    Raises `UserError` naming the line if the file is not such a table.
    """
    try:
        header, *lines = Path(path).read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UserError(f"cannot read {path}: {reason}; {repair(path)}") from error
    names = " ".join(columns)
    if header != "\t".join(columns):
        raise UserError(
            f"{path}, line 1: expected the header `{names}`, found {header[:60]!r}; {repair(path)}"
        )
    if not lines or lines.pop():
        raise UserError(f"{path}: the last line is truncated; {repair(path)}")
    words, numbers = [], []
    for number, line in enumerate(lines, start=2):
        word, *fields = line.split("\t")
        if len(fields) != len(columns) - 1 or not all(map(_is_number, fields)):
            raise UserError(f"{path}, line {number}: expected `{names}`, found {line[:60]!r}; {repair(path)}")
        words.append(word)
        numbers.append(fields)
    return words, np.array(numbers, dtype=np.int64).reshape(len(words), len(columns) - 1)


def write(path: Path, columns: Sequence[str], words: Iterable[str], *numbers: Iterable[int]) -> None:
    """Write a table of words and columns of numbers atomically."""
    rows = zip(words, *(map(str, column) for column in numbers), strict=True)
    files.write_text(path, "".join("\t".join(row) + "\n" for row in (columns, *rows)))


def _is_number(field: str) -> bool:
    return field.isascii() and field.isdigit() and len(field) <= 18
