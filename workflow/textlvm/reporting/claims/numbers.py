"""The sources of a claim's numbers: cells, the files of figures, or only the printed values."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from textlvm.estimate import Estimate, pool, standard_error
from textlvm.experiment.declarations import FigureMetric
from textlvm.experiment.paper import Paper
from textlvm.experiment.plan import Planned, Row
from textlvm.reporting.cells import Cell
from textlvm.reporting.claims.figure_metrics import measure
from textlvm.reporting.claims.judge import Number
from textlvm.reporting.claims.language import Claim, Place
from textlvm.reporting.published import Published, half_unit
from textlvm.reporting.rows import is_of_training
from textlvm.reporting.spread import PooledSpread, Sample, borrow
from textlvm.reporting.verdict import Verdict

__all__ = ["Corpora", "Measured", "Numbers", "as_printed"]

Corpora = Mapping[str, str]
"""The corpus of each data set's runs; empty if none is planned."""
RowKey = tuple[str, int, str, str, str]
"""Paper, table, data set, label and corpus of a row."""


@dataclass
class Numbers:
    """The numbers for the operands of a claim."""

    known: dict[Place, Number] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    """The rows that lack a number, by reason."""

    def add(self, place: Place, number: Number) -> None:
        """Add a number, unless the claim requires its logarithm and it has none."""
        if place.log and min(number.by_seed.values()) <= 0:
            self.lack("not positive, so it has no logarithm", place.row)
        else:
            self.known[place] = number

    def lack(self, reason: str, row: str) -> None:
        """Note that a row lacks a number."""
        rows = self.missing.setdefault(reason, [])
        if row not in rows:
            rows.append(row)


def as_printed(claim: Claim, published: Iterable[Published]) -> Numbers:
    """The printed numbers of a claim; rounding is their only error."""
    printed = {p.key[:3] + p.key[4:]: p for p in published if p.source == "paper"}
    numbers = Numbers()
    for place in claim.places:
        value = printed.get(place.cell)
        if value is None:
            numbers.lack("not printed", place.row)
        else:
            numbers.add(place, _exact(value.value, value.half_unit))
    return numbers


