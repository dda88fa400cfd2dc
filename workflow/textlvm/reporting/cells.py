"""Cells, the atoms of every table: one metric of one row on one corpus, reproduced beside published.

Tables, claims, figures and pages are renderings of cells; `results/table<N>.csv` is their list.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from textlvm.experiment.paper import Paper
from textlvm.experiment.plan import Planned, Row, RunKey
from textlvm.reporting import published as printed
from textlvm.reporting.published import Published
from textlvm.reporting.runs import Result, read_as_compared
from textlvm.reporting.verdict import Verdict, compare, pool
from textlvm.runtime.errors import UserError

__all__ = ["DATA", "Cell", "build"]


DATA = "data"
"""What stands in place of a run's name where the numbers are those of a data set."""


@dataclass(frozen=True)
class Cell:
    """One metric of one row on one corpus. Absent numbers are None, absent texts empty."""

    paper: str
    table: int
    row: str
    kind: str
    """`own` or `quoted`, as in `Published`; `extra` for a row or metric of which the paper prints nothing."""
    dataset: str
    """The paper's data set that the cell is compared with."""
    corpus: str
    """Name in the registry of the corpus it was run on; empty if the plan has no run for the data set."""
    corpus_title: str
    stand_in: bool
    split: str
    metric: str
    column: str
    """The heading of the paper's column, where the paper prints a number in it; else empty."""
    unit: str
    value: float | None
    low: float | None
    high: float | None
    """95% interval of the estimator, for the mean over seeds."""
    spread: float | None
    """Standard deviation over seeds."""
    repeat_spread: float | None
    """Standard deviation over repeated evaluations of one model, averaged over seeds."""
    by_seed: tuple[tuple[int, float], ...]
    """The seeds behind `value`, each with its own value."""
    seeds: int
    """How many these are."""
    seeds_planned: int
    published: float | None
    published_spread: float | None
    published_bound: str
    digits: int | None
    """Decimals of the published value as printed."""
    difference: float | None
    tolerance: float | None
    verdict: Verdict
    reason: str
    """Why a value is missing, or rests on fewer seeds than planned."""
    run: str
    runs: tuple[str, ...]
    """The metrics files it was made from."""
    settings: str
    """The evaluation's settings as JSON."""
    where: str
    note: str
    """Where the published value stands, and what is to be known about it."""
    reading: str = ""
    """What the evaluation calls the metric, where the paper's text allows several readings of it."""
    demo: float | None = None
    demo_digits: int | None = None
    """The value in the authors' demo, and its decimals as printed there."""

    @property
    def half_units(self) -> float:
        """The largest errors that rounding can have made in both published values, together."""
        return sum(0.5 * 10.0**-digits for digits in (self.digits, self.demo_digits) if digits is not None)


@dataclass(frozen=True)
class _Block:
    """One table, or a data set's part of it, on one corpus; the fields are those of `Cell`."""

    paper: str
    table: int
    dataset: str
    split: str
    corpus: str = ""
    corpus_title: str = ""
    stand_in: bool = False


def build(
    table: int,
    papers: Mapping[str, Paper],
    published: Iterable[Published],
    plan: Iterable[Planned],
    results: dict[RunKey, list[Result]],
) -> list[Cell]:
    """All cells of table number `table` of all papers.

    Every published row appears: once for each corpus that the plan runs for its data set, or once without
    a corpus. Every planned row appears, also where the paper has no such row. Rows keep the paper's
    order, extra rows follow in the plan's; metrics likewise. Raises `UserError` for a planned row
    whose data set the table does not have, and if nothing is planned or published under that number.
    """
    prints = [value for value in published if value.table == table]
    rows = [(entry, row) for entry in plan for row in entry.rows if row.table == table]
    if not prints and not rows:
        raise UserError(f"no paper has a table {table} with numbers, and the plan has no row for it")
    cells: list[Cell] = []
    for block in _blocks(table, papers, prints, rows):
        key = (block.paper, block.dataset, block.split)
        values = [p for p in prints if (p.paper, p.dataset, p.split) == key]
        planned = {row.label: (entry, row) for entry, row in rows if _part(entry) == (*key, block.corpus)}
        for label in dict.fromkeys((*printed.rows(values), *planned)):
            entry, row = planned.get(label, (None, Row(table, label)))
            group = results.get(entry.key, []) if entry else []
            shown = [result.shown(row.metrics) for result in read_as_compared(group, _compared(row))]
            of_row = [value for value in values if value.row == label]
            cells.extend(_row(block, papers[block.paper], row, of_row, entry, shown))
    return cells


