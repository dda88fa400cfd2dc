"""The rule that decides whether a reproduced value agrees with the printed one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from textlvm.estimate import Z95, Estimate, deviation, mean, student
from textlvm.reporting.published import Published
from textlvm.reporting.spread import PooledSpread

__all__ = ["MARKS", "RULE", "Comparison", "Mean", "Verdict", "compare", "pool", "reach"]

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
class Mean:
    """A metric's mean over the seeds of a run, in the metric's unit."""

    value: float
    low: float | None
    high: float | None
    """The 95% interval of the estimator (Monte Carlo error of the evaluation); None if it is exact."""
    spread: float | None
    """Standard deviation over seeds (n - 1); None with a single seed."""
    seeds: int


@dataclass(frozen=True)
class Comparison:
    """The comparison of a reproduced value with the printed one."""

    difference: float | None
    """Reproduced minus printed value; None if one of them is missing."""
    tolerance: float | None
    """The largest |difference| that is within; None if there is no verdict."""
    verdict: Verdict


def pool(estimates: Sequence[Estimate]) -> Mean:
    """The mean over seeds, with the standard deviation over seeds and the 95% interval of the estimator.

    Evaluations of different seeds use different samples, so their errors are independent and the half widths
    of n intervals combine as sqrt(sum of squares) / n. The interval of the logarithm of an average is not
    centred at its value; the offset is a bias, which averaging does not reduce, so the offset of the mean is
    the mean of the offsets. A seed without interval is exact: width and offset are zero.
    """
    n = len(estimates)
    values = [e.value for e in estimates]
    value = mean(values)
    spread = deviation(values) if n > 1 else None
    intervals = [(e.value, e.low, e.high) for e in estimates if e.low is not None and e.high is not None]
    if not intervals:
        return Mean(value, None, None, spread, n)
    half = math.hypot(*((high - low) / 2 for _, low, high in intervals)) / n
    middle = value + math.fsum((low + high) / 2 - centre for centre, low, high in intervals) / n
    return Mean(value, middle - half, middle + half, spread, n)


def reach(spread: float, degrees_of_freedom: int, seeds: int, comparisons: int = 1) -> float:
    """The 95% limit of the difference between the mean over seeds and one further training.

    `spread` is the standard deviation over seeds, with these degrees of freedom. With several `comparisons`,
    it is the limit of all of them.
    """
    return student(degrees_of_freedom, comparisons) * spread * math.sqrt(1 + 1 / seeds)


def compare(
    mean: Mean,
    published: Published,
    stand_in: bool = False,
    of_training: bool = True,
    borrowed: PooledSpread | None = None,
) -> Comparison:
    """Compare the mean over our seeds with the printed value.

    The mean is *within* if its distance to the printed value is at most

        h + sqrt((t s)² (1 + 1/n) + (1.96 p)² + e²),

    where h is half a unit of the last printed digit, s the standard deviation over our n seeds, t Student's
    97.5% quantile with n - 1 degrees of freedom, p the printed standard deviation (zero if none is printed)
    and e half the width of our estimator's 95% interval. With one seed, s and the degrees of freedom are
    those of `borrowed`. The printed value is that of one training, as far as is known: s² is the variance of
    that training, s²/n that of our mean. If both come from the same distribution, 95% of the means are
    within. Otherwise the mean is *outside*, with two exceptions:

    - one seed and nothing borrowed: s is unknown, not zero. The tolerance without s is too small, so a
      smaller difference is certainly *within*, and a larger one is *undecided*. A metric that is not
      `of_training`, such as the size of a data set, is equal for all seeds and can be *outside*;
    - a stand-in corpus: *stand-in*, with the difference and without tolerance, because agreement on another
      text reproduces nothing.
    """
    difference = mean.value - published.value
    if stand_in:
        return Comparison(difference, None, Verdict.STAND_IN)
    error = 0.0 if mean.low is None or mean.high is None else (mean.high - mean.low) / 2
    spread, freedom = mean.spread, mean.seeds - 1
    if spread is None and borrowed:
        spread, freedom = borrowed.value, borrowed.degrees_of_freedom
    seeds = reach(spread, freedom, mean.seeds) if spread else 0.0
    tolerance = published.half_unit + math.hypot(seeds, Z95 * (published.spread or 0.0), error)
    if abs(difference) <= tolerance:
        return Comparison(difference, tolerance, Verdict.WITHIN)
    verdict = Verdict.UNDECIDED if spread is None and of_training else Verdict.OUTSIDE
    return Comparison(difference, tolerance, verdict)
