"""Tables in the layout of the papers: rows in the paper's order, with reproduced and published values.

There is one table for each corpus, or one over the paper's data sets, as paper.yaml defines. If several data
sets have the same rows, data sets become the rows and models the columns of a table with one metric; in other
tables, row labels contain the data set.

The columns of paper.yaml come first. Numbers that the paper prints outside a column (a footnote, a caption)
and other measured metrics of paper.yaml form a second table; the tidy table has all metrics. The best value
of a column is not marked: bold type would look like a claim, and only claims decide whether a difference
between rows exceeds the noise.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from textlvm.experiment.declarations import Metric
from textlvm.experiment.paper import Paper
from textlvm.reporting.cells import Cell
from textlvm.reporting.markup import latex, markdown
from textlvm.reporting.notes import notes, title
from textlvm.reporting.verdict import MARKS, Verdict
from textlvm.runtime.errors import UserError, nearest

__all__ = [
    "LARGE",
    "NOTHING",
    "Shape",
    "as_csv",
    "as_latex",
    "as_markdown",
    "demo",
    "published",
    "reproduced",
    "shape",
]

NOTHING = "–"
LARGE = 1e7
"""Numbers from this magnitude on are written with an exponent."""


@dataclass(frozen=True)
class Shape:
    """The cells of one table of one paper in rows and columns."""

    paper: Paper
    table: int
    corpus: str
    """The corpus of all cells; empty for a table over the paper's data sets."""
    title: str
    """Paper, number, corpus, and whether the corpus is a stand-in."""
    stub: str
    """The heading of the rows."""
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    """Metrics that are columns of the table, in the paper's order; models, if the rows are data sets."""
    extras: tuple[str, ...]
    """Metrics of the second table."""
    headings: dict[str, str]
    """The headings of metrics; a model is its own heading."""
    cells: dict[tuple[str, str], Cell]
    """By row and column."""
    notes: tuple[str, ...]

    def cell(self, row: str, metric: str) -> Cell | None:
        """The cell of a row and metric; for a row without metrics, its only cell."""
        return self.cells.get((row, metric), self.cells.get((row, "")))

    def heading(self, metric: str) -> str:
        """The heading of a column."""
        return self.headings.get(metric, metric)

    def unit(self, metric: str) -> str:
        """The unit of a column; empty if it is unknown."""
        return next((cell.unit for (_, name), cell in self.cells.items() if name == metric and cell.unit), "")

    def has_demo(self, metric: str) -> bool:
        """Whether the authors' demo has a number in a column."""
        column = (cell.printed for (_, name), cell in self.cells.items() if name == metric)
        return any(printed.demo is not None for printed in column if printed)

    def decimals(self, metric: str) -> int:
        """Decimals of a column: as many as printed, and up to two more if the spread over seeds is small."""
        column = [cell for (_, name), cell in self.cells.items() if name == metric]
        declared = self.paper.metrics.get(metric)
        default = declared.digits if declared else Metric.digits
        printed = max((cell.printed.digits for cell in column if cell.printed), default=default)
        measured = [cell.measured for cell in column if cell.measured]
        # The spread of equal seeds consists of rounding errors.
        spreads = [m.spread for m in measured if m.spread and m.value and m.spread > 1e-9 * abs(m.value)]
        needed = math.ceil(-math.log10(statistics.median(spreads))) if spreads else printed
        return max(0, printed, min(needed, printed + 2))


