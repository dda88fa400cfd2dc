"""The planner of the words paper: runs by corpus and split, and two figures per corpus."""

from collections.abc import Iterable, Mapping, Sequence

from textlvm.corpora.registry import Corpus
from textlvm.experiment.plan import PARTS, Planned, Product, Row, Run, Titles
from textlvm.runtime.validation import Key, Section
from textlvm.words.relations import check
from textlvm.words.spec import UNTRAINED

__all__ = ["REMOVABLE", "check", "corpora", "figures", "plan", "texts", "titles"]

REMOVABLE = (("runs", "*", "*"),)
DRAWN = ("unseen",)
"""Splits whose results are means over draws of the split."""
ORIGINAL = "bookscorpus"
"""The paper's own corpus."""


def corpora(section: Section) -> Iterable[tuple[Key, str, str]]:
    """The corpora in use."""
    return [(("words", "corpora", i), name, "words") for i, name in enumerate(section["corpora"])]


def plan(section: Section, corpora: Mapping[str, Corpus]) -> Sequence[Planned]:
    """All runs; those of further draws of a split follow those of the first."""
    return [
        _run(section, corpus, split, draw, name)
        for corpus in section["corpora"]
        for split, entries in section["runs"].items()
        for draw in range(len(section["split"]["seeds"]) if split in DRAWN else 1)
        for name in entries
    ]


def _run(section: Section, corpus: str, split: str, draw: int, name: str) -> Run:
    """A run on the draw with this index."""
    entry = section["runs"][split][name]
    parts = {part: section[part] | entry.get(part, {}) for part in PARTS}
    settings = dict(section["split"])
    seeds, repeated = settings.pop("seeds"), settings.pop("repeated")
    folder = f"{split}-{seeds[draw]}" if draw else split
    trainings = entry.get("seeds", section["seeds"])
    return Run(
        paper="words",
        corpus=corpus,
        original=ORIGINAL,
        split=folder,
        draw_of=split if split in DRAWN else "",
        name=name,
        place=((corpus, ("words", "corpora")), (folder, ("words", "runs"))),
        seeds=tuple(trainings if draw < max(repeated, 1) else trainings[:1]),
        rows=(Row(entry["table"], entry["row"]),),
        # Counting is deterministic.
        is_trained=parts["model"]["family"] not in UNTRAINED,
        model_kind=parts["model"]["family"],
        data={"vocabulary": section["vocabulary"], "split": {**settings, "seed": seeds[draw]}},
        **parts,
    )


def titles(section: Section, planned: Sequence[Planned], known: Titles) -> Titles:
    """No titles besides those of the registry."""
    return {}


def figures(section: Section, planned: Sequence[Planned]) -> Sequence[Product]:
    """Figures 1 (state space models) and 2 (the course of one training) of every corpus."""
    found = []
    for corpus in sorted(section["corpora"]):
        standard = ("words", corpus, "standard")
        runs = {
            run.name: run
            for run in planned
            if isinstance(run, Run) and (run.paper, run.corpus, run.split) == standard
        }
        training, baseline = (runs[section["figures"][key]] for key in ("training_run", "baseline"))
        gaps = [run for run in runs.values() if run.model["family"] == "state-space"]
        title = training.corpus_title
        found += [
            _figure(1, corpus, title, gaps, "entropy.csv"),
            _figure(2, corpus, title, [training], "curve.jsonl", baseline.metrics(baseline.seeds[0])),
        ]
    return found


def texts(section: Section, planned: Sequence[Planned]) -> Sequence[Product]:
    """No texts."""
    return ()


def _figure(number: int, corpus: str, title: str, runs: Sequence[Run], file: str, *others: str) -> Product:
    """A figure that is drawn from a file of every seed of these runs, and from other files."""
    sources = [f"{run.path}/seed{seed}/{file}" for run in runs for seed in run.seeds]
    labels = [run.label for run in runs for _ in run.seeds]
    path = f"words/{corpus}/figure{number}"
    return Product("words", number, title, path, (*sources, *others), tuple(labels))
