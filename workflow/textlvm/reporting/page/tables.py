"""The papers' tables for the page: the texts, sort keys and card of each cell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from textlvm.experiment.paper import Paper
from textlvm.reporting import shapes
from textlvm.reporting.cells import DATA, Cell
from textlvm.reporting.page.formats import short, signed, typeset
from textlvm.reporting.page.plan import Plan
from textlvm.reporting.shapes import NOTHING, Shape
from textlvm.reporting.verdict import MARKS, Measurement, Verdict

__all__ = [
    *("MEANINGS", "PARTS"),
    *("Card", "Column", "Field", "Grid", "GridRow", "TableSection", "marked", "tables"),
]

MEANINGS = {
    Verdict.WITHIN: "agrees with the printed value",
    Verdict.OUTSIDE: "does not agree with the printed value",
    Verdict.UNDECIDED: "differs by more than the rule allows, but there is only one seed or draw and no row "
    "to borrow a standard deviation from; or computed with a reading other than the compared one",
    Verdict.STAND_IN: "the corpus is a stand-in: both numbers are shown without a verdict",
    Verdict.NOT_RUN: "there is no number yet",
    Verdict.FAILED: "the training ended without a number",
    Verdict.UNPUBLISHED: "the paper prints no number",
    Verdict.QUOTED: "the paper quotes this number from elsewhere; the model is not trained here",
}
"""The meaning of verdicts, for the legend and cards."""
PARTS = ("here", "paper", "demo", "diff")
"""The parts of a column: reproduced, printed, authors' demo, difference."""
STAND_IN_MARK = "◇"


@dataclass(frozen=True)
class Card:
    """The card of a cell, shown by the page's script."""

    title: str
    verdict: str
    lines: tuple[tuple[str, str], ...]
    """A label and a number."""
    anchor: str
    """The section of its run; empty if it has none."""
    run: str
    """The label of its run."""


@dataclass(frozen=True)
class Field:
    """One cell's numbers as text, and their sort keys."""

    card: int | None
    """The index of its card; None for a cell without a card."""
    verdict: str
    mark: str
    here: str
    paper: str
    demo: str
    difference: str
    order: tuple[float | None, float | None, float | None, float | None]
    """The sort keys, in the order of `PARTS`."""


@dataclass(frozen=True)
class Column:
    """A column of the paper's table."""

    heading: str
    unit: str
    published: bool
    """Whether the paper prints a number in it."""
    demo: bool
    """Whether the authors' demo has a number in it."""
    of_metric: bool
    """Whether the heading names a metric and may have subscripts; otherwise, it is the label of a model."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Those of `PARTS` that the column has."""
        absent = {"demo": not self.demo, "paper": not self.published, "diff": not self.published}
        return tuple(part for part in PARTS if not absent.get(part))


@dataclass(frozen=True)
class GridRow:
    """A row of the paper's table."""

    label: str
    kind: str
    """own | quoted | extra, as in `Cell`."""
    anchor: str
    """The section of its run; empty if it has none or several."""
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Grid:
    """Columns and rows."""

    columns: tuple[Column, ...]
    rows: tuple[GridRow, ...]


@dataclass(frozen=True)
class TableSection:
    """One table of one paper on the page."""

    anchor: str
    paper: str
    name: str
    """Its name in the contents."""
    title: str
    stub: str
    main: Grid
    further: Grid | None
    """The numbers for which the paper has no column."""
    notes: tuple[str, ...]
    file: str
    """The path of the same table in other formats, without suffix."""
    cells: tuple[Cell, ...]

    @property
    def has_demo(self) -> bool:
        """Whether a cell has a number of the authors' demo."""
        return any(cell.printed and cell.printed.demo is not None for cell in self.cells)


def tables(
    papers: Mapping[str, Paper], cells: Sequence[Cell], plan: Plan, before: Sequence[Card] = ()
) -> tuple[list[TableSection], list[Card]]:
    """The tables of all papers, and `before` followed by the cards of their cells.

    Papers outside the plan are omitted. Tables with `each: corpus` in paper.yaml are shown for each corpus.
    """
    found: list[TableSection] = []
    cards = list(before)
    for paper in papers.values():
        of_paper = [cell for cell in cells if cell.part.paper == paper.name]
        corpora = list(dict.fromkeys(cell.part.corpus for cell in of_paper if cell.part.corpus))
        for corpus in [*corpora, ""] if corpora else []:
            each = "corpus" if corpus else "paper"
            numbers = {cell.part.table for cell in of_paper if not corpus or cell.part.corpus == corpus}
            for number in sorted(number for number in numbers if paper.tables[number].each == each):
                found.append(_table(shapes.shape(of_paper, paper, number, corpus), len(corpora), plan, cards))
    return found, cards


def marked(verdict: Verdict) -> str:
    """The mark of a verdict, in addition to its color; empty if the cell shows a text instead."""
    return STAND_IN_MARK if verdict is Verdict.STAND_IN else MARKS.get(verdict, "")


