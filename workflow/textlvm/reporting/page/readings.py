"""The readings of printed columns, as pages show them."""

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from textlvm.experiment.paper import Paper
from textlvm.reporting.page.numbers import short
from textlvm.runtime.errors import UserError, repair

__all__ = ["Column", "Interval", "Reading", "columns", "interval", "read_readings"]

Interval = tuple[float | None, float | None, float | None]
"""A mean over seeds and its 95% interval, as far as they are known."""


@dataclass(frozen=True)
class Reading:
    """How well one way to compute a printed column fits its numbers."""

    paper: str
    table: int
    dataset: str
    corpus: str
    corpus_title: str
    split: str
    column: str
    reading: str
    compared: bool
    """Whether verdicts use this reading."""
    computes: str
    why: str
    rows: int
    seeds: int
    rms: Interval
    """Root mean square of the differences from the printed numbers, in the column's unit."""
    bias: Interval
    """Mean of these differences."""
    rank: Interval
    """Rank correlation with them."""


@dataclass(frozen=True)
class Column:
    """A printed column and its readings."""

    title: str
    readings: tuple[Reading, ...]


def read_readings(path: Path) -> list[Reading]:
    """Read `readings.csv`; no lines without that file. Raises `UserError` for another file."""
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [_reading(line) for line in csv.DictReader(file)]
    except (OSError, KeyError, ValueError, TypeError) as error:
        what = f"{path} is not a table of readings of this version ({error})"
        raise UserError(f"{what}; {repair(path)}") from error


def _reading(line: Mapping[str, str]) -> Reading:
    def of_seeds(name: str) -> Interval:
        value, low, high = (
            float(line[key]) if line[key] else None for key in (name, f"{name}_low", f"{name}_high")
        )
        return value, low, high

    texts = {
        name: line[name]
        for name in (
            *("paper", "dataset", "corpus", "corpus_title", "split", "column"),
            *("reading", "computes", "why"),
        )
    }
    counts = {name: int(line[name]) for name in ("table", "rows", "seeds")}
    compared = json.loads(line["compared"])
    statistics = {name: of_seeds(name) for name in ("rms", "bias", "rank")}
    return Reading(**texts, **counts, **statistics, compared=compared)


def columns(readings: Iterable[Reading], papers: Mapping[str, Paper]) -> Iterable[Column]:
    """The readings of each printed column."""
    found: dict[str, list[Reading]] = {}
    for own in readings:
        paper = papers[own.paper]
        metric = paper.metrics.get(own.column)
        heading = metric.heading if metric and metric.heading else own.column
        split = "" if own.split in ("", "standard") else f", {own.split} split"
        dataset = paper.datasets.get(own.dataset, own.dataset)
        place = dataset if own.corpus_title == dataset else f"{own.corpus_title} in place of {dataset}"
        title = f"{heading}, Table {own.table} of {paper.citation}, {place}{split}"
        found.setdefault(title, []).append(own)
    return (Column(title, tuple(of_column)) for title, of_column in found.items())


def interval(of_seeds: Interval) -> str:
    """A mean and its interval, to read."""
    value, low, high = of_seeds
    if value is None:
        return "–"
    between = "" if low is None or high is None else f" [{short(low, 3)}, {short(high, 3)}]"
    return short(value, 3) + between
