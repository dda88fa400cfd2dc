"""What the entries of a paper.yaml declare: metrics, tables and their readings, texts, figures, curves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Curves", "FigureMetric", "Metric", "Reading", "Table", "Texts"]


@dataclass(frozen=True)
class Metric:
    """A measured quantity, wherever a table, a page or a claim names it."""

    name: str
    unit: str
    heading: str = ""
    """The heading of the paper's column; empty where the paper has none."""
    latex: str = ""
    """The heading as LaTeX, where the paper sets a formula."""
    direction: str = ""
    """lower | higher: which values are better; empty where neither is."""
    digits: int = 2
    """Decimals where the paper prints none."""
    of_training: bool = True
    """Whether another training would give another value."""
    shown: bool = True
    """Whether tables show it where it is no column; `results/table<N>.csv` has all metrics."""


@dataclass(frozen=True)
class Table:
    """A table of results."""

    number: int
    each: str
    """corpus | paper: whether it is made for each corpus, or once for all data sets of the paper."""
    columns: tuple[str, ...]
    """The metrics of the printed columns, in the paper's order."""


@dataclass(frozen=True)
class Reading:
    """One way to compute a printed column, where the paper's text allows several."""

    metric: str
    """The metric that the evaluation measures."""
    computes: str
    """What is computed."""
    why: str
    """Why the printed numbers may have been computed so."""
    otherwise: str = ""
    """The metric of rows that lack `metric`; empty leaves these rows out."""
    compared: bool = False
    """Whether cells, verdicts and claims compare it with the printed numbers: at most one of a column.

    Without it they compare the metric of the column's own name.
    """
    demo: bool = False
    """Whether the authors' published code computes it."""


@dataclass(frozen=True)
class Texts:
    """A table of what models make of texts."""

    number: int
    kind: str
    """reconstructions | interpolations | samples | answers | prior_samples."""
    title: str
    first: int | None = None
    """How many of the configured texts it shows; None shows all."""
    answers: tuple[str, ...] = ("short", "medium", "long")
    """Which answers to a question."""


@dataclass(frozen=True)
class FigureMetric:
    """A number of one trained model that the paper shows in a figure alone; claims name it like a metric."""

    name: str
    unit: str
    file: str
    """The file of the run, beside its metrics.json."""
    function: str
    """`module:function`, which returns the number, or None if the run is too small to have it."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """What the function takes beside the content of the file."""

    @property
    def module(self) -> str:
        """The module of the function."""
        return self.function.partition(":")[0]


@dataclass(frozen=True)
class Curves:
    """Quantities of a training's curve.jsonl that one chart draws."""

    unit: str
    quantities: Mapping[str, str]
    """Names in the file, and what they are called."""
