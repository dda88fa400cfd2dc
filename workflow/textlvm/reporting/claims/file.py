"""Read and check the claims.yaml of papers: their statements as data, without their numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from textlvm.experiment.paper import Paper
from textlvm.experiment.plan import Planned, Run
from textlvm.reporting.claims.language import Claim, Language, Place, Problem
from textlvm.reporting.published import Published
from textlvm.runtime.errors import UserError
from textlvm.runtime.validation import Key, check, dotted
from textlvm.runtime.yaml_file import read_yaml

__all__ = ["Claims", "load"]


@dataclass(frozen=True)
class Claims:
    """All claims, one entry per claim and data set."""

    papers: Mapping[str, Paper]
    claims: tuple[Claim, ...]

    @cached_property
    def figures(self) -> frozenset[Place]:
        """The numbers of figures that claims use."""
        places = (place for claim in self.claims for place in claim.places)
        return frozenset(place for place in places if place.metric in self.papers[place.paper].figure_metrics)

    def files(self, run: Run, seed: int, of_tables: bool = False) -> list[str]:
        """The files of a run's seed that claims about figures read, relative to the results.

        With `of_tables`, also if the claims are about other rows of the same table, which borrow a standard
        deviation.
        """
        metrics, parts = self.papers[run.paper].figure_metrics, 3 if of_tables else 4
        rows = {(run.paper, row.table, run.original, row.label)[:parts] for row in run.rows}
        files = {metrics[place.metric].file for place in self.figures if place.cell[:parts] in rows}
        return [f"{run.path}/seed{seed}/{file}" for file in sorted(files)]

    def finished_files(self, runs: Iterable[Run], results: Path) -> list[Path]:
        """The existing files `of_tables` of seeds with current settings, from their current training."""
        seeds = [(run, seed) for run in runs for seed in run.seeds if run.is_finished(seed, results)]
        files = [(run, seed, results / file) for run, seed in seeds for file in self.files(run, seed, True)]
        return [file for run, seed, file in files if run.is_of_current_training(file, seed, results)]


def load(
    papers: Mapping[str, Paper],
    published: Iterable[Published],
    plan: Iterable[Planned] = (),
) -> Claims:
    """Read the papers' claims about their tables and the rows of a plan.

    Raises `UserError` that names the file and the claim: for a violation of the schema, a duplicate id, an
    unknown row, metric or table, a comparison of the wrong length, or operands with different units.
    """
    published, plan = tuple(published), tuple(plan)
    claims: dict[tuple[str, str], Claim] = {}
    for paper in papers.values():
        entries = _read(paper.claims)
        language = Language(
            paper,
            entries.get("rows", {}),
            entries.get("unprinted", ()),
            tuple(value for value in published if value.paper == paper.name),
            frozenset(
                (row.table, row.label) for entry in plan if entry.paper == paper.name for row in entry.rows
            ),
        )
        for entry in entries["claims"]:
            place = f"{paper.claims}: claim '{entry['id']}'"
            if any(known == entry["id"] for known, _ in claims):
                raise UserError(f"{place} occurs twice: give each claim its own id")
            try:
                claims |= {
                    (entry["id"], dataset): language.claim(entry, dataset) for dataset in entry["tables"]
                }
            except Problem as problem:
                raise UserError(f"{place}: {problem}") from None
    return Claims(papers, tuple(claims.values()))


def _read(path: Path) -> dict[str, Any]:
    """Read a claims.yaml and check it against the schema."""
    entries = read_yaml(path)
    check(entries, "claims", path, lambda key: _key(key, entries))
    return entries


def _key(key: Key, entries: Any) -> str:
    """A key of the file for error messages, with a claim's id in place of its index."""
    if key[:1] != ("claims",) or len(key) < 2:
        return dotted(key)
    entry = entries["claims"][key[1]]
    name = entry.get("id") if isinstance(entry, dict) else None
    claim = f"claim '{name}'" if name else f"claim number {int(key[1]) + 1}"
    return f"{claim}: {dotted(key[2:])}" if len(key) > 2 else claim
