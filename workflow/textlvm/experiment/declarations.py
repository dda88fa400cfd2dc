"""What the entries of a paper.yaml declare: metrics, tables and their readings, texts, figures, curves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Curves", "FigureMetric", "Metric", "Reading", "Table", "Texts"]


@dataclass(frozen=True)
class Metric:
    """A metric, which tables, the page and claims refer to by name."""

    name: str
    unit: str
    heading: str = ""
    """The heading of the paper's column; empty if the paper has none."""
    latex: str = ""
    """The heading in LaTeX, if it is a formula."""
    digits: int = 2
    """Decimals if no printed value determines them."""
    of_training: bool = True
    """Whether the value depends on training."""
    shown: bool = True
    """Whether tables show it if it is not a column; `results/table<N>.csv` has all metrics."""


@dataclass(frozen=True)
class Table:
    """A table of results."""

    number: int
    each: str
    """corpus | paper: one table per corpus, or one table for all data sets of the paper."""
    columns: tuple[str, ...]
    """The metrics of the printed columns, in the paper's order."""


@dataclass(frozen=True)
class Reading:
    """A reading: one possible definition of a printed column."""

    metric: str
    """The metric that the evaluation measures."""
    computes: str
    """What is computed."""
    why: str
    """Why the printed numbers may have been computed in this way."""
    otherwise: str = ""
    """The metric of rows without `metric`; if empty, these rows are omitted."""
    compared: bool = False
    """Whether cells and claims compare it with the printed numbers: at most one per column.

    Without it they compare the metric of the column's own name.
    """
    demo: bool = False
    """Whether the authors' published code computes it."""


@dataclass(frozen=True)
class Texts:
    """A table of texts that models generate."""

    number: int
    kind: str
    """reconstructions | interpolations | samples | answers | prior_samples."""
    title: str
    file: str = "qualitative.json"
    """The file of a run that contains the texts."""
    first: int | None = None
    """The number of configured texts that it shows; None: all."""
    answers: tuple[str, ...] = ("short", "medium", "long")
    """Which answers to a question."""


@dataclass(frozen=True)
class FigureMetric:
    """A number of one trained model that no table of the paper has; claims use it like a metric."""

    name: str
    unit: str
    file: str
    """The file of the run, in the folder of its metrics.json."""
    function: str
    """`module:function`, which returns the number, or None if the run is too small to have it."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the function, after the content of the file."""
    heading: str = ""
    """The heading of the number in the run's section of a page; without one, only claims show it."""
    declared: str = "paper.yaml"
    """The file that declares it, for messages."""

    @property
    def module(self) -> str:
        """The module of the function."""
        return self.function.partition(":")[0]


@dataclass(frozen=True)
class Curves:
    """Quantities of a training's curve.jsonl that one chart draws."""

    unit: str
    quantities: Mapping[str, str]
    """Names in the file, and their labels."""
