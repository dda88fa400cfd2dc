"""The plan: all runs and products of a configuration, with effective settings and places in tables.

A *run* is one model on one data set, trained once for each seed. Each paper plans its own runs and data sets
(`Planner`); this module contains the parts that they share.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from textlvm.corpora.registry import Corpus
from textlvm.experiment.paper import Paper
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import modified, read_object
from textlvm.runtime.validation import Key, Section

__all__ = [
    "PARTS",
    "Folder",
    "Planned",
    "Planner",
    "Product",
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
"""The name of a folder, and the key of the configuration that contains such names; () for those of seeds."""
RunKey = tuple[str, str, str, str, str]
Titles = Mapping[str, tuple[str, bool]]
"""By corpus: its title in tables, and whether it is a stand-in."""


@dataclass(frozen=True)
class Row:
    """A place in a table."""

    table: int
    label: str
    metrics: Mapping[str, str] = field(default_factory=dict)
    """Names of metrics in the evaluation, by their names in the table; empty if they are equal."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A run or data set with rows in tables."""

    paper: str
    corpus: str
    """Registry name of the corpus that it is evaluated on; for a union, the name of the data set."""
    corpus_title: str = ""
    """The title of the corpus in tables."""
    stand_in: bool = False
    """Whether the corpus is a stand-in."""
    original: str
    """The paper's data set that it is compared with, also the registry name of that corpus."""
    dataset: str = ""
    """`original`, if the paper has several data sets; otherwise empty."""
    split: str = "standard"
    draw_of: str = ""
    """The split of which `split` is a draw; empty for a split that is not drawn several times."""
    name: str
    """The key of its entry in the configuration and the name of its folder."""
    place: tuple[Folder, ...]
    """The folders between the paper's and its own."""
    seeds: tuple[int, ...]
    rows: tuple[Row, ...]
    trained_on: str = ""
    """Another data set, whose run of the same name supplies the trained model."""
    is_trained: bool = True
    """Whether its numbers depend on training."""
    model_kind: str = ""
    """The kind of its model: rows of one kind in a paper are assumed to have the same variance over seeds."""

    @property
    def key(self) -> RunKey:
        """Paper, data set, corpus, split and name, as in metrics.json."""
        return self.paper, self.dataset, self.corpus, self.split, self.name

    @property
    def table_part(self) -> tuple[str, str, str, str]:
        """The part of a table that contains its rows: paper, the paper's data set, split and corpus."""
        return self.paper, self.original, self.split, self.corpus

    @property
    def training_path(self) -> str:
        """The folder of its trained model in the results; empty if it has none."""
        return ""

    @property
    def label(self) -> str:
        """Its first row label."""
        return self.rows[0].label if self.rows else self.name

    @property
    def path(self) -> str:
        """Its folder in the results, e.g. `words/<corpus>/<split>/<run>`."""
        return "/".join((self.paper, *(folder for folder, _ in self.place), self.name))

    def metrics(self, seed: int) -> str:
        """Its metrics file in the results."""
        return f"{self.path}/statistics.json"

    def logs(self) -> list[str]:
        """The logs of its steps in the results."""
        return [f"logs/{self.path.rpartition('/')[0]}/prepare.log"]

    def is_finished(self, seed: int, results: Path) -> bool:
        """Whether it has been evaluated with its current settings."""
        raise NotImplementedError

    def is_of_current_training(self, file: Path, seed: int, results: Path) -> bool:
        """Whether a file of a seed exists and is not that of a previous training."""
        return file.exists()

    def outcome(self, seed: int, results: Path) -> Path | None:
        """The file in `results` with the outcome for its current settings, if there is one."""
        return results / self.metrics(seed) if self.is_finished(seed, results) else None

    def folders(self) -> list[tuple[Folder, ...]]:
        """The allowed folders of its files, in the paper's folder."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Run(Planned):
    """One model on one data set, evaluated there, with its effective settings."""

    # Steps that need no settings receive none.
    model: Settings = field(default_factory=dict)
    training: Settings = field(default_factory=dict)
    evaluation: Settings = field(default_factory=dict)
    data: Settings = field(default_factory=dict)
    """The settings for the preparation of its training data."""

    @property
    def training_path(self) -> str:
        """The folder of the trained model in the results, from which its seeds derive."""
        return f"{self.paper}/{self.trained_on}/{self.name}" if self.trained_on else self.path

    def metrics(self, seed: int) -> str:
        """Its metrics file in the results."""
        return f"{self.path}/seed{seed}/metrics.json"

    def logs(self) -> list[str]:
        """The logs of its steps in the results."""
        trained = [f"logs/{self.training_path}/seed{seed}/train.log" for seed in self.seeds]
        return [*trained, *(f"logs/{self.path}/seed{seed}/evaluate.log" for seed in self.seeds)]

    def is_described_by(self, spec: Mapping[str, Any]) -> bool:
        """Whether these are the current settings of its training; old records lack those of the data."""
        return (
            spec.get("model") == self.model
            and spec.get("training") == self.training
            and spec.get("data", self.data) == self.data
        )

    def is_finished(self, seed: int, results: Path) -> bool:
        """Whether it has been trained and evaluated with its current settings."""
        folder = results / self.training_path / f"seed{seed}"
        spec, metrics = folder / "spec.json", results / self.metrics(seed)
        if not self.is_described_by(read_object(spec)):
            return False
        if not self.is_of_current_training(metrics, seed, results):
            return False
        measured = read_object(metrics).get("settings")
        # Old records lack settings that were added later.
        return bool(measured) and measured == {name: self.evaluation.get(name) for name in measured}

    def is_of_current_training(self, file: Path, seed: int, results: Path) -> bool:
        """Whether a file of a seed exists and is not that of a previous training."""
        # Files of the previous model remain until they are computed for the new one. Without a checkpoint, as
        # in a clone of recorded results, the times of files have no meaning.
        folder = results / self.training_path / f"seed{seed}"
        has_times = (folder / "checkpoint").exists()
        return file.exists() and not (has_times and modified(folder / "spec.json") > modified(file))

    def outcome(self, seed: int, results: Path) -> Path | None:
        """The metrics, or the failure of training with its current settings, or None."""
        failure = results / self.training_path / f"seed{seed}" / "checkpoint" / "failure.json"
        failed = read_object(failure)
        if self.is_finished(seed, results):
            return results / self.metrics(seed)
        return failure if failed and self.is_described_by(failed) else None

    def folders(self) -> list[tuple[Folder, ...]]:
        """The folder of every seed."""
        folders = [self.draw_of] if self.draw_of else [folder for folder, _ in self.place[-1:]]
        names = (self.paper, "runs", *folders)
        run = (*self.place, (self.name, names))
        return [(*run, (f"seed{seed}", ())) for seed in self.seeds]


@dataclass(frozen=True)
class Product:
    """A figure or a table of texts, with its source files."""

    paper: str
    number: int
    title: str
    """Its subject: a corpus or data sets."""
    path: str
    """Path in the results, without suffix."""
    sources: tuple[str, ...] = ()
    """Files in the results."""
    labels: tuple[str, ...] = ()
    """Labels of its runs or data sets, in the order of their files."""


class Planner(Protocol):
    """The module that `plan` of a paper.yaml names; `section` is the paper's section of the configuration."""

    REMOVABLE: Sequence[Sequence[str]]
    """Keys of the section, `*` for any name, whose entries a later file can remove with null."""

    def check(self, section: Section) -> None:
        """Check what the schema cannot express. Raises `textlvm.runtime.validation.Problem`."""

    def corpora(self, section: Section) -> Iterable[tuple[Key, str, str]]:
        """The corpora in use: key in the configuration, name, and words | sentences | questions."""

    def plan(self, section: Section, corpora: Mapping[str, Corpus]) -> Sequence[Planned]:
        """All runs and data sets in tables, and the runs that supply their models."""

    def titles(self, section: Section, planned: Sequence[Planned], known: Titles) -> Titles:
        """Titles of corpora that only this paper has; `known` has those of the registry."""

    def figures(self, section: Section, planned: Sequence[Planned]) -> Sequence[Product]:
        """The figures of the paper."""

    def texts(self, section: Section, planned: Sequence[Planned]) -> Sequence[Product]:
        """The tables of texts of the paper."""


