"""The rule that decides whether a reproduced value agrees with the printed one."""

import math
from dataclasses import dataclass
from enum import StrEnum

from textlvm.estimate import Z95, standard_error, student
from textlvm.reporting.published import Published
from textlvm.reporting.spread import PooledSpread

__all__ = ["MARKS", "RULE", "Comparison", "Measurement", "Verdict", "compare", "reach"]

RULE = (
    "within: |difference| ≤ half a unit of the last printed digit + sqrt((t · sd over n seeds)² (1 + 1/n) "
    "+ (1.96 · printed sd)² + (half the width of the estimator's 95% interval)²)"
)
"""The rule of `compare` in one line, for footnotes."""


class Verdict(StrEnum):
    """The result of the comparison of a reproduced value with the printed one."""

    WITHIN = "within"
    OUTSIDE = "outside"
    UNDECIDED = "undecided"
    """One seed, no row to borrow a spread from, and a difference that noise between seeds might explain.

    Or the value is that of another reading than the compared one.
    """
    STAND_IN = "stand-in"
    """The corpus is not the paper's: the difference is shown without a verdict."""
    NOT_RUN = "not run"
    FAILED = "failed"
    UNPUBLISHED = "no published value"
    QUOTED = "published only"
    """The paper quotes the value from another publication; this project does not train that model."""


MARKS = {Verdict.WITHIN: "✓", Verdict.OUTSIDE: "✗", Verdict.UNDECIDED: "?"}
"""The marks of the verdicts in tables; the other verdicts have none."""


@dataclass(frozen=True)
class Measurement:
    """A metric's mean over the seeds of a run, in the metric's unit."""

    value: float
    low: float | None
    high: float | None
    """The 95% interval of the estimator, for the mean over seeds."""
    spread: float | None
    """Standard deviation over seeds; None with a single seed."""
    repeat_spread: float | None
    """Standard deviation over repeated evaluations of one model, averaged over seeds."""
    by_seed: tuple[tuple[int, float], ...]
    """The seeds and their values."""
    borrowed: PooledSpread | None = None
    """With one seed: the standard deviation over seeds of other rows (`textlvm.reporting.spread.borrow`)."""
    reading: str = ""
    """The metric of the reading, if the column has several readings."""


@dataclass(frozen=True)
class Comparison:
    """The comparison of a reproduced value with the printed one."""

    difference: float | None
    """Reproduced minus printed value; None if one of them is missing."""
    tolerance: float | None
    """The largest |difference| that is within; None if there is no verdict."""
    verdict: Verdict


def reach(spread: float, degrees_of_freedom: int, seeds: int, comparisons: int = 1) -> float:
    """The 95% limit of the difference between the mean over seeds and one further training.

    `spread` is the standard deviation over seeds, with these degrees of freedom. With several `comparisons`,
    it is the limit of all of them.
    """
    return student(degrees_of_freedom, comparisons) * spread * math.sqrt(1 + 1 / seeds)


def compare(
    measured: Measurement, published: Published, stand_in: bool = False, of_training: bool = True
) -> Comparison:
    """Compare the mean over our seeds with the printed value.

    The mean is *within* if its distance to the printed value is at most

        h + sqrt((t s)² (1 + 1/n) + (1.96 p)² + e²),

    where h is half a unit of the last printed digit, s the standard deviation over our n seeds, t Student's
    97.5% quantile with n - 1 degrees of freedom, p the printed standard deviation (zero if none is printed)
    and e half the width of our estimator's 95% interval. With one seed, s and the degrees of freedom are
    those of `measured.borrowed`. The printed value is that of one training, as far as is known: s² is the
    variance of that training, s²/n that of our mean. If both come from the same distribution, 95% of the
    means are within. Otherwise the mean is *outside*, with two exceptions:

    - one seed and nothing borrowed: s is unknown, not zero. The tolerance without s is too small, so a
      smaller difference is certainly *within*, and a larger one is *undecided*. A metric that is not
      `of_training`, such as the size of a data set, is equal for all seeds and can be *outside*;
    - a stand-in corpus: *stand-in*, with the difference and without tolerance, because agreement on another
      text reproduces nothing.
    """
    difference = measured.value - published.value
    if stand_in:
        return Comparison(difference, None, Verdict.STAND_IN)
    seeds, borrowed = len(measured.by_seed), measured.borrowed
    spread, freedom = measured.spread, seeds - 1
    if spread is None and borrowed:
        spread, freedom = borrowed.value, borrowed.degrees_of_freedom
    noise = reach(spread, freedom, seeds) if spread else 0.0
    error = Z95 * standard_error(measured.low, measured.high)
    tolerance = published.half_unit + math.hypot(noise, Z95 * (published.spread or 0.0), error)
    if abs(difference) <= tolerance:
        return Comparison(difference, tolerance, Verdict.WITHIN)
    verdict = Verdict.UNDECIDED if spread is None and of_training else Verdict.OUTSIDE
    return Comparison(difference, tolerance, verdict)
