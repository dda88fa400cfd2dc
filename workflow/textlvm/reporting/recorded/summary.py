"""The answer of all recorded experiments: printed numbers and claims, each counted once."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from textlvm.reporting.cells import Cell
from textlvm.reporting.claims.judge import Outcome
from textlvm.reporting.page.claims import Check, Claim
from textlvm.reporting.recorded.records import Record
from textlvm.reporting.rows import is_of_training
from textlvm.reporting.verdict import Verdict

__all__ = ["DIFFERS", "GROUPS", "REASONS", "UNTESTED", "Numbers", "Said", "Tested", "numbers", "said"]

OTHER_TEXT = "evaluated on a stand-in corpus"
ONE_SEED = "outside the rule, with one seed and no row to borrow a standard deviation from"
READING = "computed with a reading other than the compared one"
CONFLICT = "within in one experiment and outside in another"
REASONS = (OTHER_TEXT, ONE_SEED, READING, CONFLICT)
"""Why a printed number is undecided."""

DIFFERS = "differs"
UNTESTED = "not run"
GROUPS = (str(Outcome.HOLDS), str(Outcome.FAILS), DIFFERS, str(Outcome.UNDECIDED), UNTESTED)
"""The outcome of a claim over all experiments.

`holds`: in some experiment, and fails in none; `fails`: the opposite; `differs`: both; `undecided`: tested,
and neither; `not run`: no experiment has all of its numbers.
"""

Key = tuple[str, int, str, str, str, str]


@dataclass(frozen=True)
class Numbers:
    """Printed numbers, each counted once in however many experiments it is compared."""

    printed: int
    """Those that the papers print of their own models and data, and any other that is compared."""
    within: int
    outside: int
    exact: int
    """The part of `within` that does not depend on training, such as the size of a data set."""
    undecided: Mapping[str, int]
    """By reason, in the order of `REASONS`."""

    @property
    def compared(self) -> int:
        """Printed numbers with a reproduced number."""
        return self.within + self.outside + sum(self.undecided.values())


@dataclass(frozen=True)
class Tested:
    """A claim in one experiment that has its numbers."""

    record: str
    check: Check


@dataclass(frozen=True)
class Said:
    """One claim of a paper, and its outcome in each experiment."""

    claim: Claim
    """Without the checks."""
    outcome: str
    """One of `GROUPS`."""
    tested: tuple[Tested, ...]
    data: tuple[str, ...]
    """The corpora of its experiments."""

    @property
    def reason(self) -> str:
        """Why it is undecided, in the experiment with the most seeds."""
        first = max(self.tested, key=lambda one: int(one.check.seeds), default=None)
        return first.check.reason if first else ""

    @property
    def is_elsewhere(self) -> bool:
        """Whether only experiments on stand-in corpora decide it."""
        decided = [one.check for one in self.tested if not one.check.reason]
        return bool(decided) and all(check.stand_in for check in decided)


def numbers(records: Sequence[Record], paper: str = "") -> Numbers:
    """Count the printed numbers of all papers, or of one."""
    found: dict[Key, list[tuple[Cell, bool]]] = {}
    for record in records:
        for cell in record.cells:
            if cell.measured and cell.printed and paper in ("", cell.part.paper):
                found.setdefault(_key(cell), []).append((cell, _is_of_training(cell, record)))
    own = {
        value.key
        for record in records
        for value in record.published
        if (value.source, value.kind) == ("paper", "own") and paper in ("", value.paper)
    }
    outcomes = {key: _outcome([cell for cell, _ in cells]) for key, cells in found.items()}
    within = [key for key, outcome in outcomes.items() if outcome == Verdict.WITHIN]
    counted = Counter(outcomes.values())
    return Numbers(
        printed=len(own | found.keys()),
        within=len(within),
        outside=counted[Verdict.OUTSIDE],
        exact=sum(not any(trained for _, trained in found[key]) for key in within),
        undecided={reason: counted[reason] for reason in REASONS if counted[reason]},
    )


def said(records: Sequence[Record]) -> list[Said]:
    """Every claim once, in the papers' order."""
    merged: dict[tuple[str, str, str], list[tuple[str, Claim]]] = {}
    for record in records:
        for claim in record.claims:
            merged.setdefault((claim.paper, claim.section, claim.text), []).append((record.name, claim))
    return [_said(own) for own in merged.values()]


def _key(cell: Cell) -> Key:
    """That of the printed number, as in `Published.key`."""
    part = cell.part
    return part.paper, part.table, part.dataset, part.split, cell.row, cell.metric


def _outcome(cells: Iterable[Cell]) -> str:
    """The outcome of the comparisons of one printed number: within, outside, or one of `REASONS`."""
    cells = list(cells)
    verdicts = {cell.verdict for cell in cells}
    if decided := verdicts & {Verdict.WITHIN, Verdict.OUTSIDE}:
        return str(decided.pop()) if len(decided) == 1 else CONFLICT
    if Verdict.UNDECIDED not in verdicts:
        return OTHER_TEXT
    # Another reading has no tolerance.
    return ONE_SEED if any(cell.comparison.tolerance is not None for cell in cells) else READING


def _is_of_training(cell: Cell, record: Record) -> bool:
    entry, paper = record.plan.entry(cell), record.papers[cell.part.paper]
    rows = entry.rows if entry else ()
    row = next((row for row in rows if (row.table, row.label) == (cell.part.table, cell.row)), None)
    return row is not None and is_of_training(paper, entry, row, cell.metric)


def _said(own: Sequence[tuple[str, Claim]]) -> Said:
    checks = [Tested(record, check) for record, claim in own for check in claim.checks]
    # Without all of its numbers a claim has no effect, unless it fails already.
    tested = tuple(one for one in checks if one.check.effect)
    outcomes = {one.check.outcome for one in tested}
    decided = outcomes & {Outcome.HOLDS, Outcome.FAILS}
    outcome = DIFFERS if len(decided) == 2 else next(iter(decided or outcomes), UNTESTED)
    claim = own[0][1]
    return Said(
        claim=Claim(claim.paper, claim.section, claim.text, claim.note, ()),
        outcome=str(outcome),
        tested=tested,
        data=tuple(dict.fromkeys(one.check.data for one in checks)),
    )
