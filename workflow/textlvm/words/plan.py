"""The planner of the words paper: runs by corpus and split, and two figures per corpus."""

from collections.abc import Iterable, Mapping, Sequence

from textlvm.corpora.registry import Corpus
from textlvm.experiment.plan import PARTS, Planned, Product, Row, Run, Titles
from textlvm.runtime.validation import Key, Section
from textlvm.words.relations import check
from textlvm.words.spec import UNTRAINED

__all__ = ["REMOVABLE", "check", "corpora", "figures", "gap_runs", "plan", "standard_runs", "texts", "titles"]

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


def standard_runs(planned: Iterable[Planned], corpus: str) -> list[Run]:
    """The runs on the standard split of a corpus."""
    return [
        run
        for run in planned
        if isinstance(run, Run) and (run.paper, run.corpus, run.split) == ("words", corpus, "standard")
    ]


def gap_runs(planned: Iterable[Planned], corpus: str) -> list[Run]:
    """The runs of Figure 1: those with an entropy gap."""
    return [run for run in standard_runs(planned, corpus) if run.model["family"] == "state-space"]


def figures(section: Section, planned: Sequence[Planned], known: Titles) -> Sequence[Product]:
    """Figures 1 and 2 of every corpus."""
    found = []
    for corpus in sorted(section["corpora"]):
        by_name = {run.name: run for run in standard_runs(planned, corpus)}
        training, baseline = (by_name[section["figures"][key]] for key in ("training_run", "baseline"))
        gaps = [
            f"{run.path}/seed{seed}/entropy.csv" for run in gap_runs(planned, corpus) for seed in run.seeds
        ]
        curves = [f"{training.path}/seed{seed}/curve.jsonl" for seed in training.seeds]
        sources = {1: gaps, 2: [*curves, baseline.metrics(baseline.seeds[0])]}
        found += [
            Product("words", number, known[corpus][0], f"words/{corpus}/figure{number}", tuple(files))
            for number, files in sources.items()
        ]
    return found


def texts(section: Section, planned: Sequence[Planned], known: Titles) -> Sequence[Product]:
    """No texts."""
    return ()
