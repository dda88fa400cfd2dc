"""Summarizes all recorded experiments: printed numbers and claims, each counted once."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from textlvm.reporting.cells import Cell
from textlvm.reporting.claims.judge import Outcome
from textlvm.reporting.page.claims import Check, ClaimGroup
from textlvm.reporting.recorded.records import Record
from textlvm.reporting.rows import is_of_training
from textlvm.reporting.verdict import Verdict

__all__ = [
    *("DIFFERS", "GROUPS", "REASONS", "UNTESTED"),
    *("ClaimSummary", "Counts", "Tested", "claims", "numbers"),
]

OTHER_TEXT = "evaluated on a stand-in corpus"
ONE_SEED = "outside the rule, with one seed or draw and no row to borrow a standard deviation from"
READING = "computed with a reading other than the compared one"
CONFLICT = "within in one experiment and outside in another"
REASONS = (OTHER_TEXT, ONE_SEED, READING, CONFLICT)
"""Why a printed number is undecided."""

DIFFERS = "differs"
UNTESTED = "not run"
GROUPS = (str(Outcome.HOLDS), str(Outcome.FAILS), DIFFERS, str(Outcome.UNDECIDED), UNTESTED)
"""The outcomes of a claim over all experiments.

`holds`: holds in at least one experiment and fails in none; `fails`: the opposite; `differs`: holds in one
and fails in another; `undecided`: tested, but neither; `not run`: no experiment has all of its numbers.
"""

Key = tuple[str, int, str, str, str, str]


@dataclass(frozen=True)
class Counts:
    """Counts of printed numbers; a number that several experiments compare counts once."""

    printed: int
    """The papers' numbers for their own models and data, and other printed numbers that are compared."""
    within: int
    outside: int
    exact: int
    """Those of `within` that do not depend on training, such as the size of a data set."""
    undecided: Mapping[str, int]
    """By reason, in the order of `REASONS`."""

    @property
    def compared(self) -> int:
        """Printed numbers with a reproduced number."""
        return self.within + self.outside + sum(self.undecided.values())


@dataclass(frozen=True)
class Tested:
    """The check of a claim in one experiment that has its numbers."""

    record: str
    check: Check


@dataclass(frozen=True)
class ClaimSummary:
    """One claim of a paper, and its outcome in each experiment."""

    claim: ClaimGroup
    """The claim without its checks."""
    outcome: str
    """One of `GROUPS`."""
    tested: tuple[Tested, ...]
    data: tuple[str, ...]
    """The corpora of its experiments."""

    @property
    def reason(self) -> str:
        """Why it is undecided, in the experiment with the most seeds."""
        first = max(self.tested, key=lambda tested: tested.check.line.seeds, default=None)
        return first.check.line.undecided_because if first else ""

    @property
    def only_on_stand_ins(self) -> bool:
        """Whether only experiments on stand-in corpora decide it."""
        decided = [tested.check.line for tested in self.tested if not tested.check.line.undecided_because]
        return bool(decided) and all(line.stand_in for line in decided)


def numbers(records: Sequence[Record], paper: str = "") -> Counts:
    """Count the printed numbers of all papers, or of one."""
    found: dict[Key, list[tuple[Cell, bool]]] = {}
    for record in records:
        for cell in record.cells:
            if cell.measured and cell.printed and paper in ("", cell.part.paper):
                found.setdefault(_key(cell), []).append((cell, _is_of_training(cell, record)))
    printed = {
        value.key
        for record in records
        for value in record.published
        if (value.source, value.kind) == ("paper", "own") and paper in ("", value.paper)
    }
    outcomes = {key: _outcome([cell for cell, _ in cells]) for key, cells in found.items()}
    within = [key for key, outcome in outcomes.items() if outcome == Verdict.WITHIN]
    counted = Counter(outcomes.values())
    return Counts(
        printed=len(printed | found.keys()),
        within=len(within),
        outside=counted[Verdict.OUTSIDE],
        exact=sum(not any(trained for _, trained in found[key]) for key in within),
        undecided={reason: counted[reason] for reason in REASONS if counted[reason]},
    )


def claims(records: Sequence[Record]) -> list[ClaimSummary]:
    """The papers' claims in their order, each with its checks in all experiments."""
    merged: dict[tuple[str, str, str], list[tuple[str, ClaimGroup]]] = {}
    for record in records:
        for claim in record.claims:
            merged.setdefault((claim.paper, claim.where, claim.text), []).append((record.name, claim))
    return [_summary(group) for group in merged.values()]


def _key(cell: Cell) -> Key:
    """The key of a cell's printed number, as in `Published.key`."""
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
    # A reading other than the compared one has no tolerance.
    return ONE_SEED if any(cell.comparison.tolerance is not None for cell in cells) else READING


def _is_of_training(cell: Cell, record: Record) -> bool:
    entry, paper = record.plan.entry(cell), record.papers[cell.part.paper]
    rows = entry.rows if entry else ()
    row = next((row for row in rows if (row.table, row.label) == (cell.part.table, cell.row)), None)
    drawn = cell.provenance.is_drawn
    return row is not None and is_of_training(paper, entry, row, cell.metric, drawn)


def _summary(group: Sequence[tuple[str, ClaimGroup]]) -> ClaimSummary:
    checks = [Tested(record, check) for record, claim in group for check in claim.checks]
    # A check that lacks numbers has no effect, unless another comparison already refutes the claim.
    tested = tuple(entry for entry in checks if entry.check.effect)
    outcomes = {entry.check.line.outcome for entry in tested}
    decided = outcomes & {Outcome.HOLDS, Outcome.FAILS}
    outcome = DIFFERS if len(decided) == 2 else next(iter(decided or outcomes), UNTESTED)
    claim = group[0][1]
    return ClaimSummary(
        claim=ClaimGroup(claim.paper, claim.where, claim.text, claim.note, ()),
        outcome=str(outcome),
        tested=tested,
        data=tuple(dict.fromkeys(entry.check.data for entry in checks)),
    )