def shape(cells: Iterable[Cell], paper: Paper, table: int, corpus: str = "") -> Shape:
    """Arrange table number `table` of `paper` on `corpus`, or over all data sets of the paper.

    Raises `UserError` if the cells have no such table, or not on that corpus.
    """
    of_table = [cell for cell in cells if (cell.part.paper, cell.part.table) == (paper.name, table)]
    chosen = [cell for cell in of_table if not corpus or cell.part.corpus == corpus]
    if not chosen:
        corpora = {cell.part.corpus for cell in of_table if cell.part.corpus}
        tail = nearest(corpus, corpora) if corpora else "the plan has it on no corpus"
        raise UserError(f"the tidy table has no {paper.name} table {table} on corpus '{corpus}'; {tail}")
    datasets = dict.fromkeys(c.part.dataset for c in chosen)
    known = {c.metric for c in chosen if c.metric}
    labels = {(c.part.dataset, c.row): c.row for c in chosen}
    if is_shared := not corpus and len(labels) > len({*labels.values()}):
        if len(known) <= 1:
            return _by_dataset(chosen, paper, datasets)
        labels = {(dataset, row): f"{row}, {paper.datasets[dataset]}" for dataset, row in labels}
    columns = tuple(metric for metric in paper.tables[table].columns if metric in known)
    printed = sorted(chosen, key=lambda c: c.printed is None)
    others = [
        c for c in printed if c.printed or (c.metric in paper.metrics and paper.metrics[c.metric].shown)
    ]
    extras = dict.fromkeys(c.metric for c in others if c.metric not in columns)
    return Shape(
        paper=paper,
        table=table,
        corpus=corpus,
        title=title(chosen, paper),
        stub="Model" if len(datasets) == 1 or is_shared else "Data",
        rows=tuple(dict.fromkeys(labels.values())),
        columns=columns,
        extras=tuple(extras),
        headings={metric: paper.metric(metric).heading or metric for metric in columns},
        cells={(labels[c.part.dataset, c.row], c.metric): c for c in chosen},
        notes=tuple(notes(chosen, paper)),
    )


def _by_dataset(chosen: Sequence[Cell], paper: Paper, datasets: Iterable[str]) -> Shape:
    """A table of one metric, with a row for each data set and a column for each model."""
    labels = tuple(dict.fromkeys(c.row for c in chosen))
    return Shape(
        paper=paper,
        table=chosen[0].part.table,
        corpus="",
        title=title(chosen, paper),
        stub="Data",
        rows=tuple(paper.datasets[dataset] for dataset in datasets),
        columns=labels,
        extras=(),
        headings={},
        cells={(paper.datasets[c.part.dataset], c.row): c for c in chosen},
        notes=tuple(notes(chosen, paper)),
    )


def as_csv(shape: Shape) -> str:
    """The table for programs: unrounded metrics with spread, interval, published value and verdict."""
    lines = []
    for row in shape.rows:
        of_row = [cell for (name, _), cell in shape.cells.items() if name == row]
        line: dict[str, object] = {"row": row, "seeds": max(c.seeds for c in of_row)}
        line["seeds_planned"] = of_row[0].provenance.seeds_planned
        for metric in (*shape.columns, *shape.extras):
            cell = shape.cells.get((row, metric))
            measured, printed = (cell.measured, cell.printed) if cell else (None, None)
            line[metric] = measured.value if measured else None
            for name in ("spread", "repeat_spread", "low", "high"):
                line[f"{metric}_{name}"] = getattr(measured, name) if measured else None
            line[f"{metric}_published"] = printed.value if printed else None
            line[f"{metric}_difference"] = cell.comparison.difference if cell else None
            line[f"{metric}_verdict"] = cell.verdict if cell else None
            if shape.has_demo(metric):
                line[f"{metric}_demo"] = printed.demo if printed else None
        lines.append(line)
    return pd.DataFrame(lines).to_csv(index=False, lineterminator="\n")


def as_markdown(shape: Shape) -> str:
    """The table for readers: title, the paper's columns, further metrics, notes."""
    parts = [f"# {markdown(shape.title)}", _markdown(shape, shape.columns)]
    if shape.extras:
        parts += ["Further numbers, for which the paper has no column:", _markdown(shape, shape.extras)]
    parts.append("\n".join(f"- {markdown(note)}" for note in shape.notes))
    return "\n\n".join(parts) + "\n"


