"""A value with the uncertainty of its estimator."""

import math
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = [
    "Z95",
    "Estimate",
    "deviation",
    "exact",
    "mean",
    "normal",
    "of_repeats",
    "pool",
    "standard_error",
    "student",
    "wilson",
]

Z95 = 1.959963984540054
"""The 97.5% quantile of the standard normal distribution."""


@dataclass(frozen=True)
class Estimate:
    """A value and the 95% interval of its Monte Carlo error; without interval if the value is exact."""

    value: float
    low: float | None
    high: float | None
    unit: str

    def to_json(self) -> dict[str, Any]:
        """The estimate as a JSON object."""
        return asdict(self)


def exact(value: float, unit: str) -> Estimate:
    """A value without Monte Carlo error."""
    return Estimate(value, None, None, unit)


def normal(value: float, standard_error: float, unit: str) -> Estimate:
    """A value with a symmetric 95% interval of the normal distribution."""
    return Estimate(value, value - Z95 * standard_error, value + Z95 * standard_error, unit)


def mean(values: Collection[float]) -> float:
    """The mean of at least one value, also if their sum overflows, as that of some perplexities does.

    >>> mean([1e308, 1.5e308])
    1.25e+308
    """
    try:
        return math.fsum(values) / len(values)
    except OverflowError:
        return math.fsum(value / len(values) for value in values)


def deviation(values: Collection[float]) -> float:
    """The standard deviation of a sample (n - 1) of at least two values, without their squares.

    The squares of some perplexities overflow.

    >>> f"{deviation([0.0, 2e200]):.4e}"
    '1.4142e+200'
    """
    centre = mean(values)
    return math.hypot(*(value - centre for value in values)) / math.sqrt(len(values) - 1)


def pool(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of estimates of the same metric for several seeds, with the 95% interval of the estimator.

    Evaluations of different seeds use different samples, so their errors are independent and the half widths
    of n intervals combine as sqrt(sum of squares) / n. The interval of the logarithm of an average is not
    centred at its value; the offset is a bias, which averaging does not reduce, so the offset of the mean is
    the mean of the offsets. A seed without interval is exact: width and offset are zero.
    """
    n, unit = len(estimates), estimates[0].unit
    value = mean([e.value for e in estimates])
    intervals = [(e.value, e.low, e.high) for e in estimates if e.low is not None and e.high is not None]
    if not intervals:
        return exact(value, unit)
    half = math.hypot(*((high - low) / 2 for _, low, high in intervals)) / n
    middle = value + math.fsum((low + high) / 2 - centre for centre, low, high in intervals) / n
    return Estimate(value, middle - half, middle + half, unit)


def standard_error(low: float | None, high: float | None) -> float:
    """The standard error that belongs to a 95% interval; zero without one."""
    return 0.0 if low is None or high is None else (high - low) / (2 * Z95)


def student(degrees_of_freedom: float, comparisons: int = 1) -> float:
    """The 97.5% quantile of Student's distribution; `Z95` for infinitely many degrees of freedom.

    With several `comparisons`, the quantile at which all of them have 95% intervals (Bonferroni).
    """
    # Imported here, since steps that compare no values over seeds do not need SciPy.
    from scipy.special import stdtrit

    return float(stdtrit(degrees_of_freedom, 1 - 0.025 / comparisons))


def of_repeats(values: Collection[float], unit: str) -> Estimate:
    """The mean of independent repeats of a measurement with its 95% interval by Student's distribution.

    A single value is taken as exact.
    """
    centre = mean(values)
    if len(values) == 1:
        return exact(centre, unit)
    half = student(len(values) - 1) * deviation(values) / math.sqrt(len(values))
    return Estimate(centre, centre - half, centre + half, unit)


def wilson(successes: int, trials: int, unit: str = "share") -> Estimate:
    """A binomial proportion with Wilson's 95% interval.

    >>> wilson(0, 10).low, round(wilson(0, 10).high, 3)
    (0.0, 0.278)
    """
    share = successes / trials
    spread = Z95**2 / trials
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    return Estimate(share, max(0.0, middle - half), min(1.0, middle + half), unit)
