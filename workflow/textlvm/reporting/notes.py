"""What stands above and below a table in any form: its title, and what a reader must know of its numbers."""

import json
from collections.abc import Iterable, Sequence

from textlvm.experiment.paper import Paper
from textlvm.reporting.cells import DATA, Cell
from textlvm.reporting.spread import RULE as BORROWING
from textlvm.reporting.verdict import MARKS, RULE

__all__ = ["notes", "title"]


def title(cells: Sequence[Cell], paper: Paper) -> str:
    """What a table shows, on which corpus, and whether that is a stand-in."""
    first = cells[0]
    text = f"Table {first.table} of {paper.citation}"
    if paper.tables[first.table].each == "corpus":
        text += f", {first.split} split"
    if len({c.dataset for c in cells}) > 1:
        return text
    planned = [c for c in cells if c.corpus]
    return (
        f"{text}, on {_corpus(planned[0], paper)}" if planned else f"{text}, {paper.datasets[first.dataset]}"
    )


def _corpus(cell: Cell, paper: Paper) -> str:
    """The corpus that a cell is of, and what it stands in for."""
    # The title of a stand-in may say so itself.
    if not cell.stand_in or "stand-in" in cell.corpus_title:
        return cell.corpus_title
    return f"{cell.corpus_title}, a stand-in for {paper.datasets.get(cell.dataset, cell.dataset)}"


def notes(cells: Sequence[Cell], paper: Paper) -> Iterable[str]:
    """What a reader of a table must know: noise, sources, corpora, marks, settings, what is missing."""
    seeds = max(cell.seeds for cell in cells)
    if seeds > 1:
        yield f"Reproduced values are means over {seeds} seeds ± their standard deviation"
    elif seeds == 1 and any(cell.run != DATA for cell in cells):
        yield "Reproduced values are of one seed, so the noise between trainings is unknown"
    if any(cell.published_spread is not None for cell in cells):
        yield "Published ± is the standard deviation the paper prints, over evaluations of one model"
    yield from _of_demo(cells, paper)
    if len({c.dataset for c in cells}) > 1:
        names = dict.fromkeys((paper.datasets[c.dataset], _corpus(c, paper)) for c in cells if c.corpus)
        yield from (f"{dataset}: {corpus}" for dataset, corpus in names if dataset != corpus)
    if any(cell.stand_in for cell in cells):
        yield "Where the corpus is not the paper's, numbers stand side by side and no cell claims agreement"
    if any(cell.verdict in MARKS for cell in cells):
        marks = ", ".join(f"{mark} {verdict}" for verdict, mark in MARKS.items())
        yield f"Marks: {marks}; {RULE}; undecided: beyond that with one seed and no row to borrow an sd from"
    if any(cell.seeds == 1 and cell.run != DATA for cell in cells):
        yield f"Seeds: {BORROWING}"
    yield from _borrowed(cells)
    settings = {c.row: _settings(paper, c.settings) for c in cells if c.settings}
    texts = dict.fromkeys(filter(None, settings.values()))
    for text in texts:
        rows = ", ".join(row for row, own in settings.items() if own == text)
        yield f"Evaluated with {text}" + (f" ({rows})" if len(texts) > 1 else "")
    reasons = dict.fromkeys((c.row, c.reason) for c in cells if c.reason)
    for reason in dict.fromkeys(own for _, own in reasons):
        yield f"{', '.join(row for row, own in reasons if own == reason)}: {reason}"


def _borrowed(cells: Sequence[Cell]) -> Iterable[str]:
    """Whose standard deviation over seeds stands for that of a row with one seed."""
    pairs = dict.fromkeys((cell.row, cell.borrowed) for cell in cells)
    rows: dict[str, dict[str, None]] = {}
    for row, spread in pairs:
        if spread:
            rows.setdefault(str(spread), {})[row] = None
    yield from (f"{', '.join(own)}, one seed: {spread}" for spread, own in rows.items())


def _of_demo(cells: Sequence[Cell], paper: Paper) -> Iterable[str]:
    """What the authors' demo is, and where it differs from their paper by more than either can hide."""
    shown = [cell for cell in cells if cell.published is not None and cell.demo is not None]
    if not shown:
        return
    yield "demo: the README of the authors' published code, for the same rows; verdicts are against the paper"
    noise: dict[str, list[str]] = {}
    readings = {}
    for cell in shown:
        if cell.metric in paper.demo_readings:
            readings[cell.column] = paper.demo_readings[cell.metric]
            continue
        difference = cell.demo - cell.published
        if abs(difference) > (cell.published_spread or 0.0) + cell.half_units:
            digits = min(cell.digits or 0, cell.demo_digits or 0)
            noise.setdefault(cell.column, []).append(f"{cell.row} {difference:+.{digits}f}")
    if noise:
        which = "; ".join(f"{column}: {', '.join(rows)}" for column, rows in noise.items())
        yield (
            "The demo's numbers less the paper's, where they differ by more than rounding and the printed ±, "
            f"which is the noise between the authors' own trainings: {which}"
        )
    yield from (f"The demo's {column} is '{reading}'" for column, reading in readings.items())


def _settings(paper: Paper, text: str) -> str:
    settings = json.loads(text)
    numbers = {key: settings[key] for key in paper.settings if isinstance(settings.get(key), int)}
    return ", ".join(paper.settings[key].format(number) for key, number in numbers.items())