def planned(
    config: Mapping[str, Any], papers: Iterable[Paper], corpora: Mapping[str, Corpus]
) -> tuple[Planned, ...]:
    """The plan of a checked configuration, in the order of papers, corpora and entries.

    Raises `UserError` for a planner that plans runs of another paper, as in a copied folder.
    """
    entries = []
    for paper in papers:
        for entry in paper.planner.plan(config[paper.name], corpora):
            if entry.paper != paper.name:
                raise UserError(
                    f"{paper.folder}: plan.py and rules.smk use the name '{entry.paper}'; replace it by "
                    f"'{paper.name}', the name of the folder"
                )
            entries.append(entry)
    return tuple(entries)


def titles(
    config: Mapping[str, Any],
    papers: Iterable[Paper],
    entries: Sequence[Planned],
    corpora: Mapping[str, Corpus],
) -> Titles:
    """The title of each corpus, and whether it is a stand-in."""
    found = {name: (corpus.title, not corpus.paper_corpus) for name, corpus in corpora.items()}
    for paper in papers:
        found |= paper.planner.titles(config[paper.name], entries, found)
    return found


def stands_in(entry: Planned, corpora: Titles) -> bool:
    """Whether its corpus is not the paper's, or replaces another one."""
    return corpora[entry.corpus][1] or entry.corpus != entry.original


def titled(entries: Iterable[Planned], corpora: Titles) -> tuple[Planned, ...]:
    """The entries with the titles of their corpora, and whether these are stand-ins."""
    return tuple(
        replace(entry, corpus_title=corpora[entry.corpus][0], stand_in=stands_in(entry, corpora))
        for entry in entries
    )
