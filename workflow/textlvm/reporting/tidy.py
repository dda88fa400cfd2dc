"""Cells as CSV, a line each: the tidy table that all other forms of a table are made from."""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from textlvm.reporting.cells import Cell
from textlvm.reporting.verdict import Verdict
from textlvm.runtime.errors import UserError, repair
from textlvm.runtime.files import write_text

__all__ = ["read_tidy", "write_tidy"]

OPTIONAL = (
    *("reading", "demo", "demo_digits"),
    *("borrowed_spread", "borrowed_degrees_of_freedom", "borrowed_from"),
)
"""Fields of a cell that few tables have anything in."""


def write_tidy(path: str | Path, cells: Iterable[Cell]) -> None:
    """Write cells as CSV, a line each; numbers in full, so that `read_tidy` gives back the same cells.

    Fields of `OPTIONAL` that no cell has are left out.
    """
    cells = list(cells)
    names = [f.name for f in fields(Cell)]
    unused = [name for name in OPTIONAL if all(getattr(cell, name) in ("", None) for cell in cells)]
    text = io.StringIO()
    columns = [name for name in names if name not in unused]
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for cell in cells:
        line = asdict(cell)
        writer.writerow(line | {name: json.dumps(line[name]) for name in ("by_seed", "runs", "stand_in")})
    write_text(path, text.getvalue())


def read_tidy(path: str | Path) -> list[Cell]:
    """Read what `write_tidy` wrote. Raises `UserError` for another file."""
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            lines = csv.DictReader(file)
            if missing := {f.name for f in fields(Cell)}.difference(OPTIONAL, lines.fieldnames or ()):
                raise KeyError(min(missing))
            return [_parse(line) for line in lines]
    except OSError as error:
        raise UserError(f"cannot read the table {path} ({error.strerror}): {repair(path)}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not a tidy table of this version ({error}); {repair(path)}") from error


def _parse(line: dict[str, str]) -> Cell:
    columns = [f for f in fields(Cell) if f.name in line or f.name not in OPTIONAL]
    values: dict[str, Any] = {f.name: line[f.name] for f in columns}
    for field in columns:
        text = line[field.name]
        if field.type in (int, int | None):
            values[field.name] = int(text) if text else None
        elif field.type == float | None:
            values[field.name] = float(text) if text else None
    values |= {"stand_in": json.loads(line["stand_in"]), "runs": tuple(json.loads(line["runs"]))}
    values["by_seed"] = tuple((seed, value) for seed, value in json.loads(line["by_seed"]))
    return Cell(**values | {"verdict": Verdict(line["verdict"])})
