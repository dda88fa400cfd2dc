"""The plan of a page, which a rule passes: its content and the files of each run."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textlvm.experiment.plan import Planned, Product
from textlvm.experiment.serialization import from_json
from textlvm.reporting.cells import Cell
from textlvm.runtime.errors import UserError
from textlvm.spec import parse

__all__ = ["Plan", "read_page_plan", "title"]


@dataclass(frozen=True)
class Plan:
    """The plan of a page."""

    results: str
    """The folder that all paths are relative to."""
    partial: bool
    """Whether the experiment is unfinished."""
    command: str
    """The Snakemake command of this experiment, without targets."""
    planned: tuple[Planned, ...]
    """The runs, and the data sets with numbers in a table."""
    known: Mapping[str, Mapping[str, str]]
    """By path and seed: the file of the training's failure, relative to the results; empty if evaluated."""
    figures: tuple[Product, ...]
    """The figures that exist as files."""
    texts: tuple[Product, ...]
    """The tables of texts that exist as JSON."""
    further: tuple[str, ...] = ()
    """The existing files with further numbers of runs (`Paper.further_files`), relative to the results."""
    prefix: str = ""
    """The prefix of section names on a page with several experiments."""

    def anchor(self, entry: Planned) -> str:
        """The name of the section of a run."""
        return f"{self.prefix}run/{entry.path}"

    def file(self, path: str) -> Path:
        """The path of a file in the results."""
        return Path(self.results, path)

    def outcomes(self, entry: Planned) -> dict[int, str]:
        """By seed: the file with its outcome, relative to the results."""
        known = self.known.get(entry.path, {})
        return {int(seed): known[seed] or entry.metrics(int(seed)) for seed in sorted(known, key=int)}

    def entry(self, cell: Cell) -> Planned | None:
        """The run or data set of a cell; None if it is not planned."""
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
        return f"{self.command} --forcerun {results}/{_rerun_targets(entry)} -- {' '.join(targets)}"


def title(entry: Planned) -> str:
    """The full name of a run or a data set."""
    if not entry.training_path:
        return f"{entry.dataset if entry.label == entry.name else entry.label}, data set"
    place = entry.dataset or entry.corpus
    return (
        f"{entry.label}, {place}" if entry.split == "standard" else f"{entry.label}, {place}, {entry.split}"
    )


def read_page_plan(plan: Mapping[str, Any]) -> Plan:
    """Read a plan. Raises `UserError` for a missing or unknown key."""
    for key in ("planned", "figures", "texts"):
        if not isinstance(plan.get(key), list):
            raise UserError(f"the plan has no list '{key}': pass the plan that Snakemake's rules write")
    parts = {
        "planned": [from_json(entry) for entry in plan["planned"]],
        **{
            key: [parse(Product, {"sources": (), **each}) for each in plan[key]]
            for key in ("figures", "texts")
        },
    }
    return parse(Plan, {**plan, **parts})


def _rerun_targets(entry: Planned) -> str:
    """The files whose recreation gives new numbers, as a shell pattern relative to the results."""
    if not entry.training_path:
        return shlex.quote(entry.metrics(0))
    seeds = ",".join(map(str, entry.seeds))
    each = f"{{{seeds}}}" if len(entry.seeds) > 1 else seeds
    # A model that was trained on another data set is only evaluated again.
    file = "metrics.json" if entry.trained_on else "model.safetensors"
    return f"{shlex.quote(entry.path)}/seed{each}/{file}"
