"""The plan: every run that a configuration asks for, with its effective settings and its place in the tables.

A *run* is one row of a table on one corpus, trained once for each seed. Its files lie in
`<results>/<paper>/<corpus>/<split>/<run>/seed<k>/`.
"""

import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from textlvm.errors import UserError, nearest

__all__ = ["TABLES", "Run", "check_target", "finished", "rows", "runs"]

TABLES = range(1, 9)
"""The numbers of the papers' tables of results: 1 and 2 of the words paper, 1 to 8 of the sentences paper."""
PARTS = ("model", "training", "evaluation")

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """One row of a table on one corpus."""

    paper: str
    corpus: str
    """The corpus's name in the registry."""
    split: str
    name: str
    """The key of its entry in the configuration and the name of its folder."""
    table: int
    row: str
    """The row's label in the table."""
    seeds: tuple[int, ...]
    model: Settings
    training: Settings
    evaluation: Settings
    """Effective settings: the section's, overridden by the entry's."""

    @property
    def path(self) -> str:
        """`<paper>/<corpus>/<split>/<run>`, the run's place below the results, from which seeds derive."""
        return f"{self.paper}/{self.corpus}/{self.split}/{self.name}"


def runs(config: Mapping[str, Any]) -> tuple[Run, ...]:
    """All runs of a checked configuration, in the order of its corpora and entries."""
    words = config["words"]
    return tuple(
        Run(
            paper="words",
            corpus=corpus,
            split=split,
            name=name,
            table=entry["table"],
            row=entry["row"],
            seeds=tuple(words["seeds"]),
            **{part: words[part] | entry.get(part, {}) for part in PARTS},
        )
        for corpus in words["corpora"]
        for split, entries in words["runs"].items()
        for name, entry in entries.items()
    )


def finished(run: Run, seed: int, results: Path) -> bool:
    """Whether a run with this seed has been measured with the settings it has now."""
    folder = results / run.path / f"seed{seed}"
    try:
        spec = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return (
        spec.get("model") == run.model
        and spec.get("training") == run.training
        and metrics.get("settings") == run.evaluation
    )


def rows(
    runs: Iterable[Run], table: int, corpora: Mapping[str, tuple[str, bool]]
) -> dict[str, list[dict[str, Any]]]:
    """The planned rows of one table, as `textlvm.reporting.tables` reads them.

    `corpora` gives each corpus its title and whether it stands in for the paper's own.
    """
    return {
        "rows": [
            {
                "paper": run.paper,
                "table": run.table,
                "row": run.row,
                "run": run.name,
                "corpus": run.corpus,
                "split": run.split,
                "seeds": list(run.seeds),
                "stand_in": corpora[run.corpus][1],
                "corpus_title": corpora[run.corpus][0],
            }
            for run in runs
            if run.table == table
        ]
    }


def check_target(
    target: str, results: str, runs: Collection[Run], origin: Callable[[tuple[str, ...]], str]
) -> None:
    """Check the names in a path that the user asks for.

    Paths outside `results`, and those inside that have no run, corpus or table in them, are left alone.
    `origin` tells the file in which a key of the configuration stands.

    Raises `UserError` for a table, corpus, split, run or seed that is not planned, with the nearest names.
    """
    parts = PurePath(os.path.relpath(target or ".", results)).parts
    if parts[:1] == ("partial",):
        parts = parts[1:]
    if not parts or parts[0] == "..":
        return
    *names, file = parts
    places = [
        (run.corpus, run.split, run.name, f"seed{seed}")
        for run in runs
        for seed in run.seeds
        if names and run.paper == names[0]
    ]
    if places:
        paper, *names = names
        keys = [(paper, "corpora"), (paper, "runs"), (paper, "runs", *names[1:2]), (paper, "seeds")]
        for depth, (name, key) in enumerate(zip(names, keys, strict=False)):
            valid = {place[depth] for place in places if list(place[:depth]) == names[:depth]}
            if name not in valid:
                section = f"{'.'.join(key)} of {origin(key)}"
                raise UserError(f"{target}: there is no '{name}' in {section}; {nearest(name, valid)}")
    elif names:
        return
    tables = sorted({run.table for run in runs if run.paper == paper}) if places else TABLES
    number = re.fullmatch(r"table(\d+)\..*", file)
    if number and int(number[1]) not in tables:
        numbers = ", ".join(map(str, tables))
        raise UserError(f"{target}: there is no table {number[1]}; those that can be built are {numbers}")
