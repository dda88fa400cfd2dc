"""The printed numbers of papers and of their authors' demos: the lines of each paper's published.csv."""

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from textlvm.experiment.paper import Paper
from textlvm.runtime.errors import UserError, nearest

__all__ = ["COLUMNS", "Published", "half_unit", "read"]

KINDS = ("own", "quoted")
BOUNDS = ("", "upper")
SOURCES = ("paper", "demo")
NOT_RUN = "not run: "
"""The text in a note before the reason why a quoted row is not run."""


@dataclass(frozen=True)
class Published:
    """One printed number."""

    paper: str
    table: int
    row: str
    """The row's label without citations and stars; a dagger (extra training data) is kept."""
    kind: str
    """`own`: the paper trained or computed it itself; `quoted`: it quotes another publication."""
    dataset: str
    split: str
    """The split of the data set: `standard`, or a name that the paper defines."""
    metric: str
    value: float
    digits: int
    """Decimals as printed; negative if digits before the point are rounded (`10K`: -3)."""
    spread: float | None
    """The printed standard deviation."""
    bound: str
    """`upper` if the paper prints the value as an upper bound."""
    source: str
    """`paper`, or `demo`: the README of the authors' published code, which has some of the same rows."""
    where: str
    note: str
    """For a quoted row, the text after `not run: ` is the reason why it is not run."""

    @property
    def unavailable(self) -> str:
        """The reason why a quoted row is not run; empty if the note has none."""
        return self.note.partition(NOT_RUN)[2]

    @property
    def key(self) -> tuple[str, int, str, str, str, str]:
        """Paper, table, data set, split, row and metric, which are unique for each source."""
        return self.paper, self.table, self.dataset, self.split, self.row, self.metric

    @property
    def half_unit(self) -> float:
        """The largest possible rounding error of the printed digits."""
        return half_unit(self.digits)


def half_unit(digits: int) -> float:
    """The largest possible rounding error of a value with this number of decimals."""
    return 0.5 * 10.0**-digits


COLUMNS = [field.name for field in fields(Published) if field.name != "paper"]


def read(papers: Mapping[str, Paper]) -> tuple[Published, ...]:
    """Read the published values of papers, in the order of their files.

    Raises `UserError` with the file and line for a wrong header, an invalid number, a table, metric or data
    set that is not in paper.yaml, an unknown kind, bound or source, a duplicate value, and a value that only
    the demo has.
    """
    return tuple(value for paper in papers.values() for value in _read(paper))


def _read(paper: Paper) -> list[Published]:
    path = paper.published
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except OSError as error:
        raise UserError(f"cannot read the published values from {path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is not a CSV file in UTF-8 ({error}): save it in this format") from error
    if not lines or lines[0] != COLUMNS:
        raise UserError(f"{path}, line 1: the columns must be {', '.join(COLUMNS)}")
    values = [_parse(line, paper, f"{path}, line {number}") for number, line in enumerate(lines[1:], start=2)]
    of_paper = {value.key for value in values if value.source == "paper"}
    for (source, *key), count in Counter((value.source, *value.key) for value in values).items():
        if count > 1:
            raise UserError(f"{path}: {', '.join(map(str, key))} occurs {count} times; keep one line")
        if source == "demo" and tuple(key) not in of_paper:
            raise UserError(
                f"{path}: {', '.join(map(str, key))} has only the demo's value; add a line with the "
                "paper's value, or remove it"
            )
    return values


def _parse(line: list[str], paper: Paper, place: str) -> Published:
    if len(line) != len(COLUMNS):
        raise UserError(f"{place}: {len(line)} fields instead of {len(COLUMNS)}; quote commas inside a field")
    text = dict(zip(COLUMNS, line, strict=True))
    named = {
        "table": [str(number) for number in paper.tables],
        "dataset": paper.datasets,
        "metric": paper.metrics,
        "kind": KINDS,
        "bound": BOUNDS,
        "source": SOURCES,
    }
    for column, valid in named.items():
        if text[column] not in valid:
            raise UserError(f"{place}: {column} cannot be '{text[column]}'; {nearest(text[column], valid)}")
    try:
        numbers: dict[str, Any] = {
            "table": int(text["table"]),
            "value": float(text["value"]),
            "digits": int(text["digits"]),
            "spread": float(text["spread"]) if text["spread"] else None,
        }
        return Published(paper=paper.name, **text | numbers)
    except ValueError as error:
        raise UserError(f"{place}: {error}; digits is an integer, value and spread are numbers") from error
