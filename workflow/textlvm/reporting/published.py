"""The printed numbers of both papers and of the authors' demo: a line of `workflow/published.csv` each."""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from textlvm.runtime.errors import UserError

__all__ = ["DATASETS", "DEMO_READINGS", "PAPERS", "TITLES", "Published", "read", "rows"]

PAPERS = {"words": "Schmidt & Hofmann (2018)", "sentences": "Livne, Swersky & Fleet (2020)"}
"""How a paper is cited, by its name in the `paper` column."""

TITLES = {
    "words": "Deep State Space Models for Unconditional Word Generation",
    "sentences": "SentenceMIM: A Latent Variable Language Model",
}
"""What it is called."""

DATASETS = {
    "bookscorpus": "BooksCorpus",
    "ptb": "Penn Treebank",
    "yelp15": "Yelp15",
    "yahoo": "Yahoo Answers",
    "wikitext-103": "WikiText-103",
    "everything": "Everything (the union of the four)",
    "yahoocqa": "YahooCQA",
}
"""The papers' own data sets, by their names in the `dataset` column."""

KINDS = ("own", "quoted")
BOUNDS = ("", "upper")
SOURCES = ("paper", "demo")

DEMO_READINGS = {"bleu1": "bleu1_unmatched"}
"""What the demo measures, known from its code, where the paper's text allows several readings of a metric.

How far its numbers lie from the paper's is then no noise between trainings.
"""


@dataclass(frozen=True)
class Published:
    """One printed number."""

    paper: str
    table: int
    row: str
    """The row's label, cleaned: no brackets for citations, no stars. A dagger (extra training data) stays."""
    kind: str
    """`own`: the paper trained or computed it itself; `quoted`: it quotes another publication."""
    dataset: str
    split: str
    """The partition of the data set: `standard`, or `unseen` in Table 2 of the words paper."""
    metric: str
    unit: str
    value: float
    digits: int
    """Decimals as printed; negative where even the last whole digits are rounded (`10K`: -3)."""
    spread: float | None
    """The standard deviation printed beside the value."""
    bound: str
    """`upper` where the paper prints the value as an upper bound."""
    column: str
    """The table column's heading; empty for a number of a caption or a footnote."""
    source: str
    """`paper`, or `demo`: the README of the authors' published code, which has some of the same rows."""
    where: str
    note: str

    @property
    def key(self) -> tuple[str, int, str, str, str, str]:
        """What no two numbers of a source share: paper, table, data set, split, row, metric."""
        return self.paper, self.table, self.dataset, self.split, self.row, self.metric

    @property
    def half_unit(self) -> float:
        """The largest error that rounding to the printed digits can have made."""
        return 0.5 * 10.0**-self.digits


COLUMNS = [field.name for field in fields(Published)]


def read(path: str | Path) -> tuple[Published, ...]:
    """Read the published values, in the order of the file, which is the papers' own.

    Raises `UserError` naming file and line for a wrong header, a value that is not a number, an
    unknown paper, data set, kind, bound or source, a number given twice, and one that the demo has alone.
    """
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except OSError as error:
        raise UserError(f"cannot read the published values from {path}: {error.strerror}") from error
    if not lines or lines[0] != COLUMNS:
        raise UserError(f"{path}, line 1: the columns must be {', '.join(COLUMNS)}")
    values = [_parse(line, f"{path}, line {number}") for number, line in enumerate(lines[1:], start=2)]
    for (source, *key), count in Counter((value.source, *value.key) for value in values).items():
        if count > 1:
            raise UserError(f"{path}: {', '.join(map(str, key))} is given {count} times; keep one line")
        if source == "demo" and not any((v.source, v.key) == ("paper", tuple(key)) for v in values):
            raise UserError(
                f"{path}: {', '.join(map(str, key))} is of the demo alone; add the paper's line or remove it"
            )
    return tuple(values)


def rows(values: Iterable[Published]) -> dict[str, str]:
    """The row labels of some published values in their printed order, each with its kind."""
    return {value.row: value.kind for value in values}


def _parse(line: list[str], place: str) -> Published:
    if len(line) != len(COLUMNS):
        raise UserError(
            f"{place}: {len(line)} fields where {len(COLUMNS)} belong; quote commas inside a field"
        )
    text = dict(zip(COLUMNS, line, strict=True))
    named = (
        ("paper", PAPERS),
        ("dataset", DATASETS),
        ("kind", KINDS),
        ("bound", BOUNDS),
        ("source", SOURCES),
    )
    for column, valid in named:
        if text[column] not in valid:
            raise UserError(
                f"{place}: {column} '{text[column]}' is not one of {', '.join(filter(None, valid))}"
            )
    try:
        numbers: dict[str, Any] = {
            "table": int(text["table"]),
            "value": float(text["value"]),
            "digits": int(text["digits"]),
            "spread": float(text["spread"]) if text["spread"] else None,
        }
        return Published(**text | numbers)
    except ValueError as error:
        raise UserError(
            f"{place}: {error}; table and digits are integers, value and spread numbers"
        ) from error
