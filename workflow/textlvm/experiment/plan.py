"""The plan: everything a configuration asks for, with its effective settings and its place in the tables.

A *run* is one model on one data set, trained once for each seed. Each paper plans its own runs, and whatever
else its tables have numbers of (`Planner`); here is what all of them share.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from textlvm.corpora.registry import Corpus
from textlvm.experiment.paper import Paper
from textlvm.experiment.relations.problem import Key, Section
from textlvm.runtime.files import modified, read_object

__all__ = [
    "PARTS",
    "Figure",
    "Folder",
    "Planned",
    "Planner",
    "Row",
    "Run",
    "RunKey",
    "planned",
    "stands_in",
    "titled",
    "titles",
]

PARTS = ("model", "training", "evaluation")
"""The settings of a run that an entry of the configuration may override."""

Settings = Mapping[str, Any]
Folder = tuple[str, tuple[str, ...]]
"""The name of a folder, and the key of the configuration under which such names stand."""
RunKey = tuple[str, str, str, str, str]
Titles = Mapping[str, tuple[str, bool]]
"""By corpus what tables call it, and whether it is none of the papers' own."""


@dataclass(frozen=True)
class Row:
    """A place in a table."""

    table: int
    label: str
    metrics: Mapping[str, str] = field(default_factory=dict)
    """What the table calls a metric, and what the evaluation does; empty if all are shown as they are."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """Something that tables have numbers of."""

    paper: str
    corpus: str
    """Name in the registry of the corpus it is measured on; a union goes by its own name."""
    corpus_title: str = ""
    """What tables call that."""
    stand_in: bool = False
    """Whether it stands in for the paper's own."""
    original: str
    """The paper's own data set that it is compared with, which is also its corpus's name in the registry."""
    dataset: str = ""
    """The same where folders of the paper go by data sets; empty where it has just one."""
    split: str = "standard"
    draw_of: str = ""
    """The split that `split` is a further draw of; its rows are those of that split."""
    name: str
    """The key of its entry in the configuration and the name of its folder."""
    place: tuple[Folder, ...]
    """The folders between the paper's and its own."""
    seeds: tuple[int, ...]
    rows: tuple[Row, ...]
    trained_on: str = ""
    """Another data set, on which a run of the same name was trained and this one was not."""
    is_trained: bool = True
    """Whether another training would find something else."""
    model_kind: str = ""
    """The kind of its model: within a paper, rows of one kind are taken to vary alike between trainings."""

    @property
    def key(self) -> RunKey:
        """Paper, data set, corpus, split and name: what metrics.json says of itself, too."""
        return self.paper, self.dataset, self.corpus, self.split, self.name

    @property
    def table_part(self) -> tuple[str, str, str, str]:
        """The part of a table that its rows are in: paper, the paper's own data set, split and corpus."""
        return self.paper, self.original, self.split, self.corpus

    @property
    def training_path(self) -> str:
        """The folder below the results that its trained model lies in; empty for what has none."""
        return ""

    @property
    def label(self) -> str:
        """What tables call it first."""
        return self.rows[0].label if self.rows else self.name

    @property
    def path(self) -> str:
        """Its folder below the results, e.g. `words/<corpus>/<split>/<run>`."""
        return "/".join((self.paper, *(folder for folder, _ in self.place), self.name))

    def metrics(self, seed: int) -> str:
        """The file of what was measured, below the results."""
        return f"{self.path}/statistics.json"

    def logs(self) -> list[str]:
        """The logs of its steps, below the results."""
        return [f"logs/{self.path.rpartition('/')[0]}/prepare.log"]

    def is_finished(self, seed: int, results: Path) -> bool:
        """Whether it has been measured with the settings it has now."""
        raise NotImplementedError

    def outcome(self, seed: int, results: Path) -> Path | None:
        """The file below `results` that says what came out with the settings it has now, if there is one."""
        return results / self.metrics(seed) if self.is_finished(seed, results) else None

    def folders(self) -> list[tuple[Folder, ...]]:
        """All paths of folders below the paper's that lie here, down to the files."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Run(Planned):
    """One model on one data set, measured there, with its effective settings."""

    # Steps that need no settings are not told of them.
    model: Settings = field(default_factory=dict)
    training: Settings = field(default_factory=dict)
    evaluation: Settings = field(default_factory=dict)
    data: Settings = field(default_factory=dict)
    """How what it is trained on is prepared."""

    @property
    def training_path(self) -> str:
        """The folder below the results that the trained model lies in, and its seeds derive from."""
        return f"{self.paper}/{self.trained_on}/{self.name}" if self.trained_on else self.path

    def metrics(self, seed: int) -> str:
        """The file of what was measured, below the results."""
        return f"{self.path}/seed{seed}/metrics.json"

    def logs(self) -> list[str]:
        """The logs of its steps, below the results."""
        trained = [f"logs/{self.training_path}/seed{seed}/train.log" for seed in self.seeds]
        return [*trained, *(f"logs/{self.path}/seed{seed}/evaluate.log" for seed in self.seeds)]

    def is_described_by(self, spec: Mapping[str, Any]) -> bool:
        """Whether these are the settings of its training, as they are now; old records lack the data's."""
        return (
            spec.get("model") == self.model
            and spec.get("training") == self.training
            and spec.get("data", self.data) == self.data
        )

    def is_finished(self, seed: int, results: Path) -> bool:
        """Whether it has been trained and measured with the settings it has now."""
        folder = results / self.training_path / f"seed{seed}"
        spec, metrics = folder / "spec.json", results / self.metrics(seed)
        if not self.is_described_by(read_object(spec)):
            return False
        # Metrics of the model before stay until the new one is measured. Where nothing was trained, as in a
        # clone of recorded results, times of files say nothing.
        if (folder / "checkpoint").exists() and modified(spec) > modified(metrics):
            return False
        measured = read_object(metrics).get("settings")
        # Old records lack settings that came later.
        return bool(measured) and measured == {name: self.evaluation.get(name) for name in measured}

    def outcome(self, seed: int, results: Path) -> Path | None:
        """The metrics, or why the training failed with the settings it has now, or None."""
        failure = results / self.training_path / f"seed{seed}" / "checkpoint" / "failure.json"
        failed = read_object(failure)
        if self.is_finished(seed, results):
            return results / self.metrics(seed)
        return failure if failed and self.is_described_by(failed) else None

    def folders(self) -> list[tuple[Folder, ...]]:
        """The folder of every seed."""
        names = (self.paper, "runs", *(folder for folder, _ in self.place[-1:]))
        run = (*self.place, (self.name, names))
        return [(*run, (f"seed{seed}", (self.paper, "seeds"))) for seed in self.seeds]


