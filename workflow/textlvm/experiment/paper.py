"""A paper: one folder with its metadata, printed values, claims and rules.

paper.yaml      title, tables, figures and metrics; this module reads it
published.csv   the printed values (textlvm.reporting.published)
claims.yaml     the claims about these values (textlvm.reporting.claims)
rules.smk       the rules that create its metrics and figures
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from textlvm.experiment.declarations import Curves, FigureMetric, Metric, Reading, Table, Texts
from textlvm.runtime.errors import UserError, nearest
from textlvm.runtime.validation import check
from textlvm.runtime.yaml_file import read_yaml
from textlvm.spec import parse

__all__ = ["PAPERS", "Paper", "add_argument", "find", "in_use", "load", "load_all"]

PAPERS = Path(__file__).parents[2] / "papers"
"""The folder of the project's papers."""
PLANNER = ("REMOVABLE", "check", "corpora", "plan", "titles", "figures", "texts")
"""The names that a planner defines, those of `textlvm.experiment.plan.Planner`."""


@dataclass(frozen=True)
class Paper:
    """A paper and the files of its folder."""

    name: str
    """The name of its folder, of its section of the configuration and of its results folder."""
    folder: Path
    title: str
    citation: str
    year: int
    plan: str
    """The module that plans its runs, or a file of its folder: a `textlvm.experiment.plan.Planner`."""
    steps: Mapping[str, str]
    """The modules that train and evaluate a run, or files of its folder, by `training` and `evaluation`."""
    datasets: Mapping[str, str]
    """Titles of the paper's own data sets, by name."""
    tables: Mapping[int, Table]
    metrics: Mapping[str, Metric]
    figures: Mapping[int, str] = field(default_factory=dict)
    """Captions, by number."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """How notes describe the settings of an evaluation."""
    readings: Mapping[str, tuple[Reading, ...]] = field(default_factory=dict)
    """The readings of printed columns, by the column's metric."""
    texts: Mapping[int, Texts] = field(default_factory=dict)
    """Tables of texts, by number."""
    figure_metrics: Mapping[str, FigureMetric] = field(default_factory=dict)
    curves: Mapping[str, Curves] = field(default_factory=dict)
    """Charts of a training, by title."""

    @property
    def published(self) -> Path:
        """The file of its printed values."""
        return self.folder / "published.csv"

    @property
    def claims(self) -> Path:
        """The file of its claims."""
        return self.folder / "claims.yaml"

    @property
    def rules(self) -> Path:
        """The file of its rules."""
        return self.folder / "rules.smk"

    @property
    def schema(self) -> Path:
        """The JSON schema of its section of the configuration."""
        return self.folder / "config.schema.yaml"

    def program(self, step: str) -> Path:
        """The file of a step, `training` or `evaluation`; a module's is relative to the project's folder."""
        name = self.steps[step]
        if name.endswith(".py"):
            return self.folder / name
        return Path("workflow", f"{name.replace('.', '/')}.py")

    @property
    def further_files(self) -> frozenset[str]:
        """The names of the files of runs that have further numbers for pages."""
        return frozenset(metric.file for metric in self.figure_metrics.values() if metric.heading)

    @property
    def compared(self) -> dict[str, str]:
        """The compared metrics of columns whose name differs from the metric, by column."""
        pairs = ((name, reading) for name, readings in self.readings.items() for reading in readings)
        return {name: each.metric for name, each in pairs if each.compared and each.metric != name}

    @property
    def planner(self) -> Any:
        """Its planner, a module like `textlvm.experiment.plan.Planner`."""
        return _planner(self.folder, self.plan)

    def metric(self, name: str) -> Metric:
        """The metric of this name. Raises `UserError` if paper.yaml declares none."""
        if name not in self.metrics:
            place = self.folder / "paper.yaml"
            raise UserError(f"{place} declares no metric '{name}': add it; {nearest(name, self.metrics)}")
        return self.metrics[name]

    def is_of_training(self, metric: str) -> bool:
        """Whether the value depends on training; true for metrics that paper.yaml does not declare."""
        return metric not in self.metrics or self.metrics[metric].of_training