def _compared(row: Row) -> dict[str, str]:
    """`Row.compared` of the metrics that the row shows."""
    shown = row.metrics.values()
    return {metric: own for metric, own in row.compared.items() if not shown or metric in shown}


def _part(entry: Planned) -> tuple[str, str, str, str]:
    """The part of a table that an entry is in: paper, data set, split and corpus."""
    return entry.paper, entry.original, entry.split, entry.corpus


def _blocks(
    table: int,
    papers: Iterable[str],
    prints: Sequence[Published],
    rows: Sequence[tuple[Planned, Row]],
) -> list[_Block]:
    """The parts of a table on their corpora: by paper, then as printed, then as planned.

    Raises `UserError` for a row of a data set that the table does not have.
    """
    for entry, row in rows:
        datasets = dict.fromkeys(value.dataset for value in prints if value.paper == entry.paper)
        if datasets and entry.original not in datasets:
            raise UserError(
                f"the plan's row '{row.label}' of {entry.paper} table {table} on '{entry.corpus}' is "
                f"compared with '{entry.original}', but the data sets there are: {', '.join(datasets)}"
            )
    printed_parts = ((value.paper, value.dataset, value.split) for value in prints)
    parts = dict.fromkeys((*printed_parts, *(_part(entry)[:3] for entry, _ in rows)))
    blocks, order = [], list(papers)
    for part in sorted(parts, key=lambda part: order.index(part[0])):
        paper, dataset, split = part
        here = (entry for entry, _ in rows if _part(entry)[:3] == part)
        corpora = dict.fromkeys((entry.corpus, entry.corpus_title, entry.stand_in) for entry in here)
        blocks += [_Block(paper, table, dataset, split, *corpus) for corpus in corpora or [()]]
    return blocks


def _row(
    block: _Block,
    paper: Paper,
    row: Row,
    values: Sequence[Published],
    planned: Planned | None,
    group: Sequence[Result],
) -> Iterator[Cell]:
    """The cells of one row: one for each published or measured metric."""
    by_metric, of_demo = ({v.metric: v for v in values if v.source == own} for own in ("paper", "demo"))
    done = [result for result in group if not result.failed]
    measured = [metric for result in done for metric in result.metrics]
    # A planned row of which nothing is known yet must still show: it gets one cell without a metric.
    for metric in dict.fromkeys((*by_metric, *measured)) or [""]:
        value = by_metric.get(metric)
        yield Cell(
            **asdict(block),
            row=row.label,
            metric=metric,
            **_printed(paper, value, of_demo.get(metric)),
            **_outcome(paper, row, metric, value, planned, group),
            run=planned.name if planned else "",
            runs=tuple(result.path for result in group),
            settings=_settings(done),
        )


def _printed(paper: Paper, value: Published | None, demo: Published | None) -> dict[str, Any]:
    """The published half of a cell."""
    return {
        "kind": value.kind if value else "extra",
        "column": _heading(paper, value) if value else "",
        "published": value.value if value else None,
        "published_spread": value.spread if value else None,
        "published_bound": value.bound if value else "",
        "digits": value.digits if value else None,
        "where": value.where if value else "",
        "note": value.note if value else "",
        "demo": demo.value if demo else None,
        "demo_digits": demo.digits if demo else None,
    }


def _heading(paper: Paper, value: Published) -> str:
    """The heading of the column that a value is printed in; empty for one of a caption or a footnote."""
    return paper.metric(value.metric).heading if value.metric in paper.tables[value.table].columns else ""


