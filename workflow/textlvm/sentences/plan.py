"""The plan of the sentences paper: data sets, runs, figures and tables of texts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textlvm.corpora.registry import QUESTION_FORMATS, Corpus, SourceFile
from textlvm.experiment.plan import Folder, Planned, Product, Row, Run, Titles, stands_in
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import read_object
from textlvm.runtime.validation import Key, Problem, Section, dotted
from textlvm.sentences.data.dataset import SPLITS, settings_of, sources_of
from textlvm.sentences.families import is_pretrained
from textlvm.sentences.relations import QUESTIONS, TABLE_OF_DATASET, check, paper, preparation

__all__ = [
    "REMOVABLE",
    "DataSet",
    "check",
    "corpora",
    "data_sets",
    "figures",
    "plan",
    "sample_runs",
    "texts",
    "titles",
]

REMOVABLE = (
    ("runs", "*", "*"),
    ("collected", "*", "rows", "*"),
    ("collected", "*", "rows", "*", "runs", "*"),
)
BOUND_FIGURES = {6: "ptb", 7: "yelp15", 8: "yahoo"}
"""The data sets of Figures 6 to 8."""


@dataclass(frozen=True, kw_only=True)
class DataSet(Planned):
    """A prepared data set; Table 1 shows its statistics."""

    name: str = "data"
    seeds: tuple[int, ...] = (0,)
    is_trained: bool = False
    settings: Mapping[str, Any]
    """The settings of its preparation."""
    sources: Mapping[str, SourceFile]
    """Its source files, by the corpus's own split."""

    @property
    def is_of_questions(self) -> bool:
        """Whether it consists of questions with ranked answers instead of sentences."""
        return self.settings.get("format") in QUESTION_FORMATS

    @property
    def members(self) -> Sequence[str]:
        """The data sets of a union; empty otherwise."""
        return self.settings.get("union", ())

    def is_finished(self, seed: int, results: Path) -> bool:
        """Whether it has been prepared with its current settings."""
        return read_object(results / self.metrics(seed)).get("settings") == self.settings

    def folders(self) -> list[tuple[Folder, ...]]:
        """Its folder."""
        return [(*self.place, (self.name, (self.paper, "runs", self.dataset)))]


def corpora(section: Section) -> Iterable[tuple[Key, str, str]]:
    """The corpora in use: key in the configuration, name and kind of each."""
    return [
        (
            ("sentences", "datasets", name, "corpus"),
            entry["corpus"],
            "questions" if name == QUESTIONS else "sentences",
        )
        for name, entry in section["datasets"].items()
        if "corpus" in entry
    ]


def plan(section: Section, corpora: Mapping[str, Corpus]) -> Sequence[Planned]:
    """All data sets and runs. Raises `Problem` if a corpus lacks a split that a data set draws from."""
    return [*_data_sets(section, corpora), *_runs(section)]


def data_sets(planned: Iterable[Planned]) -> dict[str, DataSet]:
    """The data sets of a plan, by name."""
    return {entry.dataset: entry for entry in planned if isinstance(entry, DataSet)}


def titles(section: Section, planned: Sequence[Planned], known: Titles) -> Titles:
    """The titles of unions, and whether one of their corpora is a stand-in."""
    found = data_sets(planned)
    return {
        name: (
            f"the union of {', '.join(_name(section, member) for member in union.members)}",
            any(stands_in(found[member], known) for member in union.members),
        )
        for name, union in found.items()
        if union.members
    }


# ---- figures and tables of texts


def sample_runs(section: Section, planned: Sequence[Planned], role: str) -> list[Run]:
    """The runs of Figure 5, one per data set; `role` is `run` or `reference` (the run to compare with)."""
    return [
        run
        for dataset, entry in section["figures"]["samples"].items()
        for run in _named_runs(planned, dataset, [entry[role]])
    ]


def figures(section: Section, planned: Sequence[Planned]) -> Sequence[Product]:
    """Figures 3 to 8."""
    pairs, samples, bounds = (section["figures"][name] for name in ("pairs", "samples", "bounds"))
    known = data_sets(planned).values()
    lengths = [entry for entry in known if not entry.is_of_questions and not entry.members]
    names = [_name(section, entry.dataset) for entry in lengths]
    runs, references = (sample_runs(section, planned, role) for role in ("run", "reference"))

    def histograms(number: int, dataset: str, names: Iterable[str]) -> Product:
        chosen = _named_runs(planned, dataset, names)
        sources = [f"{run.path}/seed{seed}/histograms.json" for run in chosen for seed in run.seeds]
        labels = [run.label for run in chosen for _ in run.seeds]
        return _figure("figure", number, _title(planned, dataset), sources, labels)

    return [
        histograms(3, pairs["dataset"], pairs["runs"]),
        _figure(
            "figure",
            4,
            ", ".join(names),
            [f"{entry.path}/{file}" for entry in lengths for file in files(entry)],
            names,
        ),
        _figure(
            "figure",
            5,
            ", ".join(_name(section, dataset) for dataset in samples),
            [*_first_seed_files(runs, "histograms.json"), *_first_seed_files(references, "metrics.json")],
            [f"{run.label}, {_name(section, run.dataset)}" for run in runs],
        ),
        *(histograms(number, dataset, bounds[dataset]) for number, dataset in BOUND_FIGURES.items()),
    ]


