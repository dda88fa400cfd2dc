"""The page of all recorded experiments as one HTML text."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textlvm.experiment.plan import Product
from textlvm.reporting.claims.judge import Outcome
from textlvm.reporting.fits import Fit
from textlvm.reporting.page import overview
from textlvm.reporting.page.document import Picture, curves, picture, script_data, shared_values
from textlvm.reporting.page.frame import render_template
from textlvm.reporting.page.readings import columns, interval
from textlvm.reporting.page.runs import RunSection, read_runs, thinned
from textlvm.reporting.page.tables import Card, TableSection, tables
from textlvm.reporting.recorded import summary
from textlvm.reporting.recorded.images import indexed
from textlvm.reporting.recorded.records import Record, command
from textlvm.runtime.errors import UserError

__all__ = ["render"]

HERE = Path(__file__).parent
MEANINGS = {
    Outcome.HOLDS: " that hold in at least one experiment and fail in none",
    Outcome.FAILS: " that fail in at least one experiment and hold in none",
    summary.DIFFERS: " that hold in one experiment and fail in another",
    Outcome.UNDECIDED: " that no experiment decides",
    summary.UNTESTED: " for which no experiment has all numbers",
}
"""The description of each group of claims."""
POINTS = 40
"""Maximum number of points of a curve: the page has the curves of all experiments."""


@dataclass(frozen=True)
class Panel:
    """The page's part about one experiment."""

    record: Record
    overview: overview.Overview
    numbers: summary.Counts
    tables: tuple[TableSection, ...]
    pictures: tuple[Picture, ...]
    columns: Mapping[str, Sequence[Fit]]
    runs: tuple[RunSection, ...]


def render(records: Sequence[Record]) -> str:
    """The page. Raises `UserError` for a recorded file that is damaged."""
    if not records:
        raise UserError("no experiment has a recorded number: record one (results/recorded/README.md)")
    cards: list[Card] = []
    panels = []
    for record in records:
        shown, cards = tables(record.papers, record.cells, record.plan, cards)
        panels.append(_panel(record, shown))
    papers = {name: paper for record in records for name, paper in record.papers.items()}
    drawn: dict[str, Any] = {}
    for panel in panels:
        drawn |= curves(panel.runs, lambda run: run.anchor.partition("/")[0])
    claims = summary.claims(records)
    groups = {group: [claim for claim in claims if claim.outcome == group] for group in summary.GROUPS}
    values = {
        "panels": panels,
        "has_demo": any(table.has_demo for panel in panels for table in panel.tables),
        "titles": {name: paper.title for name, paper in papers.items()},
        "numbers": summary.numbers(records),
        "by_paper": {name: summary.numbers(records, name) for name in papers},
        "states": overview.STATES,
        "claims": claims,
        "groups": groups,
        "meanings": MEANINGS,
        "curves": drawn,
        "interval": interval,
    }
    return render_template(
        "recorded.html",
        script_data(papers, cards, drawn),
        shared_values(papers) | values,
        HERE / "templates",
        [HERE / "assets" / "recorded.css"],
        [HERE / "assets" / "recorded.js"],
    )


def _panel(record: Record, shown: Sequence[TableSection]) -> Panel:
    plan, papers = record.plan, record.papers
    runs = read_runs(plan, papers)
    return Panel(
        record=record,
        overview=overview.overview(papers, plan, shown, runs),
        numbers=summary.numbers([record]),
        # A clone does not have the other formats of a table.
        tables=tuple(replace(table, file="") for table in shown),
        pictures=tuple(_picture(figure, record) for figure in plan.figures),
        columns=columns(record.readings, record.papers),
        runs=tuple(_recorded(run, record) for run in runs),
    )


def _recorded(run: RunSection, record: Record) -> RunSection:
    """A run without the files that a clone lacks, and with a command that needs no other run."""
    short_curves = {
        seed: {name: thinned(*series, POINTS) for name, series in quantities.items()}
        for seed, quantities in run.curves.items()
    }
    rerun = command(record.plan, run.entry)
    return replace(run, curves=short_curves, origins={}, record="", logs=(), command=rerun)


def _picture(figure: Product, record: Record) -> Picture:
    """A figure as a PNG with few colours."""
    found = picture(figure, record.papers[figure.paper], record.plan)
    png = indexed(record.plan.file(f"{figure.path}.png").read_bytes())
    return replace(found, source=f"data:image/png;base64,{base64.b64encode(png).decode()}")
