"""The papers' claims for the page, from the table that `textlvm.reporting.claims` writes."""

import csv
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from textlvm.experiment.paper import Paper
from textlvm.reporting.claims.judge import Outcome
from textlvm.reporting.claims.report import SINGLE
from textlvm.reporting.page.numbers import short
from textlvm.reporting.page.plan import Plan
from textlvm.runtime.errors import UserError, repair

__all__ = ["MARKS", "Check", "Claim", "counted", "from_lines", "read_claims", "undecided"]

MARKS = {"holds": "✓", "fails": "✗", "undecided": "?"}
"""The marks of outcomes, in addition to their colors."""
LACKING, UNKNOWN, NOISY = "lack a number", "rest on one seed or draw", "are within the noise"
REASONS = (LACKING, UNKNOWN, NOISY)
"""Why checks are undecided."""


@dataclass(frozen=True)
class Check:
    """A claim on one data set."""

    anchor: str
    predicate: str
    data: str
    """The corpus of the run."""
    stand_in: bool
    outcome: str
    mark: str
    missing: str
    """The reason why a check is undecided."""
    reason: str
    """One of `REASONS`; empty if the check is decided."""
    effect: str
    """The effect with its interval and unit; empty if there is none."""
    comparison: str
    """The comparison of the effect."""
    seeds: str
    borrowed_from: str
    """The rows that supply the standard deviations of rows with one seed."""
    published: str
    """The outcome for the paper's own numbers."""
    runs: tuple[tuple[str, str], ...]
    """The section and the label of each of its runs."""


@dataclass(frozen=True)
class Claim:
    """A claim of a paper, with a check for each of its data sets."""

    paper: str
    section: str
    text: str
    note: str
    checks: tuple[Check, ...]


def read_claims(path: Path | None, plan: Plan, papers: Mapping[str, Paper]) -> list[Claim]:
    """Read the claims; none without a path. Raises `UserError` if the file is missing or invalid."""
    if path is None:
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return from_lines(csv.DictReader(file), plan, papers)
    except OSError as error:
        raise UserError(f"cannot read the claims {path} ({error.strerror}); {repair(path)}") from error
    except (KeyError, ValueError, TypeError) as error:
        raise UserError(
            f"{path} is not a table of claims of this version ({error}); {repair(path)}"
        ) from error


def from_lines(lines: Iterable[Mapping[str, str]], plan: Plan, papers: Mapping[str, Paper]) -> list[Claim]:
    """The claims in the lines of a table of claims. Raises `KeyError` or `ValueError` for invalid lines."""
    groups = itertools.groupby(
        lines, lambda line: (line["paper"], line["section"], line["claim"], line["note"])
    )
    return [Claim(*key, tuple(_checks(group, plan, papers))) for key, group in groups]


def counted(claims: Sequence[Claim]) -> dict[str, int]:
    """The number of checks by outcome."""
    outcomes = [check.outcome for claim in claims for check in claim.checks]
    return {outcome: outcomes.count(outcome) for outcome in (*MARKS, *set(outcomes) - set(MARKS))}


def undecided(claims: Sequence[Claim]) -> dict[str, int]:
    """The number of undecided checks by reason."""
    checks = [check for claim in claims for check in claim.checks if check.outcome == Outcome.UNDECIDED]
    found = Counter(check.reason for check in checks)
    return {reason: found[reason] for reason in REASONS if found[reason]}


def _checks(lines: Iterable[Mapping[str, str]], plan: Plan, papers: Mapping[str, Paper]) -> Iterable[Check]:
    for line in lines:
        datasets = papers[line["paper"]].datasets
        names = ", ".join(datasets.get(name, name) for name in line["dataset"].split(", "))
        yield Check(
            anchor=f"{plan.prefix}claim/{line['id']}",
            predicate=line["predicate"],
            data=line["corpus_title"] or names,
            stand_in=json.loads(line["stand_in"]),
            outcome=line["outcome"],
            mark=MARKS.get(line["outcome"], ""),
            missing=line["missing"],
            reason=_reason(line) if line["outcome"] == Outcome.UNDECIDED else "",
            effect=_effect(line),
            comparison=line["comparison"],
            seeds=line["seeds"],
            borrowed_from=line["borrowed_from"],
            published=_published(line),
            runs=tuple(_runs(json.loads(line["runs"]), plan)),
        )


def _reason(line: Mapping[str, str]) -> str:
    if not line["effect"]:
        return LACKING
    return UNKNOWN if line["missing"].startswith(SINGLE) else NOISY


def _effect(line: Mapping[str, str]) -> str:
    if not line["effect"]:
        return ""
    low, high = float(line["low"]), float(line["high"])
    interval = f" [{short(low, 3)}, {short(high, 3)}]" if high > low else ""
    return f"{short(float(line['effect']), 3)}{interval} {line['unit']}".strip()


def _published(line: Mapping[str, str]) -> str:
    if not line["published_effect"]:
        return line["published_outcome"]
    return f"{line['published_outcome']}: {short(float(line['published_effect']), 3)} {line['unit']}".strip()


def _runs(paths: Iterable[str], plan: Plan) -> Iterable[tuple[str, str]]:
    sections = {
        str(plan.file(file)): (plan.anchor(entry), entry.label)
        for entry in plan.planned
        for file in plan.outcomes(entry).values()
    }
    return dict.fromkeys(sections[path] for path in paths if path in sections)
