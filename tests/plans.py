"""Planned runs and their results, shared by the tests of reporting."""

from collections.abc import Collection, Iterable
from typing import Any

from textlvm.estimate import exact
from textlvm.experiment.plan import Planned, Row, Run
from textlvm.reporting.cells import DATA, Cell
from textlvm.reporting.runs import Result

__all__ = ["plan_of", "planned", "result"]

ORIGINAL = {"words": "bookscorpus"}


def planned(
    row: str = "TRIL",
    *,
    table: int = 1,
    paper: str = "words",
    corpus: str = "bookscorpus",
    dataset: str = "",
    name: str = "",
    metrics: dict[str, str] | None = None,
    **changes: Any,
) -> Planned:
    """A run with one row. Keywords override the defaults; `name` defaults to the row's label.

    `original`, the paper's own data set, defaults to that of the run's folder. The name `data` plans a
    data set instead of a run.
    """
    place = (corpus, changes.get("split", "standard")) if paper == "words" else (dataset,)
    known = {
        "corpus_title": "BooksCorpus",
        "original": dataset or ORIGINAL.get(paper, corpus),
        "seeds": (0, 1, 2),
        "is_trained": name != "data",
    }
    kind = Planned if name == "data" else Run
    return kind(
        paper=paper,
        corpus=corpus,
        dataset=dataset,
        name=name or row,
        place=tuple((folder, ()) for folder in place),
        rows=(Row(table, row, metrics or {}),),
        **known | changes,
    )


def plan_of(cells: Iterable[Cell], untrained: Collection[str] = ()) -> list[Planned]:
    """The plan that contains these cells; all rows are trained except `untrained` ones and data sets."""
    rows = {(c.part, c.row): c for c in cells if c.provenance.run}
    return [
        planned(
            cell.row,
            table=cell.part.table,
            paper=cell.part.paper,
            corpus=cell.part.corpus,
            original=cell.part.dataset,
            name=cell.provenance.run,
            is_trained=cell.provenance.run != DATA and cell.row not in untrained,
        )
        for cell in rows.values()
    ]


def result(
    row: str = "TRIL", corpus: str = "bookscorpus", seed: int = 0, unit: str = "nats/word", **values: float
) -> Result:
    """The metrics of one seed of a run of the words paper; the run has the name of its row."""
    metrics = {name: exact(value, unit) for name, value in values.items()}
    return Result("words", corpus, "standard", row, seed, f"{corpus}/{row}/{seed}.json", metrics=metrics)
