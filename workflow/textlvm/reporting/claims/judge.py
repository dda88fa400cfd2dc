"""The rule that decides whether a comparison of reproduced or printed numbers holds."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from textlvm.estimate import Z95, deviation, mean, student
from textlvm.reporting.claims.language import Comparison, Operand, Place, Side
from textlvm.reporting.spread import PooledSpread

__all__ = ["PLANNED", "RULE", "Found", "Number", "Outcome", "conclude", "judge"]

RULE = (
    "the effect's 95% interval is ± sqrt((t · standard error over seeds)² + (half the width of the "
    "estimator's 95% interval)²); holds: all of it is on the claim's side of the margin; fails: none of it "
    "is; undecided: otherwise, and with one seed if no other row supplies a standard deviation"
)
"""The rule of `judge` in one sentence, for footnotes."""
PLANNED = 3
"""The number of seeds that `Found.limit` assumes."""
FUZZ = 1e-9
"""Tolerance for rounding errors of floats, relative to the largest number compared."""


class Outcome(StrEnum):
    """The outcome of a claim."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"
    NOT_PRINTED = "not printed"
    """Only for printed numbers: the paper does not print the compared numbers."""


@dataclass(frozen=True)
class Number:
    """A number with its known errors."""

    by_seed: Mapping[int, float]
    """One value per seed; a number that does not depend on training has one value."""
    error: float = 0.0
    """The estimator's standard error of the mean over seeds."""
    rounding: float = 0.0
    """The largest error of a printed number: half a unit of its last digit."""
    run: tuple[str, ...] = ()
    """Numbers with the same run and seeds are paired by seed; numbers with an empty run are never paired."""
    replicate: str = "seed"
    """The unit over which the values vary: `seed`, or `draw` of a split."""
    trained: bool = True
    """Whether the number depends on training."""
    borrowed: PooledSpread | None = None
    """For a number with one seed: the standard deviation over seeds of other rows."""

    def logarithm(self) -> "Number":
        """The natural logarithm; errors to first order. Raises `ValueError` for non-positive values."""
        centre = mean(self.by_seed.values())
        logs = {seed: math.log(value) for seed, value in self.by_seed.items()}
        borrowed = self.borrowed and replace(self.borrowed, value=self.borrowed.value / centre)
        return replace(
            self,
            by_seed=logs,
            error=self.error / centre,
            rounding=self.rounding / centre,
            borrowed=borrowed,
        )


@dataclass(frozen=True)
class Found:
    """The result of a comparison."""

    comparison: Comparison
    outcome: Outcome
    effect: float
    """The signed sum of the numbers, in the comparison's unit."""
    half: float
    """Half the width of its 95% interval, without noise that is unknown."""
    distance: float
    """From the effect to the margin; negative on the wrong side."""
    single: str
    """The `replicate` of a number with one value and no borrowed spread; empty if all spreads are known."""
    limit: float | None
    """With `single`: three values each decide the comparison if their standard deviation is below this."""
    borrowed_from: tuple[str, ...] = ()
    """The rows that supply the standard deviations of rows with one seed."""

    @property
    def strength(self) -> tuple[int, float]:
        """The sort key of a claim's comparisons: the clearest failure first, the clearest success last."""
        if self.outcome is Outcome.FAILS:
            return 0, self.distance + self.half
        return 1 + (self.outcome is Outcome.HOLDS), self.distance - self.half