def as_latex(shape: Shape) -> str:
    """A LaTeX `table` with the paper's columns; requires the packages booktabs and amsmath."""
    headings, columns = [("", shape.stub)], [list(shape.rows)]
    for metric in shape.columns:
        heading = _latex_heading(shape, metric)
        texts = _texts(shape, metric)
        headings += [(heading, source) for source in texts]
        columns += texts.values()
    frame = pd.DataFrame(dict(enumerate(columns))).map(latex)
    frame.columns = pd.MultiIndex.from_tuples(headings)
    tabular = frame.to_latex(
        index=False, escape=False, multicolumn_format="c", column_format="l" + "r" * (len(columns) - 1)
    )
    notes = " ".join(f"{latex(note)}." for note in shape.notes)
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering\small\setlength{\tabcolsep}{4pt}",
            rf"\caption{{{latex(shape.title)}. {notes}}}",
            rf"\label{{tab:{'-'.join(filter(None, (shape.paper.name, str(shape.table), shape.corpus)))}}}",
            tabular + r"\end{table}",
            "",
        ]
    )


def _latex_heading(shape: Shape, column: str) -> str:
    # The column may be a model, whose label comes from the configuration.
    formula = shape.paper.metric(column).latex if column in shape.headings else ""
    return formula or latex(shape.heading(column))


def _markdown(shape: Shape, metrics: Sequence[str]) -> str:
    headings, columns = [shape.stub], [list(shape.rows)]
    for metric in metrics:
        texts = _texts(shape, metric)
        headings.append(_with_unit(shape, metric))
        columns.append(texts.pop("here"))
        for source, column in texts.items():
            if any(text != NOTHING for text in column):
                headings.append(source)
                columns.append(column)
    # Columns are numbered because headings are not unique.
    frame = pd.DataFrame(dict(enumerate(columns))).map(markdown)
    filled = frame.drop(columns=0).ne(NOTHING).any(axis="columns")
    return frame[filled].to_markdown(
        index=False,
        headers=[markdown(heading) for heading in headings],
        colalign=("left", *["right"] * (len(columns) - 1)),
        disable_numparse=True,
    )


def _with_unit(shape: Shape, metric: str) -> str:
    unit = shape.unit(metric)
    return f"{shape.heading(metric)} ({unit})" if unit else shape.heading(metric)


def _texts(shape: Shape, metric: str) -> dict[str, list[str]]:
    """The texts of a column by source: reproduced here, the paper, and the authors' demo if it has values."""
    cells = [shape.cell(row, metric) for row in shape.rows]
    decimals = shape.decimals(metric)
    marks = [f" {MARKS[cell.verdict]}" if cell and cell.verdict in MARKS else "" for cell in cells]
    here = [reproduced(cell, decimals) + mark for cell, mark in zip(cells, marks, strict=True)]
    texts = {"here": here, "paper": [published(cell) for cell in cells]}
    return texts | ({"demo": [demo(cell) for cell in cells]} if shape.has_demo(metric) else {})


def reproduced(cell: Cell | None, decimals: int) -> str:
    """A reproduced value with its spread over seeds; the verdict if there is no value."""
    if cell is None or cell.verdict is Verdict.QUOTED:
        return NOTHING
    if cell.measured is None:
        return str(cell.verdict)
    value, deviation = cell.measured.value, cell.measured.spread
    form = ".1e" if abs(value) >= LARGE else f".{decimals}f"
    spread = f" ± {deviation:{form}}" if deviation is not None else ""
    return f"{value:{form}}{spread}"


def published(cell: Cell | None) -> str:
    """A printed value with its bound and spread."""
    if cell is None or cell.printed is None:
        return NOTHING
    printed = cell.printed
    spread = f" ± {printed.spread:g}" if printed.spread is not None else ""
    return f"{_printed(printed.value, printed.digits, printed.bound)}{spread}"


def demo(cell: Cell | None) -> str:
    """The value of the authors' demo as printed there."""
    if cell is None or cell.printed is None or cell.printed.demo is None:
        return NOTHING
    return _printed(cell.printed.demo, cell.printed.demo_digits, cell.printed.bound)


def _printed(value: float, digits: int | None, bound: str) -> str:
    text = f"{value:.1e}" if abs(value) >= LARGE else f"{value:.{max(0, digits or 0)}f}"
    return f"≤ {text}" if bound == "upper" else text