@dataclass(frozen=True)
class Figure:
    """A figure, or a table of texts, with the files that it is made from."""

    paper: str
    number: int
    title: str
    """What it is of: a corpus or data sets."""
    path: str
    """Below the results, without suffix."""
    sources: tuple[str, ...] = ()
    """Files below the results."""
    labels: tuple[str, ...] = ()
    """What it calls its runs or data sets, in the order of their files."""


class Planner(Protocol):
    """The module that `plan` of a paper.yaml names; `section` is the paper's part of the configuration."""

    REMOVABLE: Sequence[Sequence[str]]
    """Keys below the section, `*` for any name, whose entries null in a later file removes."""

    def check(self, section: Section) -> None:
        """Check what the schema cannot say. Raises `textlvm.experiment.relations.Problem`."""

    def corpora(self, section: Section) -> Iterable[tuple[Key, str, str]]:
        """The corpora in use: key in the configuration, name, and words | sentences | questions."""

    def plan(self, section: Section, corpora: Mapping[str, Corpus]) -> Sequence[Planned]:
        """Everything that tables have numbers of, and the runs that are trained for it."""

    def titles(self, section: Section, planned: Sequence[Planned], known: Titles) -> Titles:
        """Titles of corpora that only this paper has; `known` has those of the registry."""

    def figures(self, section: Section, planned: Sequence[Planned], known: Titles) -> Sequence[Figure]:
        """The figures of the paper."""

    def texts(self, section: Section, planned: Sequence[Planned], known: Titles) -> Sequence[Figure]:
        """The tables of texts of the paper."""


def planned(
    config: Mapping[str, Any], papers: Iterable[Paper], corpora: Mapping[str, Corpus]
) -> tuple[Planned, ...]:
    """What a checked configuration asks of these papers, in their order, and that of corpora and entries."""
    return tuple(entry for paper in papers for entry in paper.planner.plan(config[paper.name], corpora))


def titles(
    config: Mapping[str, Any],
    papers: Iterable[Paper],
    entries: Sequence[Planned],
    corpora: Mapping[str, Corpus],
) -> Titles:
    """What tables call each corpus, and whether it is none of the papers' own."""
    found = {name: (corpus.title, not corpus.paper_corpus) for name, corpus in corpora.items()}
    for paper in papers:
        found |= paper.planner.titles(config[paper.name], entries, found)
    return found


def stands_in(entry: Planned, corpora: Titles) -> bool:
    """Whether its corpus is none of the papers' own, or in the place of another."""
    return corpora[entry.corpus][1] or entry.corpus != entry.original


def titled(entries: Iterable[Planned], corpora: Titles) -> tuple[Planned, ...]:
    """The entries with what tables call their corpora, and whether these stand in for others."""
    return tuple(
        replace(entry, corpus_title=corpora[entry.corpus][0], stand_in=stands_in(entry, corpora))
        for entry in entries
    )
