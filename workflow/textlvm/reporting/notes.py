"""The title and the notes of a table, for all formats."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from textlvm.experiment.paper import Paper
from textlvm.reporting.cells import DATA, Cell, TablePart
from textlvm.reporting.spread import RULE as BORROWING
from textlvm.reporting.verdict import MARKS, RULE

__all__ = ["notes", "title"]


def title(cells: Sequence[Cell], paper: Paper) -> str:
    """The title of a table: paper, number, corpus, and whether it is a stand-in."""
    parts = list(dict.fromkeys(cell.part for cell in cells))
    first = parts[0]
    text = f"Table {first.table} of {paper.citation}"
    if paper.tables[first.table].each == "corpus":
        text += f", {first.split} split"
    if len({part.dataset for part in parts}) > 1:
        return text
    planned = [part for part in parts if part.corpus]
    return (
        f"{text}, on {_corpus(planned[0], paper)}" if planned else f"{text}, {paper.datasets[first.dataset]}"
    )


def _corpus(part: TablePart, paper: Paper) -> str:
    """The corpus of a part of a table, and the corpus that it replaces."""
    # The title of a stand-in may already contain the word.
    if not part.stand_in or "stand-in" in part.corpus_title:
        return part.corpus_title
    return f"{part.corpus_title}, a stand-in for {paper.datasets.get(part.dataset, part.dataset)}"


def notes(cells: Sequence[Cell], paper: Paper) -> Iterable[str]:
    """The notes of a table: noise, demo, corpora, marks, settings, missing numbers."""
    numbers = {cell.seeds for cell in cells if cell.measured and cell.provenance.run != DATA}
    seeds = max(numbers, default=0)
    unit, of_split = ("draw", " of the split") if any(c.provenance.is_drawn for c in cells) else ("seed", "")
    if seeds > 1:
        number = f"up to {seeds}" if len(numbers) > 1 else seeds
        yield f"Reproduced values are means over {number} {unit}s{of_split} ± their standard deviation"
    elif seeds == 1:
        yield f"Reproduced values are from one {unit}{of_split}: their standard deviation is unknown"
    if any(cell.printed and cell.printed.spread is not None for cell in cells):
        yield "The printed ± is the paper's standard deviation over evaluations of one model"
    yield from _demo_notes(cells, paper)
    parts = dict.fromkeys(cell.part for cell in cells)
    if len({part.dataset for part in parts}) > 1:
        run = (part for part in parts if part.corpus)
        names = dict.fromkeys((paper.datasets[part.dataset], _corpus(part, paper)) for part in run)
        yield from (f"{dataset}: {corpus}" for dataset, corpus in names if dataset != corpus)
    if any(part.stand_in for part in parts):
        yield "On a stand-in corpus, both numbers are shown without a verdict"
    if any(cell.verdict in MARKS for cell in cells):
        marks = ", ".join(f"{mark} {verdict}" for verdict, mark in MARKS.items())
        undecided = f"not within, with one {unit} and no row to borrow an sd from"
        yield f"Marks: {marks}; {RULE}; undecided: {undecided}"
    if any(cell.seeds == 1 and cell.provenance.run != DATA for cell in cells):
        yield f"Seeds: {BORROWING}"
    yield from _borrowed_spreads(cells, paper, unit)
    labels = _labels(cells, paper)
    settings: dict[str, dict[str, None]] = {}
    for cell in cells:
        if text := _settings(paper, cell.provenance.settings):
            settings.setdefault(text, {})[labels[cell.part.dataset, cell.row]] = None
    for text, rows in settings.items():
        yield f"Evaluated with {text}" + (f" ({', '.join(rows)})" if len(settings) > 1 else "")
    reasons = dict.fromkeys((c.row, c.provenance.reason) for c in cells if c.provenance.reason)
    for reason in dict.fromkeys(of_row for _, of_row in reasons):
        yield f"{', '.join(row for row, of_row in reasons if of_row == reason)}: {reason}"


def _labels(cells: Sequence[Cell], paper: Paper) -> dict[tuple[str, str], str]:
    """Labels by data set and row, with the data set if there are several."""
    keys = {(cell.part.dataset, cell.row) for cell in cells}
    several = len({dataset for dataset, _ in keys}) > 1
    return {(name, row): f"{row} on {paper.datasets[name]}" if several else row for name, row in keys}


def _borrowed_spreads(cells: Sequence[Cell], paper: Paper, unit: str) -> Iterable[str]:
    """The rows from which rows with one seed or draw (`unit`) borrow a standard deviation."""
    labels = _labels(cells, paper)
    rows: dict[str, dict[str, None]] = {}
    for cell in cells:
        if cell.measured and cell.measured.borrowed:
            rows.setdefault(str(cell.measured.borrowed), {})[labels[cell.part.dataset, cell.row]] = None
    yield from (f"{', '.join(of_spread)}, one {unit}: {spread}" for spread, of_spread in rows.items())


def _demo_notes(cells: Sequence[Cell], paper: Paper) -> Iterable[str]:
    """The source of the demo's numbers, and their differences from the paper's that exceed the noise."""
    shown = [
        (cell, cell.printed, cell.printed.demo)
        for cell in cells
        if cell.printed and cell.printed.demo is not None
    ]
    if not shown:
        return
    yield "demo: the README of the authors' code, for the same rows; verdicts compare with the paper"
    noise: dict[str, list[str]] = {}
    readings = {}
    for cell, printed, demo in shown:
        metrics = [reading.metric for reading in paper.readings.get(cell.metric, ()) if reading.demo]
        if metrics and metrics[0] != paper.compared.get(cell.metric, cell.metric):
            readings[printed.column] = metrics[0]
            continue
        difference = demo - printed.value
        if abs(difference) > (printed.spread or 0.0) + printed.half_units:
            digits = min(printed.digits, printed.demo_digits or 0)
            noise.setdefault(printed.column, []).append(f"{cell.row} {difference:+.{digits}f}")
    if noise:
        differences = "; ".join(f"{column}: {', '.join(rows)}" for column, rows in noise.items())
        yield (
            "The demo's numbers minus the paper's, if they differ by more than rounding and the printed ±, "
            f"which shows the noise of the authors' experiments: {differences}"
        )
    yield from (f"The demo's {column} is '{reading}'" for column, reading in readings.items())


def _settings(paper: Paper, settings: Mapping[str, Any]) -> str:
    numbers = {key: settings[key] for key in paper.settings if isinstance(settings.get(key), int)}
    return ", ".join(paper.settings[key].format(number) for key, number in numbers.items())
