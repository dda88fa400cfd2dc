"""The outcomes of claims, and claims.csv with one line per claim and corpus."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from textlvm.reporting.claims.judge import Outcome
from textlvm.reporting.tidy import optional_number
from textlvm.runtime.errors import UserError, repair

__all__ = ["LACKING", "NOISY", "REASONS", "UNKNOWN", "Line", "as_csv", "read_csv"]

LACKING, UNKNOWN, NOISY = "lack a number", "rest on one seed or draw", "are within the noise"
REASONS = (LACKING, UNKNOWN, NOISY)
"""Why claims are undecided."""
SINGLE = ("one seed", "one draw")
"""How `Line.missing` starts if the spread of a number is unknown."""


@dataclass(frozen=True)
class Line:
    """One claim about one data set, on one corpus. Missing numbers are None, missing texts empty."""

    id: str
    paper: str
    where: str
    """Section, table or figure of the paper."""
    claim: str
    predicate: str
    outcome: Outcome
    effect: float | None
    """The effect of the deciding or weakest comparison; None if one is missing and none fails."""
    low: float | None
    high: float | None
    """The bounds of its 95% interval, without noise that is unknown."""
    unit: str
    seeds: int
    """The fewest seeds or draws behind a number of the claim; 0 if one is missing."""
    published_outcome: Outcome
    """The outcome for the printed numbers, within rounding."""
    corpus: str
    stand_in: bool
    missing: str
    """The reason why a claim is undecided: missing numbers of rows, one seed or draw, or a small effect."""
    rows: str
    dataset: str
    corpus_title: str
    comparison: str
    """The comparison that has this `effect`."""
    published_effect: float | None
    published_comparison: str
    note: str
    runs: tuple[str, ...]
    """The metrics files behind the numbers."""
    borrowed_from: str
    """The rows that supply the standard deviations of rows with one seed."""
    replicate: str
    """What `seeds` counts: `seed`, or `draw` of a split."""

    @property
    def undecided_because(self) -> str:
        """One of `REASONS`; empty for a decided claim."""
        if self.outcome is not Outcome.UNDECIDED:
            return ""
        if self.effect is None:
            return LACKING
        return UNKNOWN if self.missing.startswith(SINGLE) else NOISY


PARSERS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("outcome", "published_outcome"), Outcome),
    **dict.fromkeys(("effect", "low", "high", "published_effect"), optional_number),
    "seeds": int,
    "stand_in": json.loads,
    "runs": lambda text: tuple(json.loads(text)),
}
"""Parsers of the fields of `Line` that are not strings."""


def as_csv(lines: Iterable[Line]) -> str:
    """The lines as CSV, with unrounded numbers; lists and booleans are JSON."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Line)], lineterminator="\n")
    writer.writeheader()
    for line in lines:
        values = asdict(line)
        json_values = {name: json.dumps(values[name], ensure_ascii=False) for name in ("stand_in", "runs")}
        writer.writerow(values | json_values)
    return text.getvalue()


def read_csv(path: Path) -> list[Line]:
    """Read a file of `as_csv`. Raises `UserError` if it is missing or another file."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [_parsed(line) for line in csv.DictReader(file)]
    except OSError as error:
        raise UserError(f"cannot read the claims {path} ({error.strerror}); {repair(path)}") from error
    except (KeyError, ValueError, TypeError) as error:
        message = f"{path} is not a table of claims of this version ({error})"
        raise UserError(f"{message}; {repair(path)}") from error


def _parsed(line: Mapping[str, str | None]) -> Line:
    if None in line.values():
        raise ValueError("a line is incomplete")
    return Line(**{field.name: PARSERS.get(field.name, str)(line[field.name]) for field in fields(Line)})
