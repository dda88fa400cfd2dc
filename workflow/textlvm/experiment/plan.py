"""The plan: everything a configuration asks for, with its effective settings and its place in the tables.

A *run* is one model on one data set, trained once for each seed. Its files lie in
`<results>/words/<corpus>/<split>/<run>/seed<k>/` and `<results>/sentences/<dataset>/<run>/seed<k>/`. What is
measured of a prepared data set of sentences stands in tables as well.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textlvm.corpora.registry import Corpus, SourceFile
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import modified, read_object
from textlvm.sentences.data.dataset import settings_of, sources_of
from textlvm.words.spec import UNTRAINED

__all__ = [
    "TABLES",
    "TEXTS",
    "DataSet",
    "Folder",
    "Measured",
    "Row",
    "Run",
    "data_sets",
    "preparation",
    "rows",
    "runs",
    "sources",
    "stands_in",
]

TABLES = range(1, 9)
"""The numbers of the papers' tables of results: 1 and 2 of the words paper, 1 to 8 of the sentences paper."""
TEXTS = {
    9: "answers",
    10: "interpolations",
    **dict.fromkeys((11, 12, 13, 14), "reconstructions"),
    **dict.fromkeys((15, 16, 17), "interpolations"),
    **dict.fromkeys((18, 19, 20), "samples"),
    21: "answers",
}
"""What the sentences paper's tables of texts show, by their numbers."""
OF_DATASET = {"ptb": 2, "yelp15": 3, "yahoo": 4, "wikitext-103": 5, "yahoocqa": 8}
"""The table of the sentences paper that has the runs measured on a data set."""
PARTS = ("model", "training", "evaluation")

Settings = Mapping[str, Any]
Folder = tuple[str, tuple[str, ...]]
"""The name of a folder, and the key of the configuration under which such names stand."""


@dataclass(frozen=True)
class Row:
    """A place in a table."""

    table: int
    label: str
    metrics: Mapping[str, str] = field(default_factory=dict)
    """What the table calls a metric, and what the evaluation does; empty if all are shown as they are."""
    compared: Mapping[str, str] = field(default_factory=dict)
    """The metric that a printed one is compared with, where the paper's text allows several."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Something that tables have numbers of."""

    paper: str
    corpus: str
    """Name in the registry of the corpus it is measured on; a union goes by its own name."""
    dataset: str = ""
    """The sentences paper's data set that the corpus is used for."""
    split: str = "standard"
    name: str
    """The key of its entry in the configuration and the name of its folder."""
    seeds: tuple[int, ...]
    rows: tuple[Row, ...]
    trained_on: str = ""
    """Another data set, on which a run of the same name was trained and this one was not."""

    @property
    def original(self) -> str:
        """Name in the registry of the corpus that the paper itself measured it on."""
        return self.dataset or "bookscorpus"

    @property
    def is_trained(self) -> bool:
        """Whether another training would find something else."""
        return True

    @property
    def label(self) -> str:
        """What tables call it first."""
        return self.rows[0].label if self.rows else self.name

    @property
    def place(self) -> tuple[Folder, ...]:
        """The folders between the paper's and its own."""
        if self.dataset:
            return ((self.dataset, ("sentences", "datasets")),)
        return (self.corpus, ("words", "corpora")), (self.split, ("words", "runs"))

    @property
    def path(self) -> str:
        """Its folder below the results, e.g. `words/<corpus>/<split>/<run>`."""
        return "/".join((self.paper, *(folder for folder, _ in self.place), self.name))

    def metrics(self, seed: int) -> str:
        """The file of what was measured, below the results."""
        raise NotImplementedError

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
class Run(Measured):
    """One model on one data set, measured there, with its effective settings."""

    model: Settings
    training: Settings
    evaluation: Settings
    data: Settings = field(default_factory=dict)
    """How what it is trained on is prepared."""

    @property
    def is_trained(self) -> bool:
        """Not where the family only counts."""
        return self.model.get("family") not in UNTRAINED

    @property
    def training_path(self) -> str:
        """The folder below the results that the trained model lies in, and its seeds derive from."""
        return f"{self.paper}/{self.trained_on}/{self.name}" if self.trained_on else self.path

    def metrics(self, seed: int) -> str:
        """The file of what was measured, below the results."""
        return f"{self.path}/seed{seed}/metrics.json"

    def is_described_by(self, spec: Mapping[str, Any]) -> bool:
        """Whether these are the settings of its training, as they are now; records of old lack the data's."""
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
        return read_object(metrics).get("settings") == self.evaluation

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
        own = (*self.place, (self.name, names))
        return [(*own, (f"seed{seed}", (self.paper, "seeds"))) for seed in self.seeds]


@dataclass(frozen=True, kw_only=True)
class DataSet(Measured):
    """A prepared data set of sentences: Table 1 has its statistics."""

    name: str = "data"
    seeds: tuple[int, ...] = (0,)
    settings: Settings
    """How it is prepared."""

    @property
    def is_trained(self) -> bool:
        """It has sizes alone."""
        return False

    @property
    def is_of_questions(self) -> bool:
        """Whether it has questions with ranked answers, and no sentences."""
        return self.settings.get("format") in ("triples", "pickle")

    def metrics(self, seed: int) -> str:
        """The file of its statistics, below the results."""
        return f"{self.path}/statistics.json"

    def is_finished(self, seed: int, results: Path) -> bool:
        """Whether it has been prepared with the settings it has now."""
        return read_object(results / self.metrics(seed)).get("settings") == self.settings

    def folders(self) -> list[tuple[Folder, ...]]:
        """The one folder that it has."""
        return [(*self.place, (self.name, (self.paper, "runs", self.dataset)))]


