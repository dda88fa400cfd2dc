"""The tidy table: a CSV file with one cell per line, from which all other formats are made."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from textlvm.reporting.cells import Cell, Printed, Provenance, TablePart
from textlvm.reporting.spread import PooledSpread
from textlvm.reporting.verdict import Comparison, Measurement, Verdict
from textlvm.runtime.errors import UserError, repair
from textlvm.runtime.files import write_text

__all__ = ["COLUMNS", "OPTIONAL", "optional_number", "read_tidy", "write_tidy"]


def optional_number(text: str) -> float | None:
    """The number in a field of a CSV file; None if it is empty."""
    return float(text) if text else None


def _integer(text: str) -> int | None:
    return int(text) if text else None


def _by_seed(text: str) -> tuple[tuple[int, float], ...]:
    return tuple((seed, value) for seed, value in json.loads(text))


def _settings(text: str) -> dict[str, Any]:
    return dict(json.loads(text)) if text else {}


def _texts(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


COLUMNS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "paper": ("part.paper", str),
    "table": ("part.table", int),
    "row": ("row", str),
    "kind": ("kind", str),
    "dataset": ("part.dataset", str),
    "corpus": ("part.corpus", str),
    "corpus_title": ("part.corpus_title", str),
    "stand_in": ("part.stand_in", json.loads),
    "split": ("part.split", str),
    "metric": ("metric", str),
    "column": ("printed.column", str),
    "unit": ("unit", str),
    "value": ("measured.value", optional_number),
    "low": ("measured.low", optional_number),
    "high": ("measured.high", optional_number),
    "spread": ("measured.spread", optional_number),
    "repeat_spread": ("measured.repeat_spread", optional_number),
    "by_seed": ("measured.by_seed", _by_seed),
    "seeds": ("seeds", int),
    "seeds_planned": ("provenance.seeds_planned", int),
    "published": ("printed.value", optional_number),
    "published_spread": ("printed.spread", optional_number),
    "published_bound": ("printed.bound", str),
    "digits": ("printed.digits", _integer),
    "difference": ("comparison.difference", optional_number),
    "tolerance": ("comparison.tolerance", optional_number),
    "verdict": ("comparison.verdict", Verdict),
    "reason": ("provenance.reason", str),
    "run": ("provenance.run", str),
    "runs": ("provenance.runs", _texts),
    "settings": ("provenance.settings", _settings),
    "where": ("printed.where", str),
    "note": ("printed.note", str),
    "reading": ("measured.reading", str),
    "borrowed_spread": ("borrowed.value", optional_number),
    "borrowed_degrees_of_freedom": ("borrowed.degrees_of_freedom", _integer),
    "borrowed_from": ("borrowed.source", str),
    "demo": ("printed.demo", optional_number),
    "demo_digits": ("printed.demo_digits", _integer),
}
"""The attribute of a cell for each column, and the parser of its text."""
OPTIONAL = (
    *("reading", "demo", "demo_digits"),
    *("borrowed_spread", "borrowed_degrees_of_freedom", "borrowed_from"),
)
"""Columns that are omitted if they are empty."""


def write_tidy(path: str | Path, cells: Iterable[Cell]) -> None:
    """Write cells as CSV, one per line, with full precision, so that `read_tidy` returns the same cells."""
    lines = [_line(cell) for cell in cells]
    unused = [name for name in OPTIONAL if all(line[name] in ("", None) for line in lines)]
    text = io.StringIO()
    columns = [name for name in COLUMNS if name not in unused]
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(lines)
    write_text(path, text.getvalue())


def read_tidy(path: str | Path) -> list[Cell]:
    """Read a file of `write_tidy`. Raises `UserError` for another file."""
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            lines = csv.DictReader(file)
            if missing := COLUMNS.keys() - {*OPTIONAL} - {*(lines.fieldnames or ())}:
                raise KeyError(min(missing))
            return [_parse(line) for line in lines]
    except OSError as error:
        raise UserError(f"cannot read the table {path} ({error.strerror}): {repair(path)}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not a tidy table of this version ({error}); {repair(path)}") from error


def _line(cell: Cell) -> dict[str, Any]:
    """The values of a cell by column."""
    parts = {"": cell, "borrowed": cell.measured.borrowed if cell.measured else None}
    line: dict[str, Any] = {}
    for column, (place, _) in COLUMNS.items():
        part, _, name = place.rpartition(".")
        owner = parts[part] if part in parts else getattr(cell, part)
        line[column] = getattr(owner, name) if owner else None
    by_seed = line["by_seed"] or ()
    line["settings"] = json.dumps(line["settings"], ensure_ascii=False) if line["settings"] else ""
    as_json = {"by_seed": by_seed, "runs": line["runs"], "stand_in": line["stand_in"]}
    # Readable paths, in which workflow/common_removed.smk searches for those of removed files.
    return line | {column: json.dumps(value, ensure_ascii=False) for column, value in as_json.items()}


def _parse(line: Mapping[str, str | None]) -> Cell:
    parts: dict[str, dict[str, Any]] = {}
    for column, (place, read) in COLUMNS.items():
        text = line.get(column, "")
        if text is None:
            raise ValueError(f"a line ends before '{column}'")
        part, _, name = place.rpartition(".")
        parts.setdefault(part, {})[name] = read(text)
    cell, measured, printed, borrowed = (parts[name] for name in ("", "measured", "printed", "borrowed"))
    measured["borrowed"] = None if borrowed["value"] is None else PooledSpread(**borrowed)
    return Cell(
        part=TablePart(**parts["part"]),
        row=cell["row"],
        metric=cell["metric"],
        unit=cell["unit"],
        printed=None if printed["value"] is None else Printed(kind=cell["kind"], **printed),
        measured=None if measured["value"] is None else Measurement(**measured),
        comparison=Comparison(**parts["comparison"]),
        provenance=Provenance(**parts["provenance"]),
    )
