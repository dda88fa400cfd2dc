"""The rule that decides whether a reproduced number agrees with the printed one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from textlvm.estimate import Z95, Estimate

__all__ = ["MARKS", "RULE", "Comparison", "Mean", "Verdict", "compare", "pool"]

RULE = (
    "within: |difference| ≤ half a unit of the last printed digit "
    "+ 2 sqrt(sd over seeds² + published sd² + estimator's standard error²)"
)
"""The rule of `compare` in one line, for footnotes."""


class Verdict(StrEnum):
    """The verdict of a cell on the printed value."""

    WITHIN = "within"
    OUTSIDE = "outside"
    UNDECIDED = "undecided"
    """One seed, no row to borrow a spread from, and a difference that noise between seeds might explain.

    Or the number was computed with a reading other than the compared one.
    """
    STAND_IN = "stand-in"
    """Run on another corpus than the paper's: there is a difference, but no claim."""
    NOT_RUN = "not run"
    FAILED = "failed"
    UNPUBLISHED = "no published value"
    QUOTED = "published only"
    """The paper quotes the number from elsewhere; this project does not train that model."""


MARKS = {Verdict.WITHIN: "✓", Verdict.OUTSIDE: "✗", Verdict.UNDECIDED: "?"}
"""The signs of verdicts that compare; the others have a text or nothing."""


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
    """A reproduced number and its printed value."""

    difference: float | None
    """Reproduced minus printed; None if one of them is missing."""
    tolerance: float | None
    """The largest |difference| that is still within; None if there is no verdict."""
    verdict: Verdict


def pool(estimates: Sequence[Estimate]) -> Mean:
    """The mean over seeds, with the spread between them and the interval of the mean's own estimator error.

    Evaluations of different seeds draw their own samples, so their errors are independent and the half
    widths of n intervals combine as sqrt(sum of squares) / n. The interval of a logarithm of an average
    lies off its value; that offset is bias, which averaging does not shrink, so it is carried over as
    the mean of the offsets. A seed without interval is exact: width and offset zero.
    """
    n = len(estimates)
    value = math.fsum(e.value for e in estimates) / n
    spread = math.sqrt(math.fsum((e.value - value) ** 2 for e in estimates) / (n - 1)) if n > 1 else None
    intervals = [(e.value, e.low, e.high) for e in estimates if e.low is not None and e.high is not None]
    if not intervals:
        return Mean(value, None, None, spread, n)
    half = math.hypot(*((high - low) / 2 for _, low, high in intervals)) / n
    middle = value + math.fsum((low + high) / 2 - own for own, low, high in intervals) / n
    return Mean(value, middle - half, middle + half, spread, n)


def compare(
    mean: Mean,
    published: float,
    half_unit: float,
    published_spread: float | None,
    stand_in: bool,
    of_training: bool = True,
    borrowed: float | None = None,
) -> Comparison:
    """Compare one reproduced number with its printed value.

    It is *within* if |value - published| <= half_unit + 2 sqrt(s² + p² + e²), where half_unit is half a
    unit of the last printed digit, s the standard deviation over our seeds (with one seed `borrowed`, that of
    other rows), p the printed standard deviation (zero where none is printed) and e the standard error of
    our estimator, a quarter or so of its 95% interval. s enters undivided by the number of seeds because the
    published number is itself one training, or unknown to be more. Otherwise it is *outside*, with two
    exceptions:

    - one seed and nothing borrowed: s is unknown, not zero. The tolerance then lacks it and is too small, so
      a difference inside it is certainly *within*, and one beyond it is *undecided*; what is not
      `of_training`, such as the size of a data set, is the same with every seed;
    - a stand-in corpus: *stand-in*, with the difference but neither tolerance nor claim, since agreement
      on other text would reproduce nothing.
    """
    difference = mean.value - published
    if stand_in:
        return Comparison(difference, None, Verdict.STAND_IN)
    interval = 0.0 if mean.low is None or mean.high is None else mean.high - mean.low
    error = interval / (2 * Z95)
    spread = borrowed if mean.spread is None else mean.spread
    tolerance = half_unit + 2 * math.hypot(spread or 0.0, published_spread or 0.0, error)
    if abs(difference) <= tolerance:
        return Comparison(difference, tolerance, Verdict.WITHIN)
    verdict = Verdict.UNDECIDED if spread is None and of_training else Verdict.OUTSIDE
    return Comparison(difference, tolerance, verdict)