def load(folder: str | Path) -> Paper:
    """Read the paper of a folder. Raises `UserError` that names file and key if paper.yaml is invalid."""
    path = Path(folder) / "paper.yaml"
    entries = {str(key): value for key, value in read_yaml(path).items()}
    for part in ("tables", "figures", "texts"):
        if isinstance(entries.get(part), Mapping):
            entries[part] = {str(number): entry for number, entry in entries[part].items()}
    check(entries, "paper", path)
    for part in ("tables", "texts"):
        numbered = entries.get(part, {}).items()
        entries[part] = {int(number): {"number": int(number), **entry} for number, entry in numbered}
    for part in ("metrics", "figure_metrics"):
        entries[part] = {name: {"name": name, **entry} for name, entry in entries.get(part, {}).items()}
    for metric in entries["figure_metrics"].values():
        metric["declared"] = str(path)
    entries["figures"] = {int(number): caption for number, caption in entries.get("figures", {}).items()}
    place = {"name": Path(folder).resolve().name, "folder": Path(folder)}
    paper = parse(Paper, entries | place, str(path))
    for table in paper.tables.values():
        for name in table.columns:
            if name not in paper.metrics:
                raise UserError(
                    f"{path}: tables.{table.number} has the column '{name}', which metrics does not declare; "
                    f"{nearest(name, paper.metrics)}"
                )
    columns = {name for table in paper.tables.values() for name in table.columns}
    for name, readings in paper.readings.items():
        if name not in columns:
            raise UserError(
                f"{path}: readings has '{name}', which is not a column of tables; {nearest(name, columns)}"
            )
        for metric in filter(None, (name for each in readings for name in (each.metric, each.otherwise))):
            if metric not in paper.metrics:
                raise UserError(
                    f"{path}: readings.{name} has the metric '{metric}', which metrics does not declare; "
                    f"{nearest(metric, paper.metrics)}"
                )
        if sum(reading.compared for reading in readings) > 1:
            raise UserError(
                f"{path}: readings.{name} marks several readings as compared: keep one `compared: true`"
            )
        if any(reading.compared and reading.otherwise for reading in readings):
            raise UserError(
                f"{path}: readings.{name} compares a reading that some rows lack, but all cells of a column "
                "must have the same metric: compare another reading"
            )
    for name in paper.figure_metrics:
        if name in paper.metrics:
            raise UserError(f"{path}: '{name}' is in both metrics and figure_metrics: rename one of them")
    return paper


def find(config: Mapping[str, Any], where: Callable[[tuple[str, ...]], str]) -> dict[str, Paper]:
    """The project's papers, and those whose folders `papers` of a configuration names.

    `where` returns the file that contains a key of the configuration. Raises `UserError` for a name or folder
    that is not a paper.
    """
    # Relative to the working directory, for command lines and messages.
    folders = [Path(os.path.relpath(path.parent)) for path in PAPERS.glob("*/paper.yaml")]
    known = {folder.name for folder in folders}
    listed = config.get("papers")
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, str) and entry not in known:
            if not os.path.isfile(os.path.join(entry, "paper.yaml")):  # noqa: PTH113, PTH118
                raise UserError(
                    f"{where(('papers',))}: papers lists '{entry}', which is neither a paper of this project "
                    f"nor a folder with a paper.yaml; {nearest(entry, known)}"
                )
            folders.append(Path(entry))
    return load_all({folder.resolve(): folder for folder in reversed(folders)}.values())


def in_use(config: Mapping[str, Any], papers: Mapping[str, Paper]) -> tuple[Paper, ...]:
    """The papers that a configuration lists, in its order. Raises `UserError` if one is not in `papers`."""
    names = [entry if entry in papers else Path(entry).resolve().name for entry in config["papers"]]
    for name in names:
        if name not in papers:
            raise UserError(f"papers lists '{name}', which is not a paper; {nearest(name, papers)}")
    return tuple(papers[name] for name in dict.fromkeys(names))


def load_all(folders: Iterable[str | Path]) -> dict[str, Paper]:
    """The papers of these folders by name, the oldest first. Raises `UserError` for duplicate names."""
    papers: dict[str, Paper] = {}
    for paper in sorted(map(load, folders), key=lambda paper: (paper.year, paper.name)):
        if paper.name in papers:
            raise UserError(
                f"{papers[paper.name].folder} and {paper.folder} have the same name: rename one of them"
            )
        papers[paper.name] = paper
    return papers


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--papers`, the folders of papers."""
    parser.add_argument("--papers", type=Path, nargs="+", required=True, help="folders of papers")


@cache
def _planner(folder: Path, module: str) -> Any:
    if not module.endswith(".py"):
        return import_module(module)
    name = f"papers.{folder.name}.{Path(module).stem}"
    spec = spec_from_file_location(name, folder / module)
    if spec is None or spec.loader is None or not (folder / module).is_file():
        raise UserError(f"{folder / 'paper.yaml'}: plan is '{module}', but {folder} has no such file")
    loaded = module_from_spec(spec)
    sys.modules[name] = loaded
    try:
        spec.loader.exec_module(loaded)
    except (ImportError, SyntaxError) as error:
        raise UserError(f"{folder / module} cannot be imported: {error}") from error
    if missing := [name for name in PLANNER if not hasattr(loaded, name)]:
        raise UserError(f"{folder / module} does not define {', '.join(missing)}; see docs/papers.md")
    return loaded
