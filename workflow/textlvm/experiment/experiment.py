"""An experiment: the papers, corpora and runs of a configuration."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from textlvm.corpora import registry
from textlvm.corpora.registry import Corpus
from textlvm.experiment import plan
from textlvm.experiment.config import check, merged, origin
from textlvm.experiment.paper import Paper, find, in_use
from textlvm.experiment.plan import Planned, Product, Run
from textlvm.runtime.errors import UserError
from textlvm.runtime.validation import Problem

__all__ = ["REGISTRY", "Experiment", "load", "load_files"]

REGISTRY = Path("workflow/corpora.yaml")


@dataclass(frozen=True)
class Experiment:
    """A checked configuration with its runs, tables, figures and texts."""

    config: Mapping[str, Any]
    papers: Mapping[str, Paper]
    """All papers by name, the oldest first; tables show the rows of unlisted papers as `not run`."""
    used: tuple[Paper, ...]
    """The papers that the configuration lists, in its order."""
    corpora: Mapping[str, Corpus]
    planned: tuple[Planned, ...]
    origin: Callable[[tuple[str, ...]], str]
    """Returns the file that contains a key of the configuration."""

    @property
    def results(self) -> Path:
        """The folder of the results."""
        return Path(self.config["pathvars"]["results"])

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The planned runs."""
        return tuple(entry for entry in self.planned if isinstance(entry, Run))

    @property
    def in_tables(self) -> list[Planned]:
        """The entries with rows in tables; other runs only supply trained models, and are not evaluated."""
        return [entry for entry in self.planned if entry.rows]

    @cached_property
    def figures(self) -> tuple[Product, ...]:
        """The figures of the papers in use."""
        return self._of_papers(lambda paper: paper.planner.figures)

    @cached_property
    def texts(self) -> tuple[Product, ...]:
        """The tables of texts of the papers in use."""
        return self._of_papers(lambda paper: paper.planner.texts)

    @property
    def tables(self) -> list[int]:
        """The numbers of all papers' tables of results."""
        return sorted({number for paper in self.papers.values() for number in paper.tables})

    def planned_tables(self, papers: Iterable[str] | None = None) -> list[int]:
        """The numbers of the tables with planned rows; of these papers, or of all."""
        names = self.papers if papers is None else papers
        return sorted({row.table for entry in self.planned if entry.paper in names for row in entry.rows})

    def of_table(self, number: int) -> list[Planned]:
        """The entries in the rows of the tables with this number."""
        return [entry for entry in self.planned if any(row.table == number for row in entry.rows)]

    def outcomes(self, entries: Iterable[Planned]) -> list[Path]:
        """The metrics of entries with the current settings, and the failures of training with them."""
        paths = (entry.outcome(seed, self.results) for entry in entries for seed in entry.seeds)
        # Runs that are evaluated on several data sets share a training, which may have failed.
        return list(dict.fromkeys(path for path in paths if path))

    def _of_papers(self, of: Callable[[Paper], Any]) -> tuple[Product, ...]:
        return tuple(
            figure for paper in self.used for figure in of(paper)(self.config[paper.name], self.planned)
        )


def load(config: Mapping[str, Any], files: Sequence[str | Path]) -> Experiment:
    """Check a configuration that was merged from `files`, and plan its experiment.

    Raises `UserError` with one sentence for the first error.
    """
    where = partial(origin, config, files=files)
    papers = find(config, where)
    checked = check(config, files, registry.load(REGISTRY), papers)
    corpora = registry.load(REGISTRY, checked["corpora"], where)
    used = in_use(checked, papers)
    try:
        planned = plan.planned(checked, used, corpora)
    except Problem as problem:
        raise UserError(f"{where(problem.key)}: {problem}") from None
    titles = plan.titles(checked, used, planned, corpora)
    return Experiment(checked, papers, used, corpora, plan.titled(planned, titles), where)


def load_files(files: Sequence[str | Path]) -> Experiment:
    """The experiment of configuration files; later ones take precedence. Raises `UserError` like `load`."""
    return load(merged(files), files)
