"""The fits of the readings of printed columns, and readings.csv with one line per fit."""

import csv
import io
import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from textlvm.experiment.paper import Paper
from textlvm.runtime.errors import UserError, repair

__all__ = ["Fit", "Interval", "as_csv", "read_csv"]


@dataclass(frozen=True)
class Interval:
    """A mean over seeds and its 95% interval; without bounds for a single seed."""

    value: float
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.3g}"
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


@dataclass(frozen=True)
class Fit:
    """How well one reading of a printed column fits its numbers on one corpus: a line of readings.csv."""

    paper: str
    table: int
    dataset: str
    corpus: str
    corpus_title: str
    split: str
    column: str
    reading: str
    """The metric of the evaluation."""
    compared: bool
    """Whether cells and claims compare this reading."""
    computes: str
    why: str
    rows: int
    """Number of rows with the reading."""
    seeds: int
    """Number of seeds that all of these rows have."""
    rms: Interval
    bias: Interval
    rank: Interval | None
    """None for fewer than three rows, or if all values are equal."""

    def heading(self, paper: Paper) -> str:
        """The heading of the printed column, or its metric if the paper has no heading."""
        metric = paper.metrics.get(self.column)
        return metric.heading if metric and metric.heading else self.column

    def place(self, paper: Paper) -> str:
        """The corpus, and the paper's data set if the corpus is another one."""
        dataset = paper.datasets.get(self.dataset, self.dataset)
        return dataset if self.corpus_title == dataset else f"{self.corpus_title} in place of {dataset}"


STATISTICS = ("rms", "bias", "rank")
PARSERS: Mapping[str, Callable[[str], Any]] = {
    "table": int,
    "compared": json.loads,
    "rows": int,
    "seeds": int,
}
"""Parsers of the fields of `Fit` that are neither strings nor intervals."""


def as_csv(fits: Iterable[Fit]) -> str:
    """One line per fit, with numbers in full precision."""
    others = [field.name for field in fields(Fit) if field.name not in STATISTICS]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*others, *(name for statistic in STATISTICS for name in _bounds(statistic))])
    for fit in fits:
        intervals = [getattr(fit, statistic) for statistic in STATISTICS]
        numbers = [astuple(interval) if interval else (None, None, None) for interval in intervals]
        values = (getattr(fit, name) for name in others)
        texts = (json.dumps(value) if isinstance(value, bool) else value for value in values)
        writer.writerow([*texts, *itertools.chain(*numbers)])
    return text.getvalue()


def read_csv(path: Path) -> list[Fit]:
    """Read a file of `as_csv`; without the file there are no fits. Raises `UserError` for another file."""
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [
                Fit(**{field.name: _parsed(line, field.name) for field in fields(Fit)})
                for line in csv.DictReader(file)
            ]
    except (OSError, KeyError, ValueError, TypeError) as error:
        message = f"{path} is not a table of readings of this version ({error})"
        raise UserError(f"{message}; {repair(path)}") from error


def _parsed(line: Mapping[str, str], name: str) -> Any:
    if name not in STATISTICS:
        return PARSERS.get(name, str)(line[name])
    value, low, high = (float(line[bound]) if line[bound] else None for bound in _bounds(name))
    return None if value is None else Interval(value, low, high)


def _bounds(statistic: str) -> tuple[str, str, str]:
    """The columns of an interval."""
    return statistic, f"{statistic}_low", f"{statistic}_high"
