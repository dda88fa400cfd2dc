"""The plan of a page, passed by a rule: its content and the files of each run."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textlvm.experiment.plan import Figure, Planned
from textlvm.experiment.serialization import from_json
from textlvm.reporting.cells import Cell
from textlvm.runtime.errors import UserError
from textlvm.spec import parse

__all__ = ["Plan", "read_plan", "title"]


@dataclass(frozen=True)
class Plan:
    """The plan of a page."""

    results: str
    """The folder that all paths are below."""
    partial: bool
    """Whether the experiment is unfinished."""
    command: str
    """The Snakemake command of this experiment, without targets."""
    planned: tuple[Planned, ...]
    """Runs, and data sets whose numbers a table has."""
    known: Mapping[str, Mapping[str, str]]
    """By path and seed: the file in the results with the failure of training; empty if evaluated."""
    figures: tuple[Figure, ...]
    """Those that are there as PNG and SVG."""
    texts: tuple[Figure, ...]
    """The tables of texts that are there as JSON."""
    prefix: str = ""
    """The prefix of section names on a page with several experiments."""

    def anchor(self, entry: Planned) -> str:
        """The name of the section of a run."""
        return f"{self.prefix}run/{entry.path}"

    def file(self, path: str) -> Path:
        """A file below the results."""
        return Path(self.results, path)

    def outcomes(self, entry: Planned) -> dict[int, str]:
        """By seed: the file in the results with its outcome."""
        known = self.known.get(entry.path, {})
        return {int(seed): known[seed] or entry.metrics(int(seed)) for seed in sorted(known, key=int)}

    def entry(self, cell: Cell) -> Planned | None:
        """The run that a cell is of."""
        part = cell.part
        for entry in self.planned:
            same = (entry.paper, entry.corpus, entry.split, entry.name)
            if same == (part.paper, part.corpus, part.split, cell.provenance.run) and (
                entry.dataset in ("", part.dataset)
            ):
                return entry
        return None

    def rerun(self, entry: Planned) -> str:
        """The command that recomputes a run's numbers and its tables."""
        results = shlex.quote(self.results)
        tables = sorted({row.table for row in entry.rows})
        targets = [f"{results}/table{table}.csv" for table in tables] or [f"{results}/index.html"]
        return f"{self.command} --forcerun {results}/{_again(entry)} -- {' '.join(targets)}"


def title(entry: Planned) -> str:
    """The full name of a run or a data set."""
    if not entry.training_path:
        return f"{entry.dataset if entry.label == entry.name else entry.label}, data set"
    place = entry.dataset or entry.corpus
    return (
        f"{entry.label}, {place}" if entry.split == "standard" else f"{entry.label}, {place}, {entry.split}"
    )


def read_plan(plan: Mapping[str, Any]) -> Plan:
    """Check a plan's keys and return it. Raises `UserError` for a missing or unknown one."""
    for key in ("planned", "figures", "texts"):
        if not isinstance(plan.get(key), list):
            raise UserError(f"the page's plan has no list '{key}'; Snakemake's rule page makes one that has")
    parts = {
        "planned": [from_json(entry) for entry in plan["planned"]],
        **{
            key: [parse(Figure, {"sources": (), **each}) for each in plan[key]]
            for key in ("figures", "texts")
        },
    }
    return parse(Plan, {**plan, **parts})


def _again(entry: Planned) -> str:
    """The files to recreate for new numbers, as paths in the results for a shell."""
    if not entry.training_path:
        return shlex.quote(entry.metrics(0))
    seeds = ",".join(map(str, entry.seeds))
    each = f"{{{seeds}}}" if len(entry.seeds) > 1 else seeds
    # A model that was trained on another data set is not trained again.
    file = "metrics.json" if entry.trained_on else "model.safetensors"
    return f"{shlex.quote(entry.path)}/seed{each}/{file}"