def _table(shape: Shape, corpora: int, plan: Plan, cards: list[Card]) -> TableSection:
    further = _grid(shape, shape.extras, plan, cards) if shape.extras else None
    place = "/".join(filter(None, (shape.paper.name, shape.corpus)))
    several = f", {shape.corpus}" if shape.corpus and corpora > 1 else ""
    folder = f"{plan.results}/partial" if plan.partial else plan.results
    return TableSection(
        anchor=f"{plan.prefix}table/{place}/{shape.table}",
        paper=shape.paper.name,
        name=f"Table {shape.table}{several}",
        title=shape.title,
        stub=shape.stub,
        main=_grid(shape, shape.columns, plan, cards),
        further=further,
        notes=shape.notes,
        file=f"{folder}/{place}/table{shape.table}",
        cells=tuple(shape.cells.values()),
    )


def _grid(shape: Shape, metrics: Sequence[str], plan: Plan, cards: list[Card]) -> Grid:
    columns = []
    for metric in metrics:
        of_column = [cell for (_, name), cell in shape.cells.items() if name == metric]
        published = any(cell.printed for cell in of_column)
        of_metric = any(cell.metric == metric for cell in of_column)
        demo = shape.has_demo(metric)
        columns.append(Column(shape.heading(metric), shape.unit(metric), published, demo, of_metric))
    rows = []
    for label in shape.rows:
        of_row = [shape.cell(label, metric) for metric in metrics]
        if any(of_row):
            entries = [plan.entry(cell) if cell else None for cell in of_row]
            runs = [(plan.anchor(entry), entry.label) if entry else ("", "") for entry in entries]
            fields = [
                _field(cell, run, f"{label}, {shape.heading(metric)}", shape.decimals(metric), cards)
                for cell, run, metric in zip(of_row, runs, metrics, strict=True)
            ]
            anchors = {anchor for anchor, _ in runs if anchor}
            kinds = {cell.kind for (name, _), cell in shape.cells.items() if name == label}
            kind = next((kind for kind in ("own", "quoted", "extra") if kind in kinds), "")
            rows.append(GridRow(label, kind, anchors.pop() if len(anchors) == 1 else "", tuple(fields)))
    return Grid(tuple(columns), tuple(rows))


def _field(cell: Cell | None, run: tuple[str, str], title: str, decimals: int, cards: list[Card]) -> Field:
    if cell is None:
        return Field(None, "", "", NOTHING, NOTHING, NOTHING, NOTHING, (None, None, None, None))
    lines = tuple(_lines(cell, decimals))
    cards.append(Card(title, str(cell.verdict), lines, *run))
    apart, printed, measured = cell.comparison.difference, cell.printed, cell.measured
    difference = NOTHING if apart is None else signed(apart, decimals)
    return Field(
        card=len(cards) - 1,
        verdict=str(cell.verdict).replace(" ", "-"),
        mark=marked(cell.verdict) if measured else "",
        here=typeset(shapes.reproduced(cell, decimals)),
        paper=typeset(shapes.published(cell)),
        demo=typeset(shapes.demo(cell)),
        difference=difference,
        order=(
            measured.value if measured else None,
            printed.value if printed else None,
            printed.demo if printed else None,
            apart,
        ),
    )


def _lines(cell: Cell, decimals: int) -> Iterable[tuple[str, str]]:
    """The lines of a cell's card."""
    unit = f" {cell.unit}" if cell.unit else ""
    printed, measured, comparison = cell.printed, cell.measured, cell.comparison
    title, stand_in = cell.part.corpus_title, " (stand-in)" if cell.part.stand_in else ""
    if measured:
        yield "reproduced", f"{short(measured.value)}{unit}"
        yield from _noise(cell, measured)
    if printed:
        yield "printed", f"{typeset(shapes.published(cell))}{unit} ({printed.where})"
    if printed and printed.demo is not None:
        yield "authors' demo", f"{typeset(shapes.demo(cell))}{unit}"
    if comparison.difference is not None:
        yield "difference", signed(comparison.difference, max(decimals, 4))
    if comparison.tolerance is not None:
        yield "allowed", f"± {short(comparison.tolerance)}"
    texts = {
        "measured as": measured.reading if measured else "",
        "reason": cell.provenance.reason,
        "note": printed.note if printed else "",
        "corpus": f"{title}{stand_in}" if title else "",
    }
    yield from ((name, text) for name, text in texts.items() if text)


def _noise(cell: Cell, measured: Measurement) -> Iterable[tuple[str, str]]:
    """The lines of a card about the errors of a number."""
    unit = cell.provenance.replicate
    if measured.spread is not None:
        yield f"over {unit}s", f"standard deviation {short(measured.spread)}, {cell.seeds} {unit}s"
    elif measured.borrowed:
        yield f"over {unit}s", f"one {unit}; {short(measured.borrowed.value)}, {measured.borrowed}"
    elif cell.provenance.run != DATA:
        yield f"over {unit}s", f"one {unit}, so the spread is unknown"
    if measured.low is not None and measured.high is not None:
        yield "estimator", f"95% interval {short(measured.low)} to {short(measured.high)}"
    if measured.repeat_spread is not None:
        yield "repeats", f"standard deviation {short(measured.repeat_spread)} over evaluations of one model"