def texts(section: Section, planned: Sequence[Planned]) -> Sequence[Product]:
    """The tables of texts that the configuration names."""
    tables = {int(name.removeprefix("table")): table for name, table in section["texts"].items()}
    result = []
    for number, table in sorted(tables.items()):
        runs = _named_runs(planned, table["dataset"], table["runs"])
        title, labels = _title(planned, table["dataset"]), [run.label for run in runs]
        sources = _first_seed_files(runs, paper().texts[number].file)
        result.append(_figure("table", number, title, sources, labels))
    return result


ARRAYS = tuple(f"{split}.{kind}.npy" for split in SPLITS for kind in ("tokens", "offsets"))


def files(data_set: DataSet) -> list[str]:
    """The files of a prepared data set that steps read."""
    arrays = ("questions.json",) if data_set.is_of_questions else ARRAYS
    return ["statistics.json", "vocabulary.tsv", *arrays]


def _named_runs(planned: Iterable[Planned], dataset: str, names: Iterable[str]) -> list[Run]:
    """The runs on a data set with these names, in this order."""
    runs = {
        run.name: run
        for run in planned
        if isinstance(run, Run) and (run.paper, run.dataset) == ("sentences", dataset)
    }
    return [runs[name] for name in names if name in runs]


def _name(section: Section, dataset: str) -> str:
    """The label of a data set in figures."""
    name: str = section["datasets"][dataset].get("row", dataset)
    return name


def _title(planned: Iterable[Planned], dataset: str) -> str:
    """The title of a data set's corpus in tables."""
    return data_sets(planned)[dataset].corpus_title


def _figure(kind: str, number: int, title: str, sources: Iterable[str], labels: Iterable[str]) -> Product:
    """A figure or a table of texts in the paper's folder."""
    return Product("sentences", number, title, f"sentences/{kind}{number}", tuple(sources), tuple(labels))


def _first_seed_files(runs: Iterable[Run], file: str) -> list[str]:
    """A file of the first seed of each run."""
    return [f"{run.path}/seed{run.seeds[0]}/{file}" for run in runs]


# ---- data sets and runs


def _data_sets(section: Section, corpora: Mapping[str, Corpus]) -> list[DataSet]:
    found = []
    for name, entry in section["datasets"].items():
        key = ("sentences", "datasets", name)
        settings = settings_of(preparation(entry), corpora)
        try:
            sources = sources_of(settings, corpora)
        except UserError as error:
            raise Problem(key, f"{dotted(key)}: {error}") from None
        found.append(
            DataSet(
                paper="sentences",
                corpus=entry.get("corpus", name),
                original=name,
                dataset=name,
                place=_place(name),
                rows=(Row(1, entry["row"]),) if "row" in entry else (),
                settings=settings,
                sources=sources,
            )
        )
    return found


def _runs(section: Section) -> list[Run]:
    found = []
    for dataset, entries in section["runs"].items():
        for name, entry in entries.items():
            trained_on = entry.get("trained_on", "")
            trained = section["runs"][trained_on][name] if trained_on else entry
            seeds = trained.get("seeds", section["seeds"])
            # Model and training belong to the data set of training; the evaluation belongs to this one.
            origins = {
                "model": (trained_on or dataset, trained),
                "training": (trained_on or dataset, trained),
                "evaluation": (dataset, entry),
            }
            parts = {
                part: section[part] | section["datasets"][where].get(part, {}) | of_run.get(part, {})
                for part, (where, of_run) in origins.items()
            }
            found.append(
                Run(
                    paper="sentences",
                    corpus=section["datasets"][dataset].get("corpus", dataset),
                    original=dataset,
                    dataset=dataset,
                    name=name,
                    place=_place(dataset),
                    # A pretrained model is the same for every seed.
                    seeds=tuple(seeds[: 1 if is_pretrained(parts["model"]) else None]),
                    rows=_rows(section, dataset, name, entry),
                    trained_on=trained_on,
                    data=preparation(section["datasets"][trained_on or dataset]),
                    model_kind=parts["model"].get("family") or parts["model"]["objective"],
                    is_trained=not is_pretrained(parts["model"]),
                    **parts,
                )
            )
    return found


def _place(dataset: str) -> tuple[Folder, ...]:
    return ((dataset, ("sentences", "datasets")),)


def _rows(section: Section, dataset: str, name: str, entry: Mapping[str, Any]) -> tuple[Row, ...]:
    """The row that a run's entry names, and the rows of other tables that show the run."""
    named = [Row(TABLE_OF_DATASET[dataset], entry["row"])] if "row" in entry else []
    collected = [
        Row(int(key.removeprefix("table")), label, {table["metric"]: row.get("metric", table["metric"])})
        for key, table in section["collected"].items()
        for label, row in table["rows"].items()
        if row["runs"].get(dataset) == name
    ]
    return (*named, *collected)
