"""Cells, the units of every table: one metric of one row on one corpus, with reproduced and printed value.

Tables, claims and pages are renderings of cells; `results/table<N>.csv` is their list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from textlvm.reporting.published import half_unit
from textlvm.reporting.verdict import Comparison, Measurement, Verdict

__all__ = ["DATA", "Cell", "Printed", "Provenance", "TablePart"]


DATA = "data"
"""The name of the run if the numbers are those of a data set."""


@dataclass(frozen=True)
class TablePart:
    """One table, or a data set's part of it, on one corpus."""

    paper: str
    table: int
    dataset: str
    """The paper's data set that the cells are compared with."""
    split: str
    corpus: str = ""
    """The corpus' name in the registry; empty if the plan has no run for the data set."""
    corpus_title: str = ""
    stand_in: bool = False


@dataclass(frozen=True)
class Printed:
    """The numbers of the paper and of the authors' demo."""

    kind: str
    """`own` or `quoted`, as in `Published`."""
    column: str
    """The heading of the paper's column; empty for a number of a caption or a footnote."""
    value: float
    spread: float | None
    bound: str
    digits: int
    """Decimals of the value as printed."""
    where: str
    note: str
    """The note in published.csv."""
    demo: float | None = None
    """The value in the authors' demo."""
    demo_digits: int | None = None
    """Decimals of the demo's value as printed there."""

    @property
    def half_units(self) -> float:
        """The sum of the largest possible rounding errors of both values."""
        return sum(half_unit(digits) for digits in (self.digits, self.demo_digits) if digits is not None)


@dataclass(frozen=True)
class Provenance:
    """The run behind a cell."""

    run: str
    """The name of the run; empty for a row that is not planned."""
    runs: tuple[str, ...]
    """The paths of the metrics files, and of the records of failed trainings."""
    settings: Mapping[str, Any]
    """The evaluation's settings; one that differs between seeds is `varies`."""
    seeds_planned: int
    reason: str
    """Why a value is missing, has fewer seeds than planned, or is that of another reading."""

    @property
    def is_drawn(self) -> bool:
        """Whether the seeds are draws of the split (`textlvm.reporting.draws`)."""
        return "draws" in self.settings

    @property
    def replicate(self) -> str:
        """What the seeds are: `draw` or `seed`."""
        return "draw" if self.is_drawn else "seed"


@dataclass(frozen=True)
class Cell:
    """One metric of one row on one corpus."""

    part: TablePart
    row: str
    metric: str
    """Empty for a planned row without numbers."""
    unit: str
    printed: Printed | None
    """None if the paper prints no value."""
    measured: Measurement | None
    """None if there is no result yet."""
    comparison: Comparison
    provenance: Provenance

    @property
    def kind(self) -> str:
        """The kind of the printed value, `own` or `quoted`; `extra` if the paper prints no value."""
        return self.printed.kind if self.printed else "extra"

    @property
    def seeds(self) -> int:
        """The number of evaluated seeds."""
        return len(self.measured.by_seed) if self.measured else 0

    @property
    def verdict(self) -> Verdict:
        """The verdict of the comparison."""
        return self.comparison.verdict
