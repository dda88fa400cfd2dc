"""Claims as predicates: `ce_test: TRIL, K=5 < TRIL`. Common parts of comparisons are written once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

__all__ = ["SUMS", "cells_in", "change_cells", "predicate"]

SUMS = ("difference", "identity")
"""The kinds whose comparisons consist of lists."""
SIGNS = {"less": "<", "rising": "<", "greater": ">", "falling": ">", "near": "≈"}
JOINED = {"difference": (" − ", " > "), "identity": (" + ", " = ")}

RowsOf = Callable[[str, str], Sequence[str]]
"""Returns the rows of a name on a data set."""


def predicate(entry: Mapping[str, Any], dataset: str, rows_of: RowsOf, datasets: Mapping[str, str]) -> str:
    """The comparisons of an entry of claims.yaml as text, with names resolved by `rows_of`.

    `datasets` maps data sets to their titles.
    """
    cells = list(cells_in(entry["of"]))
    rows = dict.fromkeys(cell["row"] for cell in cells)
    of_one_row = len(rows) == 1 and all("metric" in cell for cell in cells)

    def name(cell: Mapping[str, Any]) -> str:
        labels = rows_of(cell["row"], cell.get("dataset", dataset))
        words = labels[0] if len(labels) == 1 else cell["row"]
        if "metric" in cell:
            words = cell["metric"] if of_one_row else f"{cell['metric']} of {words}"
        if "dataset" in cell:
            words += f" on {datasets.get(cell['dataset'], cell['dataset'])}"
        elif "table" in cell:
            words += f" in Table {cell['table']}"
        return f"ln({words})" if cell.get("log") else words

    shared = entry.get("metrics", [rows_of(row, dataset)[0] for row in rows] if of_one_row else [])
    words = [_comparison(entry, change_cells(item, name)) for item in entry["of"]]
    return f"{', '.join(shared)}: {'; '.join(words)}" if shared else "; ".join(words)


def change_cells(item: Sequence[Any], change: Callable[[Mapping[str, Any]], Any]) -> list[Any]:
    """An item of `of` with `change` applied to every cell; numbers and nesting are kept."""
    changed: list[Any] = []
    for operand in item:
        if isinstance(operand, list):
            changed.append(change_cells(operand, change))
        elif isinstance(operand, int | float):
            changed.append(float(operand))
        else:
            changed.append(change({"row": operand} if isinstance(operand, str) else operand))
    return changed


def cells_in(item: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    """The cells of an item, or of several."""
    for operand in item:
        if isinstance(operand, list):
            yield from cells_in(operand)
        elif not isinstance(operand, int | float):
            yield {"row": operand} if isinstance(operand, str) else operand


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
