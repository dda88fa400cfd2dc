"""The papers' claims for pages."""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from textlvm.experiment.paper import Paper
from textlvm.reporting.claims.lines import REASONS, Line
from textlvm.reporting.page.formats import short
from textlvm.reporting.page.plan import Plan

__all__ = ["MARKS", "Check", "ClaimGroup", "counted", "from_lines", "undecided"]

MARKS = {"holds": "✓", "fails": "✗", "undecided": "?"}
"""The marks of outcomes, in addition to their colors."""


@dataclass(frozen=True)
class Check:
    """A claim on one data set, as pages show it."""

    line: Line
    anchor: str
    data: str
    """The corpus of the run."""
    effect: str
    """The effect with its interval and unit; empty if there is none."""
    published: str
    """The outcome for the paper's own numbers."""
    runs: tuple[tuple[str, str], ...]
    """The section and the label of each of its runs."""


@dataclass(frozen=True)
class ClaimGroup:
    """A claim of a paper, with a check for each of its data sets."""

    paper: str
    where: str
    """Section, table or figure of the paper."""
    text: str
    note: str
    checks: tuple[Check, ...]


def from_lines(lines: Iterable[Line], plan: Plan, papers: Mapping[str, Paper]) -> list[ClaimGroup]:
    """The claims in the lines of claims.csv."""
    groups = itertools.groupby(lines, lambda line: (line.paper, line.where, line.claim, line.note))
    return [ClaimGroup(*key, tuple(_checks(group, plan, papers))) for key, group in groups]


def counted(claims: Sequence[ClaimGroup]) -> dict[str, int]:
    """The number of checks by outcome."""
    outcomes = [check.line.outcome for claim in claims for check in claim.checks]
    return {outcome: outcomes.count(outcome) for outcome in MARKS}


def undecided(claims: Sequence[ClaimGroup]) -> dict[str, int]:
    """The number of undecided checks by reason."""
    found = Counter(check.line.undecided_because for claim in claims for check in claim.checks)
    return {reason: found[reason] for reason in REASONS if found[reason]}


def _checks(lines: Iterable[Line], plan: Plan, papers: Mapping[str, Paper]) -> Iterable[Check]:
    for line in lines:
        datasets = papers[line.paper].datasets
        names = ", ".join(datasets.get(name, name) for name in line.dataset.split(", "))
        yield Check(
            line=line,
            anchor=f"{plan.prefix}claim/{line.id}",
            data=line.corpus_title or names,
            effect=_effect(line),
            published=_published(line),
            runs=tuple(_runs(line.runs, plan)),
        )


def _effect(line: Line) -> str:
    if line.effect is None or line.low is None or line.high is None:
        return ""
    interval = f" [{short(line.low, 3)}, {short(line.high, 3)}]" if line.high > line.low else ""
    return f"{short(line.effect, 3)}{interval} {line.unit}".strip()


def _published(line: Line) -> str:
    if line.published_effect is None:
        return line.published_outcome
    return f"{line.published_outcome}: {short(line.published_effect, 3)} {line.unit}".strip()


def _runs(paths: Iterable[str], plan: Plan) -> Iterable[tuple[str, str]]:
    sections = {
        str(plan.file(file)): (plan.anchor(entry), entry.label)
        for entry in plan.planned
        for file in plan.outcomes(entry).values()
    }
    return dict.fromkeys(sections[path] for path in paths if path in sections)
