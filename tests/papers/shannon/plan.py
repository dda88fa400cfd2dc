"""The planner of the paper: two rows and one figure per corpus."""

from collections.abc import Iterable, Mapping, Sequence

from textlvm.corpora.registry import Corpus
from textlvm.experiment.plan import Planned, Product, Row, Run, Titles
from textlvm.runtime.validation import Key, Problem, Section

REMOVABLE = (("runs", "*"),)


def check(section: Section) -> None:
    """Raise `Problem` for an order above 2."""
    for name, entry in section["runs"].items():
        if entry["model"]["order"] > 2:
            key = ("shannon", "runs", name, "model", "order")
            raise Problem(key, f"{'.'.join(key)} must be 1 or 2")


def corpora(section: Section) -> Iterable[tuple[Key, str, str]]:
    """The corpora in use."""
    return [(("shannon", "corpora", i), name, "words") for i, name in enumerate(section["corpora"])]


def plan(section: Section, corpora: Mapping[str, Corpus]) -> Sequence[Planned]:
    """A run for every entry on every corpus."""
    return [
        Run(
            paper="shannon",
            corpus=corpus,
            original="english",
            name=name,
            place=((corpus, ("shannon", "corpora")),),
            seeds=tuple(section["seeds"]),
            rows=(Row(1, entry["row"]),),
            is_trained=False,
            model=entry["model"],
            training=section["training"],
            evaluation=section["evaluation"],
        )
        for corpus in section["corpora"]
        for name, entry in section["runs"].items()
    ]


def titles(section: Section, planned: Sequence[Planned], known: Titles) -> Titles:
    """No titles besides those of the registry."""
    return {}


def figures(section: Section, planned: Sequence[Planned]) -> Sequence[Product]:
    """Figure 1 of every corpus."""
    found = []
    for corpus in section["corpora"]:
        runs = [run for run in planned if (run.paper, run.corpus) == ("shannon", corpus)]
        sources = tuple(run.metrics(run.seeds[0]) for run in runs)
        found.append(Product("shannon", 1, runs[0].corpus_title, f"shannon/{corpus}/figure1", sources))
    return found


def texts(section: Section, planned: Sequence[Planned]) -> Sequence[Product]:
    """No texts."""
    return ()
