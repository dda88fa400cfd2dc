"""What a page shows: the plan that a rule hands over, and where the files of each run lie."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textlvm.reporting.cells import Cell
from textlvm.runtime.errors import UserError
from textlvm.spec import parse

__all__ = ["Entry", "Figure", "Plan", "read_plan"]


@dataclass(frozen=True)
class Entry:
    """A run, or the data set that the numbers of a table describe."""

    paper: str
    corpus: str
    dataset: str
    """The sentences paper's data set; empty in the words paper."""
    split: str
    name: str
    label: str
    path: str
    """Its folder below the results."""
    trained_at: str
    """The folder below the results that its model lies in; empty for a data set."""
    seeds: tuple[int, ...]
    measured: tuple[int, ...]
    """The seeds of which there is a file of metrics."""
    failures: Mapping[str, str]
    """By seed the files, below the results, that say why a training failed."""
    tables: tuple[int, ...]

    @property
    def anchor(self) -> str:
        """The name of its section on the page."""
        return f"run/{self.path}"

    @property
    def title(self) -> str:
        """What it is called where nothing else tells of what it is."""
        if self.is_data:
            return f"{self.dataset if self.label == self.name else self.label}, data set"
        return f"{self.label}, {self.dataset or self.corpus}"

    @property
    def is_data(self) -> bool:
        """Whether it is a data set, of which nothing is trained."""
        return not self.trained_at

    @property
    def trains(self) -> bool:
        """Whether its model is trained for it, and not for a run on another data set."""
        return self.trained_at == self.path

    def metrics(self, seed: int) -> str:
        """The file of what was measured, below the results."""
        return f"{self.path}/statistics.json" if self.is_data else f"{self.path}/seed{seed}/metrics.json"

    @property
    def outcomes(self) -> dict[int, str]:
        """By seed the file, below the results, that says how it came out."""
        files = {seed: self.metrics(seed) for seed in self.measured}
        files |= {int(seed): path for seed, path in self.failures.items()}
        return dict(sorted(files.items()))

    def trained(self, seed: int) -> str:
        """The folder of the trained model, below the results."""
        return f"{self.trained_at}/seed{seed}"

    def logs(self) -> list[str]:
        """The logs of its steps, below the results."""
        if self.is_data:
            return [f"logs/{self.path.removesuffix('/data')}/prepare.log"]
        trained = [f"logs/{self.trained(seed)}/train.log" for seed in self.seeds]
        return [*trained, *(f"logs/{self.path}/seed{seed}/evaluate.log" for seed in self.seeds)]

    def again(self) -> str:
        """The files to make again for new numbers, below the results and as a shell reads them."""
        if self.is_data:
            return shlex.quote(self.metrics(0))
        seeds = ",".join(map(str, self.seeds))
        each = f"{{{seeds}}}" if len(self.seeds) > 1 else seeds
        file = "model.safetensors" if self.trains else "metrics.json"
        return f"{shlex.quote(self.path)}/seed{each}/{file}"


@dataclass(frozen=True)
class Figure:
    """A figure that is there as PNG and SVG."""

    paper: str
    number: int
    title: str
    """What it is of: a corpus or a data set."""
    path: str
    """Below the results, without suffix."""


@dataclass(frozen=True)
class Plan:
    """What a page shows."""

    results: str
    """The folder that all paths are below."""
    partial: bool
    """Whether it is of what has run so far."""
    command: str
    """How Snakemake is called for this experiment, without targets."""
    entries: tuple[Entry, ...]
    figures: tuple[Figure, ...]
    texts: tuple[str, ...]
    """JSON files of the tables of texts, below the results."""

    def file(self, path: str) -> Path:
        """A file below the results."""
        return Path(self.results, path)

    def entry(self, cell: Cell) -> Entry | None:
        """The run that a cell is of."""
        for entry in self.entries:
            same = (entry.paper, entry.corpus, entry.split, entry.name)
            if same == (cell.paper, cell.corpus, cell.split, cell.run) and (
                entry.dataset in ("", cell.dataset)
            ):
                return entry
        return None

    def rerun(self, entry: Entry) -> str:
        """The command that makes a run's numbers and its tables again."""
        results = shlex.quote(self.results)
        targets = [f"{results}/table{table}.csv" for table in entry.tables] or [f"{results}/index.html"]
        return f"{self.command} --forcerun {results}/{entry.again()} -- {' '.join(targets)}"


def read_plan(plan: Mapping[str, Any]) -> Plan:
    """Check a plan's keys and return it. Raises `UserError` for a missing or unknown one."""
    for key in ("entries", "figures"):
        if not isinstance(plan.get(key), list):
            raise UserError(f"the page's plan has no list '{key}'; Snakemake's rule page makes one that has")
    parts = {
        "entries": [parse(Entry, entry) for entry in plan["entries"]],
        "figures": [parse(Figure, figure) for figure in plan["figures"]],
    }
    return parse(Plan, {**plan, **parts})
