"""The progress of an experiment: counts of rows and verdicts, corpora and costs."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textlvm.experiment.paper import Paper
from textlvm.reporting.cells import Cell
from textlvm.reporting.page.plan import Plan
from textlvm.reporting.page.runs import RunSection
from textlvm.reporting.page.tables import TableSection
from textlvm.reporting.verdict import Verdict

__all__ = ["COMPARED", "STATES", "Corpus", "Overview", "overview"]

STATES = ("done", "some seeds", "failed", "not run")
"""The state of a planned row."""
COMPARED = (Verdict.WITHIN, Verdict.OUTSIDE, Verdict.UNDECIDED, Verdict.STAND_IN)
"""Verdicts that compare a reproduced with a printed number."""


@dataclass(frozen=True)
class Corpus:
    """A corpus that the experiment uses as a paper's data set."""

    paper: str
    dataset: str
    title: str
    stand_in: bool


@dataclass(frozen=True)
class Progress:
    """A table's planned rows by state, and its compared cells by verdict."""

    anchor: str
    name: str
    paper: str
    rows: Mapping[str, int]
    verdicts: Mapping[str, int]


@dataclass(frozen=True)
class Overview:
    """The overview of the page."""

    corpora: tuple[Corpus, ...]
    """The corpora with a number."""
    waiting: tuple[Corpus, ...]
    """The planned corpora without a number."""
    is_unfinished: bool
    progress: tuple[Progress, ...]
    rows: Mapping[str, int]
    verdicts: Mapping[str, int]
    devices: tuple[str, ...]
    """The devices on which the models were trained."""
    seconds: float
    """The total duration of training."""

    @property
    def trained(self) -> str:
        """The total duration of training, as text."""
        if self.seconds < 7200:
            minutes = math.ceil(self.seconds / 60)
            return f"{minutes} minute{'s' if minutes != 1 else ''}"
        return f"{self.seconds / 3600:,.0f} hours"

    @property
    def stand_ins(self) -> tuple[Corpus, ...]:
        """The corpora that replace the papers' own."""
        return tuple(corpus for corpus in self.corpora if corpus.stand_in)


def overview(
    papers: Mapping[str, Paper], plan: Plan, tables: Sequence[TableSection], runs: Sequence[RunSection]
) -> Overview:
    """Count the results of tables and runs."""
    progress = []
    for table in tables:
        verdicts = Counter(str(cell.verdict) for cell in table.cells if cell.verdict in COMPARED)
        place = (table.anchor, table.name, papers[table.paper].citation)
        progress.append(Progress(*place, _rows(table), verdicts))
    cells = [cell for table in tables for cell in table.cells if cell.part.corpus]
    ran = _corpora(papers, (cell for cell in cells if cell.measured))
    rows = sum((Counter(table.rows) for table in progress), Counter())
    # Runs that evaluate one model on several data sets share a training.
    trainings = {(run.entry.training_path, seed): cost for run in runs for seed, cost in run.costs.items()}
    costs = list(trainings.values())
    return Overview(
        corpora=tuple(ran),
        waiting=tuple(corpus for corpus in _corpora(papers, cells) if corpus not in ran),
        is_unfinished=plan.partial and (not rows or rows["done"] < rows.total()),
        progress=tuple(progress),
        rows=rows,
        verdicts=sum((Counter(table.verdicts) for table in progress), Counter()),
        devices=tuple(dict.fromkeys(_device(cost) for cost in costs if cost.get("device") != "none")),
        seconds=math.fsum(cost.get("seconds", 0.0) for cost in costs),
    )


def _corpora(papers: Mapping[str, Paper], cells: Iterable[Cell]) -> Iterable[Corpus]:
    """The corpora of cells, without duplicates."""
    return dict.fromkeys(
        Corpus(
            papers[part.paper].citation,
            papers[part.paper].datasets.get(part.dataset, part.dataset),
            part.corpus_title,
            part.stand_in,
        )
        for part in dict.fromkeys(cell.part for cell in cells)
    )


def _rows(table: TableSection) -> Mapping[str, int]:
    """Planned rows by state."""
    planned: dict[tuple[str, str], list[Cell]] = {}
    for cell in table.cells:
        if cell.provenance.seeds_planned:
            planned.setdefault((cell.part.dataset, cell.row), []).append(cell)
    return Counter(_state(row) for row in planned.values())


def _state(row: Iterable[Cell]) -> str:
    cells = list(row)
    seeds = max(cell.seeds for cell in cells)
    if seeds:
        return "done" if seeds == cells[0].provenance.seeds_planned else "some seeds"
    return "failed" if any(cell.verdict is Verdict.FAILED for cell in cells) else "not run"


def _device(cost: Mapping[str, Any]) -> str:
    parts = [cost.get("device", "an unknown device"), f"PyTorch {cost['torch']}" if "torch" in cost else ""]
    return ", ".join(filter(None, parts))
