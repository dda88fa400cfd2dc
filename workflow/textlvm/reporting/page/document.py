"""The page as one HTML text: templates, style and script put together, nothing left to be fetched."""

import base64
import hashlib
import html
import json
import re
import struct
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from textlvm.experiment.paper import Paper
from textlvm.experiment.plan import Figure
from textlvm.reporting.cells import Cell
from textlvm.reporting.claims.judge import RULE as CLAIM_RULE
from textlvm.reporting.page import overview
from textlvm.reporting.page.claims import MARKS as CLAIM_MARKS
from textlvm.reporting.page.claims import Claim, counted
from textlvm.reporting.page.plan import Plan
from textlvm.reporting.page.runs import read_runs
from textlvm.reporting.page.tables import MEANINGS, PARTS, marked, tables
from textlvm.reporting.spread import RULE as BORROWING
from textlvm.reporting.verdict import RULE
from textlvm.runtime.errors import UserError, repair
from textlvm.runtime.files import read_json

__all__ = ["render"]

HERE = Path(__file__).parent
ASSETS = HERE / "assets"
SCALE = 96 / 200
"""Of a figure's pixels, 200 an inch, to those of a style sheet."""


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


def render(papers: Mapping[str, Paper], plan: Plan, cells: Sequence[Cell], claims: Sequence[Claim]) -> str:
    """The page. Raises `UserError` for a file of a run, a figure or a text that is damaged."""
    shown, cards = tables(papers, cells, plan)
    runs = read_runs(plan, papers)
    curves = {
        run.anchor: {"label": run.title, "paper": run.entry.paper, "seeds": run.curves}
        for run in runs
        if any(run.curves.values())
    }
    scripts = [_asset("uplot.min.js"), _asset("page.js")]
    return (
        _templates()
        .get_template("page.html")
        .render(
            plan=plan,
            papers={name: paper.citation for name, paper in papers.items()},
            titles={name: paper.title for name, paper in papers.items()},
            headings=_headings(papers),
            tables=shown,
            parts=PARTS,
            overview=overview.overview(papers, shown, runs),
            states=overview.STATES,
            compared=overview.COMPARED,
            verdicts=[(str(verdict), marked(verdict), meaning) for verdict, meaning in MEANINGS.items()],
            marks=defaultdict(str, {str(verdict): marked(verdict) for verdict in MEANINGS}),
            rule=RULE,
            borrowing=BORROWING,
            claims=claims,
            claim_rule=CLAIM_RULE,
            claim_marks=defaultdict(str, CLAIM_MARKS),
            claims_counted=counted(claims),
            pictures=[_picture(figure, papers[figure.paper], plan) for figure in plan.figures],
            texts=[_text(text, plan) for text in plan.texts],
            runs=runs,
            curves=curves,
            styles=[_asset("uplot.min.css"), _asset("page.css")],
            licence=_asset("uplot.LICENSE"),
            scripts=scripts,
            script_hashes=[_hash(script) for script in scripts],
            data={
                "cards": _json([asdict(card) for card in cards]),
                "meanings": _json({str(verdict): meaning for verdict, meaning in MEANINGS.items()}),
                "curves": _json(curves),
                "quantities": _json(_quantities(papers)),
            },
        )
    )


def _headings(papers: Mapping[str, Paper]) -> Mapping[tuple[str, str], str]:
    """What the papers' tables call a metric, by paper and metric."""
    metrics = ((name, metric) for name, paper in papers.items() for metric in paper.metrics.values())
    return defaultdict(str, {(name, metric.name): metric.heading for name, metric in metrics})


def _quantities(papers: Mapping[str, Paper]) -> Mapping[str, str]:
    """What charts call the quantities of training curves."""
    charts = (chart for paper in papers.values() for chart in paper.curves.values())
    return {name: label for chart in charts for name, label in chart.quantities.items()}


@cache
def _templates() -> Environment:
    """The page's templates; whatever they are given is escaped."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["subscripts"] = _subscripts
    return environment


def _asset(name: str) -> str:
    """A file of ours, to stand as it is inside a style or script element."""
    return (ASSETS / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """By what the page's policy knows a script: no other is run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _json(value: Any) -> str:
    """JSON that is inert inside a script element, whatever texts it holds."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _subscripts(heading: str) -> str:
    """A heading as HTML, with what follows an underscore set below the line, `H_gap`."""
    return re.sub(r"_([\w-]+)", r"<sub>\1</sub>", html.escape(heading))


def _picture(figure: Figure, paper: Paper, plan: Plan) -> Picture:
    path = plan.file(figure.path)
    try:
        png, svg = (path.with_suffix(suffix).read_bytes() for suffix in (".png", ".svg"))
        width, height = struct.unpack(">II", png[16:24])
    except (OSError, struct.error) as error:
        what = f"cannot read the figure {path}.png or .svg ({error})"
        raise UserError(f"{what}; {repair(path.with_suffix('.png'))}") from error
    # Both show the same; a figure of many marks is smaller as pixels.
    kind, content = min(("svg+xml", svg), ("png", png), key=lambda form: len(form[1]))
    return Picture(
        anchor=f"figure/{figure.path}",
        name=f"Figure {figure.number}",
        paper=paper.citation,
        caption=f"{paper.figures[figure.number]}: {figure.title}",
        file=str(path),
        source=f"data:image/{kind};base64,{base64.b64encode(content).decode()}",
        width=round(width * SCALE),
        height=round(height * SCALE),
    )


def _text(text: Figure, plan: Plan) -> dict[str, Any]:
    """A table of texts."""
    path = plan.file(f"{text.path}.json")
    try:
        table = read_json(path)
        return {"anchor": f"text/{text.path}", **{key: table[key] for key in ("title", "kind", "columns")}}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not a table of texts ({error}); {repair(path)}") from error