def judge(comparison: Comparison, numbers: Mapping[Place, Number]) -> Found:
    """Decide whether a comparison holds, given all of its numbers.

    The effect is the signed sum of the means over seeds. Its 95% interval is

        effect ± sqrt((t · s)² + e²) ± r,

    where s is the standard error of the sum over seeds, e half the width of the estimators' 95% interval,
    and r the rounding error of printed numbers. Numbers of the same seeds are summed by seed before their
    standard deviation is computed, so that common noise cancels. Numbers of different seeds are
    independent, and s² is the sum of their variances, each divided by its number of seeds. t is Student's
    97.5% quantile with the fewest degrees of freedom among them: the interval is at least as wide as
    Welch's, and more noise never makes it narrower. The values by seed already contain the estimator's
    noise; e is added nevertheless, since a few seeds can agree by chance.

    A number of a single training has the variance and the degrees of freedom of its `borrowed` standard
    deviation. The correlation of several numbers of one training is unknown: their standard deviations are
    added, which is an upper bound.

    A comparison *holds* if the whole interval lies on the claim's side of the margin, *fails* if none of it
    does, and is *undecided* otherwise. It is also undecided if a trained number has one seed and no borrowed
    standard deviation: the noise between seeds is unknown, not zero. `limit` is then the largest standard
    deviation with which three seeds of each such number would decide an effect of this size.

    Identities hold for each trained model: the effect is the largest deviation of a seed, and s and e are
    omitted, because the noise of an evaluation is the same in all of its numbers.

    Each comparison has its own 95% interval. A claim holds if every comparison does, which needs no
    correction for their number. It fails if one fails, which is not corrected: of m comparisons that are
    equal to their margin, one fails by chance with a probability of up to 2.5% m.
    """
    groups: dict[tuple[object, ...], list[tuple[int, Number]]] = {}
    for index, (sign, operand) in enumerate(comparison.terms):
        number = _number(operand, numbers)
        groups.setdefault((number.run or index, *sorted(number.by_seed)), []).append((sign, number))
    sums = [_sums_by_seed(group) for group in groups.values()]
    members = [number for group in groups.values() for _, number in group]
    if comparison.of_each_training:
        effect, error = max(map(math.fsum, itertools.product(*sums)), key=abs), 0.0
    else:
        effect = math.fsum(mean(values) for values in sums)
        error = Z95 * math.hypot(*(number.error for number in members))
    errors: list[float] = []
    freedom, unknown, single = math.inf, 0, ""
    borrowed: list[str] = []
    for group, values in zip(groups.values(), sums, strict=True):
        if comparison.of_each_training:
            continue
        if len(values) > 1:
            errors.append(deviation(values) / math.sqrt(len(values)))
            # A constant that does not depend on training has no error, however few its seeds.
            if max(values) > min(values) or any(number.trained for _, number in group):
                freedom = min(freedom, len(values) - 1)
        elif trained := [number for _, number in group if number.trained]:
            shared = [number.borrowed for number in trained if number.borrowed]
            if len(shared) < len(trained):
                unknown += len(trained) ** 2
                single = trained[0].replicate
                continue
            errors.append(math.fsum(spread.value for spread in shared))
            freedom = min(freedom, *(spread.degrees_of_freedom for spread in shared))
            borrowed += [spread.source for spread in shared]
    standard_error = math.hypot(*errors)
    seeds = student(freedom) * standard_error if standard_error else 0.0
    rounding = math.fsum(number.rounding for number in members)
    half = math.hypot(seeds, error) + rounding
    distance = _distance(comparison, effect, numbers)
    fuzz = FUZZ * max(abs(value) for number in members for value in number.by_seed.values())
    if unknown or abs(distance) < half - fuzz:
        outcome = Outcome.UNDECIDED
    else:
        outcome = Outcome.HOLDS if distance > fuzz else Outcome.FAILS
    limit = None
    if unknown and abs(distance) > half:
        t = student(min(freedom, PLANNED - 1))
        reached = math.hypot(t * standard_error, error)
        room = abs(distance) - rounding
        limit = _other_leg(room, reached) / t * math.sqrt(PLANNED / unknown) if room > reached else None
    return Found(comparison, outcome, effect, half, distance, single, limit, tuple(dict.fromkeys(borrowed)))


def conclude(found: Sequence[Found], complete: bool) -> tuple[Outcome, Found | None]:
    """The outcome of a claim and the deciding comparison; `complete` is false if comparisons are missing.

    One failed comparison refutes a claim, even if others are missing; any other outcome requires all.
    """
    weakest = min(found, key=lambda result: result.strength, default=None)
    if weakest is None or not (complete or weakest.outcome is Outcome.FAILS):
        return Outcome.UNDECIDED, None
    return weakest.outcome, weakest


def _number(operand: Operand, numbers: Mapping[Place, Number]) -> Number:
    if not isinstance(operand, Place):
        return Number({0: operand}, trained=False)
    return numbers[operand].logarithm() if operand.log else numbers[operand]


def _sums_by_seed(group: Sequence[tuple[int, Number]]) -> list[float]:
    """The signed sum of numbers of the same seeds, by seed."""
    return [math.fsum(sign * number.by_seed[seed] for sign, number in group) for seed in group[0][1].by_seed]


def _other_leg(hypotenuse: float, leg: float) -> float:
    """The other leg of a right triangle, without squares, which overflow for some perplexities."""
    return math.sqrt(hypotenuse - leg) * math.sqrt(hypotenuse + leg)


def _distance(comparison: Comparison, effect: float, numbers: Mapping[Place, Number]) -> float:
    margin = comparison.margin
    if comparison.share_of is not None:
        values = _number(comparison.share_of, numbers).by_seed.values()
        margin *= abs(mean(values))
    if comparison.side is Side.WITHIN:
        return margin - abs(effect)
    return (effect if comparison.side is Side.ABOVE else -effect) - margin