class Measured:
    """The cells of all tables, and the files of figures in the folders of the metrics."""

    def __init__(
        self,
        papers: Mapping[str, Paper],
        cells: Iterable[Cell],
        figures: Iterable[str | Path],
        plan: Iterable[Planned],
    ) -> None:
        self.papers = papers
        self.planned = {
            (entry.paper, row.table, entry.original, row.label, entry.corpus): (entry, row)
            for entry in plan
            for row in entry.rows
        }
        self.figures = {Path(path) for path in figures}
        self.rows: dict[RowKey, dict[str, Cell]] = {}
        self.corpora: dict[tuple[str, str], list[str]] = {}
        for cell in cells:
            part = cell.part
            self.rows.setdefault(_row_key(cell), {})[cell.metric] = cell
            known = self.corpora.setdefault((part.paper, part.dataset), [])
            if part.corpus and part.corpus not in known:
                known.append(part.corpus)

    def corpora_of(self, claim: Claim) -> Iterator[Corpora]:
        """All combinations of corpora for a claim's data sets; an empty corpus if none is planned."""
        datasets = dict.fromkeys(place.dataset for place in claim.places)
        choices = [self.corpora.get((claim.paper, dataset)) or [""] for dataset in datasets]
        for corpora in itertools.product(*choices):
            yield dict(zip(datasets, corpora, strict=True))

    def cells_of(self, claim: Claim, corpora: Corpora) -> list[Cell]:
        """One cell of each row of a claim; rows without cells are skipped."""
        rows = [self._row(place, corpora) for place in claim.places]
        return [next(iter(row.values())) for row in rows if row]

    def numbers(self, claim: Claim, corpora: Corpora) -> Numbers:
        """The reproduced numbers of a claim."""
        numbers = Numbers()
        readings = self._readings(claim, corpora)
        for place in claim.places:
            row = self._row(place, corpora)
            same_metric = {name for other, name in readings.items() if other.metric == place.metric}
            if place in readings and len(same_metric) > 1:
                numbers.lack(f"measured as '{readings[place]}', which the others are not", place.row)
                continue
            metric = self.papers[place.paper].figure_metrics.get(place.metric)
            found = self._of_figure(metric, row) if metric else self._of_table(place, row)
            if isinstance(found, str):
                numbers.lack(found, place.row)
            else:
                numbers.add(place, found)
        return numbers

    def _readings(self, claim: Claim, corpora: Corpora) -> dict[Place, str]:
        """The readings with which numbers of a claim were computed."""
        cells = {place: self._row(place, corpora).get(place.metric) for place in claim.places}
        measured = {place: cell.measured for place, cell in cells.items() if cell}
        return {place: found.reading for place, found in measured.items() if found and found.reading}

    def _row(self, place: Place, corpora: Corpora) -> Mapping[str, Cell]:
        key = (place.paper, place.table, place.dataset, place.row, corpora[place.dataset])
        return self.rows.get(key, {})

    def _planned(self, cell: Cell) -> tuple[Planned, Row]:
        """The planned run and row of a cell."""
        return self.planned[_row_key(cell)]

    def _of_table(self, place: Place, row: Mapping[str, Cell]) -> Number | str:
        """The number of a cell, or the reason why there is none."""
        cell = row.get(place.metric, row.get(""))
        if cell is None:
            return f"without '{place.metric}'" if row else "not in the plan"
        printed, measured, corpus = cell.printed, cell.measured, cell.part.corpus
        is_quoted = cell.verdict is Verdict.QUOTED or (cell.kind == "quoted" and measured is None)
        if is_quoted and printed and corpus and not cell.part.stand_in:
            # A quoted number counts on the paper's own corpus until a run reproduces it.
            return _exact(printed.value, half_unit(printed.digits))
        if cell.verdict is Verdict.QUOTED:
            return "quoted, but not for this corpus" if corpus else "not in the plan"
        if measured is None:
            return cell.provenance.reason or str(cell.verdict)
        drawn = cell.provenance.is_drawn
        return Number(
            dict(measured.by_seed),
            standard_error(measured.low, measured.high),
            run=_run(cell),
            replicate=cell.provenance.replicate,
            trained=is_of_training(self.papers[place.paper], *self._planned(cell), cell.metric, drawn),
            borrowed=measured.borrowed,
        )

    def _of_figure(self, metric: FigureMetric, row: Mapping[str, Cell]) -> Number | str:
        """The number of a figure, from the files of the row's runs, or the reason why there is none."""
        cell = next(iter(row.values()), None)
        if cell is None:
            return "not in the plan"
        by_seed = self._by_seed(metric, cell)
        if not by_seed:
            missing = cell.provenance.reason or str(cell.verdict)
            return f"without '{metric.name}'" if _metrics_files(cell) else missing
        (value, *others) = by_seed.values()
        borrowed = None if others else self._borrowed(metric, cell, value.value)
        values = {seed: estimate.value for seed, estimate in by_seed.items()}
        mean = pool(list(by_seed.values()))
        error = standard_error(mean.low, mean.high)
        return Number(values, error, run=_run(cell), borrowed=borrowed)

    def _by_seed(self, metric: FigureMetric, cell: Cell) -> dict[int, Estimate]:
        """The number of a figure by seed, for seeds with a file; empty for rows on draws of a split."""
        if cell.provenance.is_drawn:
            return {}
        files = {_seed(path): path.with_name(metric.file) for path in _metrics_files(cell)}
        values = {seed: measure(metric, path) for seed, path in files.items() if path in self.figures}
        return {seed: value for seed, value in values.items() if value is not None}

    def _borrowed(self, metric: FigureMetric, cell: Cell, value: float) -> PooledSpread | None:
        """A figure's standard deviation over seeds, pooled over the other rows of a cell's table."""
        samples = []
        for row in self.rows.values():
            other = next(iter(row.values()))
            if other.part == cell.part and _metrics_files(other):
                entry, _ = self._planned(other)
                found = self._by_seed(metric, other).values() if entry.is_trained else ()
                values = tuple(estimate.value for estimate in found)
                samples.append(Sample(other.row, entry.name, entry.model_kind, metric.name, values))
        return borrow(self._planned(cell)[0].model_kind, samples, value, metric.unit)


def _exact(value: float, rounding: float) -> Number:
    return Number({0: value}, rounding=rounding, trained=False)


def _run(cell: Cell) -> tuple[str, ...]:
    """The key of numbers that are paired by seed: those of one run, or of all rows on draws of a split."""
    part = cell.part
    place = (part.paper, part.dataset, part.corpus, part.split)
    return place if cell.provenance.is_drawn else (*place, cell.provenance.run)


def _metrics_files(cell: Cell) -> list[Path]:
    """The metrics files of a cell's run, without the records of failed trainings."""
    return [path for path in map(Path, cell.provenance.runs) if path.name == "metrics.json"]


def _seed(metrics: Path) -> int:
    """The seed of a metrics file, from the name of its folder."""
    return int(metrics.parent.name.removeprefix("seed"))


def _row_key(cell: Cell) -> RowKey:
    return cell.part.paper, cell.part.table, cell.part.dataset, cell.row, cell.part.corpus