def _outcome(
    paper: Paper,
    row: Row,
    metric: str,
    value: Published | None,
    planned: Planned | None,
    group: Sequence[Result],
) -> dict[str, Any]:
    """The reproduced half of a cell and its verdict."""
    done = [result for result in group if not result.failed]
    failures = _failures(group)
    measured = [result for result in done if metric in result.metrics]
    estimates = [result.metrics[metric] for result in measured]
    seeds_planned = len(planned.seeds) if planned else 0
    numbers = ("value", "low", "high", "spread", "repeat_spread", "difference", "tolerance")
    outcome: dict[str, Any] = dict.fromkeys(numbers)
    outcome["by_seed"] = tuple((result.seed, result.metrics[metric].value) for result in measured)
    outcome |= {
        "unit": paper.metric(metric).unit if value else "",
        "seeds": len(estimates),
        "seeds_planned": seeds_planned,
    }
    if not estimates:
        if planned is None and value is not None and value.kind == "quoted":
            return outcome | {"verdict": Verdict.QUOTED, "reason": value.unavailable}
        if failures and not done:
            return outcome | {"verdict": Verdict.FAILED, "reason": failures}
        reason = f"the evaluation gives no '{metric}'" if done else "" if planned else "not in the plan"
        return outcome | {"verdict": Verdict.NOT_RUN, "reason": reason}
    outcome["unit"] = _unit(paper, metric, [estimate.unit for estimate in estimates], done[0].path)
    mean = pool(estimates)
    outcome |= vars(mean)
    if repeats := [result.repeats[metric] for result in done if metric in result.repeats]:
        outcome["repeat_spread"] = math.fsum(repeats) / len(repeats)
    called = row.metrics.get(metric, metric)
    wanted = row.compared.get(called)
    if wanted:
        outcome["reading"] = measured[0].readings.get(metric, called)
    is_other = wanted not in (None, outcome.get("reading"))
    other = f"the evaluation gives no '{wanted}', what stands there is its '{called}'" if is_other else ""
    missing = "" if len(estimates) == seeds_planned else f"{len(estimates)} of {seeds_planned} seeds"
    outcome["reason"] = "; ".join(filter(None, (missing, failures, other)))
    if value is None:
        return outcome | {"verdict": Verdict.UNPUBLISHED}
    assert planned is not None  # what has been measured was planned
    of_training = paper.is_of_training(called) and planned.is_trained
    found = compare(mean, value.value, value.half_unit, value.spread, planned.stand_in, of_training)
    if is_other and not planned.stand_in:
        found = replace(found, tolerance=None, verdict=Verdict.UNDECIDED)
    return outcome | vars(found)


def _failures(group: Sequence[Result]) -> str:
    seeds: dict[str, list[str]] = {}
    for result in group:
        if result.failed:
            seeds.setdefault(result.reason or "no reason given", []).append(str(result.seed))
    return "; ".join(f"failed with seed {', '.join(own)}: {reason}" for reason, own in seeds.items())


def _unit(paper: Paper, metric: str, units: Sequence[str], place: str) -> str:
    """The unit that all seeds share with paper.yaml. Raises `UserError` where they differ."""
    found = list(dict.fromkeys(units))
    declared = paper.metrics[metric].unit if metric in paper.metrics else found[0]
    for unit in found:
        if unit != declared:
            where = f"{paper.folder}/paper.yaml" if metric in paper.metrics else "another seed"
            raise UserError(
                f"{place}: metric '{metric}' comes in {unit}, in {where} in {declared}: make them the same"
            )
    return declared


def _settings(done: Sequence[Result]) -> str:
    """The settings the seeds share; a setting that differs between them reads `varies`."""
    keys = dict.fromkeys(key for result in done for key in result.settings)
    found = {key: [result.settings.get(key) for result in done] for key in keys}
    shared = {key: v[0] if all(x == v[0] for x in v) else "varies" for key, v in found.items()}
    return json.dumps(shared, ensure_ascii=False) if shared else ""
