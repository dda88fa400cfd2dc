"""Reads recorded experiments: the plans of their configurations and their recorded metrics."""

import itertools
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from textlvm.experiment.experiment import Experiment, load_files
from textlvm.experiment.paper import Paper
from textlvm.experiment.plan import Planned
from textlvm.reporting import published
from textlvm.reporting.assembly import build
from textlvm.reporting.cells import Cell
from textlvm.reporting.claims.file import load
from textlvm.reporting.claims.numbers import Measured
from textlvm.reporting.claims.report import evaluate
from textlvm.reporting.draws import over_draws
from textlvm.reporting.fits import Fit, read_csv
from textlvm.reporting.page.claims import ClaimGroup, from_lines
from textlvm.reporting.page.contents import finished_plan
from textlvm.reporting.page.plan import Plan, read_page_plan
from textlvm.reporting.published import Published
from textlvm.reporting.runs import read_results
from textlvm.runtime.errors import UserError

__all__ = ["Record", "command", "read_records"]

CONFIGURATION = "experiment.yaml"


@dataclass(frozen=True)
class Record:
    """One recorded experiment."""

    name: str
    """The name of its folder."""
    about: str
    """The first paragraph of its configuration's comment."""
    papers: Mapping[str, Paper]
    published: tuple[Published, ...]
    """The printed values of the papers."""
    plan: Plan
    """The plan of the recorded runs."""
    cells: tuple[Cell, ...]
    """The cells of tables with a recorded number."""
    claims: tuple[ClaimGroup, ...]
    readings: tuple[Fit, ...]
    """The lines of `readings.csv`; empty without that file."""


def read_records(folder: Path, configuration: Path) -> list[Record]:
    """Read the experiments in a folder that have a recorded number, sorted by name.

    Each is a folder with an `experiment.yaml`, which extends `configuration`. Raises `UserError` if there is
    none, or if a file is damaged.
    """
    files = sorted(folder.glob(f"*/{CONFIGURATION}"))
    if not files:
        raise UserError(f"{folder} has no folder with {CONFIGURATION}; name the folder of the records")
    found = [_read(file, configuration) for file in files]
    return [record for record in found if record.cells]


def command(plan: Plan, entry: Planned) -> str:
    """The command that reruns an entry's recorded seeds from its corpus, even though their metrics exist."""
    seeds = ",".join(map(str, plan.outcomes(entry)))
    each = f"{{{seeds}}}" if "," in seeds else seeds
    target = shlex.quote(entry.metrics(0)).replace("/seed0/", f"/seed{each}/")
    folder = plan.results
    return f"snakemake --cores 1 --force --configfile {folder}/{CONFIGURATION} -- {folder}/{target}"


def _read(file: Path, configuration: Path) -> Record:
    experiment = load_files([configuration, file])
    if experiment.results != file.parent:
        raise UserError(
            f"{file}: the results of a recorded experiment are its own folder; "
            f"set pathvars.results to {file.parent.as_posix()}"
        )
    printed = published.read(experiment.papers)
    cells = list(_cells(experiment, printed))
    plan = _plan(experiment, file.parent.name)
    return Record(
        name=file.parent.name,
        about=_about(file),
        papers=experiment.papers,
        published=printed,
        plan=plan,
        cells=tuple(
            cell for table in cells if any(map(_is_measured, table)) for cell in table if _is_shown(cell)
        ),
        claims=tuple(_claims(experiment, printed, list(itertools.chain(*cells)), plan)),
        readings=tuple(read_csv(experiment.results / "partial" / "readings.csv")),
    )


def _about(file: Path) -> str:
    """The first paragraph of the comment that a file begins with."""
    lines = file.read_text(encoding="utf-8").splitlines()
    paragraph = itertools.takewhile(lambda line: line.startswith("# "), lines)
    return " ".join(line.removeprefix("# ").strip() for line in paragraph)


def _cells(experiment: Experiment, printed: Sequence[Published]) -> Iterable[list[Cell]]:
    """The cells of each table number, as in the rule `partial_table`."""
    for table in experiment.tables:
        entries = experiment.of_table(table)
        planned, results = over_draws(entries, read_results(experiment.outcomes(entries), entries))
        yield build(table, experiment.papers, printed, planned, results)


def _is_measured(cell: Cell) -> bool:
    return cell.measured is not None


def _is_shown(cell: Cell) -> bool:
    """Whether a cell has a number; rows that the experiment adds but has not run have none."""
    return _is_measured(cell) or cell.printed is not None


def _claims(
    experiment: Experiment, printed: Sequence[Published], cells: Sequence[Cell], plan: Plan
) -> list[ClaimGroup]:
    """All claims, as in the rule `partial_claims`."""
    claims = load(experiment.papers, printed, experiment.planned)
    figures = claims.finished_files(experiment.runs, experiment.results)
    measured = Measured(experiment.papers, cells, figures, experiment.in_tables)
    return from_lines(evaluate(claims.claims, measured, printed), plan, experiment.papers)


def _plan(experiment: Experiment, name: str) -> Plan:
    """The plan of the page: the evaluated runs and the recorded figures."""
    plan = read_page_plan(finished_plan(experiment, ""))
    return replace(
        plan,
        planned=tuple(entry for entry in plan.planned if plan.known[entry.path]),
        figures=tuple(fig for fig in experiment.figures if plan.file(f"{fig.path}.png").exists()),
        texts=(),
        prefix=f"{name}/",
    )
