"""Claims as predicates: `ce_test: TRIL, K=5 < TRIL`. Common parts of comparisons are written once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

__all__ = ["SUMS", "cells_in", "change_cells", "predicate"]

SUMS = ("difference", "identity")
"""The kinds whose comparisons consist of lists."""
SIGNS = {"less": "<", "rising": "<", "greater": ">", "falling": ">", "near": "≈"}
JOINED = {"difference": (" − ", " > "), "identity": (" + ", " = ")}

RowsOf = Callable[[str, str], Sequence[str]]
"""The rows of a name on a data set."""


def predicate(entry: Mapping[str, Any], dataset: str, rows_of: RowsOf, datasets: Mapping[str, str]) -> str:
    """The comparisons of an entry of claims.yaml, with the rows of its names on a data set.

    `datasets` has titles of data sets.
    """
    cells = list(cells_in(entry["of"]))
    rows = dict.fromkeys(cell["row"] for cell in cells)
    of_one_row = len(rows) == 1 and all("metric" in cell for cell in cells)

    def name(said: Mapping[str, Any]) -> str:
        own = rows_of(said["row"], said.get("dataset", dataset))
        words = own[0] if len(own) == 1 else said["row"]
        if "metric" in said:
            words = said["metric"] if of_one_row else f"{said['metric']} of {words}"
        if "dataset" in said:
            words += f" on {datasets.get(said['dataset'], said['dataset'])}"
        elif "table" in said:
            words += f" in Table {said['table']}"
        return f"ln({words})" if said.get("log") else words

    shared = entry.get("metrics", [rows_of(row, dataset)[0] for row in rows] if of_one_row else [])
    words = [_comparison(entry, change_cells(item, name)) for item in entry["of"]]
    return f"{', '.join(shared)}: {'; '.join(words)}" if shared else "; ".join(words)


def change_cells(item: Sequence[Any], change: Callable[[Mapping[str, Any]], Any]) -> list[Any]:
    """An item of `of` with every cell changed; numbers stay, lists keep their shape."""
    changed: list[Any] = []
    for said in item:
        if isinstance(said, list):
            changed.append(change_cells(said, change))
        elif isinstance(said, int | float):
            changed.append(float(said))
        else:
            changed.append(change({"row": said} if isinstance(said, str) else said))
    return changed


def cells_in(item: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    """The cells of an item, or of several."""
    for said in item:
        if isinstance(said, list):
            yield from cells_in(said)
        elif not isinstance(said, int | float):
            yield {"row": said} if isinstance(said, str) else said


def _comparison(entry: Mapping[str, Any], names: Sequence[Any]) -> str:
    """One comparison of names and numbers."""
    kind = entry["kind"]
    if kind in SUMS:
        inner, outer = JOINED[kind]
        words = outer.join(inner.join(map(_shown, group)) for group in names)
    else:
        words = f" {SIGNS[kind]} ".join(map(_shown, names))
    if "margin" not in entry:
        return words
    return f"{words}, {'by more than' if kind in ('less', 'greater') else 'within'} {entry['margin']}"


def _shown(name: str | float) -> str:
    return name if isinstance(name, str) else f"{name:g}"