def runs(config: Mapping[str, Any]) -> tuple[Run, ...]:
    """All runs of a checked configuration, in the order of its papers, corpora or data sets, and entries."""
    of_paper = {"words": _of_words, "sentences": _of_sentences}
    return tuple(run for paper in config["papers"] for run in of_paper[paper](config[paper]))


def data_sets(config: Mapping[str, Any], corpora: Mapping[str, Corpus]) -> tuple[DataSet, ...]:
    """All data sets of sentences of a checked configuration."""
    if "sentences" not in config["papers"]:
        return ()
    return tuple(
        DataSet(
            paper="sentences",
            corpus=entry.get("corpus", name),
            dataset=name,
            rows=(Row(1, entry["row"]),) if "row" in entry else (),
            settings=settings_of(preparation(entry), corpora),
        )
        for name, entry in config["sentences"]["datasets"].items()
    )


def sources(
    own: DataSet, corpora: Mapping[str, Corpus], origin: Callable[[tuple[str, ...]], str]
) -> dict[str, SourceFile]:
    """The files that a data set is made from, by the corpus's own split.

    `origin` tells the file in which a key of the configuration stands. Raises `UserError`, with that file and
    the key, if the corpus lacks a split that the data set draws from.
    """
    try:
        return sources_of(own.settings, corpora)
    except UserError as error:
        key = ("sentences", "datasets", own.dataset)
        raise UserError(f"{origin(key)}: {'.'.join(key)}: {error}") from None


def preparation(entry: Settings) -> dict[str, Any]:
    """Of a data set's entry what concerns its preparation, as `textlvm.sentences.data.dataset` takes it."""
    return {key: value for key, value in entry.items() if key not in ("row", "qualitative", *PARTS)}


def stands_in(own: Measured, corpora: Mapping[str, tuple[str, bool]]) -> bool:
    """Whether its corpus is none of the papers' own, or in the place of another; `corpora` as for `rows`."""
    return corpora[own.corpus][1] or own.corpus != own.original


def rows(
    measured: Iterable[Measured], table: int, corpora: Mapping[str, tuple[str, bool]]
) -> dict[str, list[dict[str, Any]]]:
    """The planned rows of one table, as `textlvm.reporting.tables` reads them.

    `corpora` gives each corpus its title and whether it is none of the papers' own.
    """
    planned = []
    for own in measured:
        for row in own.rows:
            if row.table == table:
                entry = {
                    "paper": own.paper,
                    "table": row.table,
                    "row": row.label,
                    "run": own.name,
                    "corpus": own.corpus,
                    "split": own.split,
                    "seeds": list(own.seeds),
                    "stand_in": stands_in(own, corpora),
                    "corpus_title": corpora[own.corpus][0],
                    "dataset": own.dataset,
                    "trained_on": own.trained_on,
                    "metrics": dict(row.metrics),
                    "compared": dict(row.compared),
                    "trained": own.is_trained,
                }
                planned.append({key: value for key, value in entry.items() if value not in ("", {})})
    return {"rows": planned}


def _of_words(section: Settings) -> list[Run]:
    return [
        Run(
            paper="words",
            corpus=corpus,
            split=split,
            name=name,
            seeds=tuple(section["seeds"]),
            rows=(Row(entry["table"], entry["row"]),),
            data={part: section[part] for part in ("vocabulary", "split")},
            **{part: section[part] | entry.get(part, {}) for part in PARTS},
        )
        for corpus in section["corpora"]
        for split, entries in section["runs"].items()
        for name, entry in entries.items()
    ]


def _of_sentences(section: Settings) -> list[Run]:
    found = []
    for dataset, entries in section["runs"].items():
        for name, entry in entries.items():
            trained_on = entry.get("trained_on", "")
            trained = section["runs"][trained_on][name] if trained_on else entry
            # A model is what it was trained to be; it is measured as its data set here says.
            said = {
                "model": (trained_on or dataset, trained),
                "training": (trained_on or dataset, trained),
                "evaluation": (dataset, entry),
            }
            found.append(
                Run(
                    paper="sentences",
                    corpus=section["datasets"][dataset].get("corpus", dataset),
                    dataset=dataset,
                    name=name,
                    seeds=tuple(section["seeds"]),
                    rows=_rows(section, dataset, name, entry),
                    trained_on=trained_on,
                    data=preparation(section["datasets"][trained_on or dataset]),
                    **{
                        part: section[part] | section["datasets"][where].get(part, {}) | own.get(part, {})
                        for part, (where, own) in said.items()
                    },
                )
            )
    return found


def _rows(section: Settings, dataset: str, name: str, entry: Settings) -> tuple[Row, ...]:
    """The row that an entry names, and those that it is collected for."""
    compared = section["compared"]
    own = [Row(OF_DATASET[dataset], entry["row"], compared=compared)] if "row" in entry else []
    collected = [
        Row(
            int(table.removeprefix("table")),
            label,
            {said["metric"]: row.get("metric", said["metric"])},
            compared,
        )
        for table, said in section["collected"].items()
        for label, row in said["rows"].items()
        if row["runs"].get(dataset) == name
    ]
    return (*own, *collected)
