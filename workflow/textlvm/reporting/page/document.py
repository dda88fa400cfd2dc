"""Renders the page of one experiment as one HTML text."""

import base64
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from textlvm.experiment.paper import Paper
from textlvm.experiment.plan import Product
from textlvm.reporting.cells import Cell
from textlvm.reporting.claims.judge import RULE as CLAIM_RULE
from textlvm.reporting.fits import Fit
from textlvm.reporting.page import overview
from textlvm.reporting.page.claims import MARKS as CLAIM_MARKS
from textlvm.reporting.page.claims import ClaimGroup, counted, undecided
from textlvm.reporting.page.frame import render_template
from textlvm.reporting.page.plan import Plan
from textlvm.reporting.page.readings import columns, interval
from textlvm.reporting.page.runs import RunSection, read_runs
from textlvm.reporting.page.tables import MEANINGS, PARTS, Card, marked, tables
from textlvm.reporting.spread import RULE as BORROWING
from textlvm.reporting.verdict import RULE
from textlvm.runtime.errors import UserError, repair
from textlvm.runtime.files import read_input

__all__ = ["Picture", "curves", "picture", "render", "script_data", "shared_values"]

SCALE = 96 / 200
"""The ratio of a figure's pixels, 200 per inch, to CSS pixels."""


@dataclass(frozen=True)
class Picture:
    """A figure inside the page."""

    anchor: str
    name: str
    paper: str
    caption: str
    file: str
    source: str
    """The image as a data URL."""
    width: int
    height: int


def render(
    papers: Mapping[str, Paper],
    plan: Plan,
    cells: Sequence[Cell],
    claims: Sequence[ClaimGroup],
    readings: Sequence[Fit] = (),
) -> str:
    """The page. Raises `UserError` if a file of a run, a figure or a text is damaged."""
    shown, cards = tables(papers, cells, plan)
    runs = read_runs(plan, papers)
    drawn = curves(runs, lambda run: papers[run.entry.paper].citation)
    values = {
        "plan": plan,
        "titles": {name: paper.title for name, paper in papers.items()},
        "tables": shown,
        "has_demo": any(table.has_demo for table in shown),
        "overview": overview.overview(papers, plan, shown, runs),
        "states": overview.STATES,
        "compared": overview.COMPARED,
        "columns": columns(readings, papers),
        "interval": interval,
        "claims": claims,
        "claims_counted": counted(claims),
        "undecided": undecided(claims),
        "pictures": [picture(figure, papers[figure.paper], plan) for figure in plan.figures],
        "texts": [_text(text, plan) for text in plan.texts],
        "runs": runs,
        "curves": drawn,
    }
    return render_template("page.html", script_data(papers, cards, drawn), shared_values(papers) | values)


def curves(runs: Iterable[RunSection], group: Callable[[RunSection], str]) -> dict[str, Any]:
    """The curves of all charts, by section; `group` returns the heading of a run in lists of runs."""
    return {
        run.anchor: {
            "label": run.title,
            "group": group(run),
            "paper": run.entry.paper,
            "seeds": run.curves,
        }
        for run in runs
        if any(run.curves.values())
    }


def shared_values(papers: Mapping[str, Paper]) -> dict[str, Any]:
    """The variables of all templates: names, marks and rules."""
    return {
        "papers": {name: paper.citation for name, paper in papers.items()},
        "headings": _headings(papers),
        "parts": PARTS,
        "verdicts": [(str(verdict), marked(verdict), meaning) for verdict, meaning in MEANINGS.items()],
        "marks": defaultdict(str, {str(verdict): marked(verdict) for verdict in MEANINGS}),
        "rule": RULE,
        "borrowing": BORROWING,
        "claim_rule": CLAIM_RULE,
        "claim_marks": defaultdict(str, CLAIM_MARKS),
    }


def script_data(
    papers: Mapping[str, Paper], cards: Iterable[Card], drawn: Mapping[str, Any]
) -> dict[str, Any]:
    """The data of the script of every page, by name."""
    return {
        "cards": _indexed(cards),
        "meanings": {str(verdict): meaning for verdict, meaning in MEANINGS.items()},
        "curves": drawn,
        "quantities": _quantities(papers),
    }


def _indexed(cards: Iterable[Card]) -> dict[str, Any]:
    """The texts of all cards without repetition, and each card as a list of indices of its texts."""
    indices: dict[str, int] = {}
    numbered = [
        [
            indices.setdefault(text, len(indices))
            for text in (card.title, card.verdict, card.anchor, card.run, *chain.from_iterable(card.lines))
        ]
        for card in cards
    ]
    return {"texts": list(indices), "cards": numbered}


def _headings(papers: Mapping[str, Paper]) -> Mapping[tuple[str, str], str]:
    """The headings of metrics, by paper and metric."""
    metrics = (
        (name, metric)
        for name, paper in papers.items()
        for metric in (*paper.metrics.values(), *paper.figure_metrics.values())
    )
    return defaultdict(str, {(name, metric.name): metric.heading for name, metric in metrics})


def _quantities(papers: Mapping[str, Paper]) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """The label and unit of quantities in charts of training curves, by paper and quantity."""
    return {
        name: {
            quantity: {"label": label, "unit": chart.unit}
            for chart in paper.curves.values()
            for quantity, label in chart.quantities.items()
        }
        for name, paper in papers.items()
    }


def picture(figure: Product, paper: Paper, plan: Plan) -> Picture:
    """A figure as PNG, or as SVG if that exists and is not larger; both show the same.

    Raises `UserError` if there is no PNG.
    """
    path = plan.file(figure.path)
    try:
        png = path.with_suffix(".png").read_bytes()
        width, height = struct.unpack(">II", png[16:24])
        kind, content, svg = "png", png, path.with_suffix(".svg")
        if svg.exists() and svg.stat().st_size <= len(png):
            kind, content = "svg+xml", svg.read_bytes()
    except (OSError, struct.error) as error:
        what = f"cannot read the figure {path}.png or .svg ({error})"
        raise UserError(f"{what}; {repair(path.with_suffix('.png'))}") from error
    return Picture(
        anchor=f"{plan.prefix}figure/{figure.path}",
        name=f"Figure {figure.number}",
        paper=paper.citation,
        caption=f"{paper.figures[figure.number]}: {figure.title}",
        file=str(path),
        source=f"data:image/{kind};base64,{base64.b64encode(content).decode()}",
        width=round(width * SCALE),
        height=round(height * SCALE),
    )


def _text(text: Product, plan: Plan) -> dict[str, Any]:
    """A table of texts."""
    path = plan.file(f"{text.path}.json")
    return read_input(path, "title", "kind", "columns") | {"anchor": f"text/{text.path}"}
