"""Bounds on the likelihood of recorded models, for the expressions in docs/templates."""

import statistics
from typing import Any

from quantities import number_of_seeds, read, seeds

from textlvm.sentences import figure_metrics

__all__ = [
    "decrease_ratios",
    "least_bound",
    "least_bounds",
    "likelihood",
    "limits_of_bounds",
    "nearest_bounds",
    "posterior_entropy",
    "ratio_to_reach",
]


def posterior_entropy(run: str) -> float:
    """The mean entropy of the posteriors of test sentences, in nats, from the codes of the first seed."""
    return -statistics.fmean(read(seeds(run)[0], "histograms.json")["pairs"]["log_q_same"])


def nearest_bounds(run: str) -> list[float]:
    """The bound by the nearest training codes of every seed, in nats per sentence."""
    return [figure_metrics.nearest_bound(likelihood(run, i)).value for i in range(number_of_seeds(run))]


def likelihood(run: str, index: int = 0) -> dict[str, Any]:
    """The bounds on the marginal likelihood of one of the seeds, as in `textlvm.sentences.marginal`."""
    return read(seeds(run)[index], "likelihood.json")


def least_bound(run: str, codes: str, index: int = 0) -> tuple[float, str]:
    """The lowest importance-weighted bound with this number of codes, in nats per sentence, and its prior."""
    bounds = likelihood(run, index)["importance"]
    return min((of_prior[codes]["nll"], prior) for prior, of_prior in bounds.items())


def least_bounds(run: str, codes: str = "100") -> list[float]:
    """The lowest bound of every seed, in nats per sentence; see `least_bound`."""
    return [least_bound(run, codes, index)[0] for index in range(number_of_seeds(run))]


def limits_of_bounds(run: str, ratio: float) -> list[float]:
    """The limits of `least_bounds` for infinitely many codes, as geometric series.

    Every factor of ten lowers the bound by `ratio` times the decrease before, the first of which is that from
    10 to 100 codes.
    """
    pairs = zip(least_bounds(run, "10"), least_bounds(run), strict=True)
    return [last - (before - last) * ratio / (1 - ratio) for before, last in pairs]


def decrease_ratios(run: str) -> list[float]:
    """The decrease of each seed's lowest bound from 10 to 100 codes, relative to that from 1 to 10."""
    bounds = zip(*(least_bounds(run, codes) for codes in ("1", "10", "100")), strict=True)
    return [(second - third) / (first - second) for first, second, third in bounds]


def ratio_to_reach(run: str, other: str) -> float:
    """The ratio with which `limits_of_bounds` of a run is the bound of another run, taken as converged."""
    distance = statistics.fmean(least_bounds(run)) - statistics.fmean(least_bounds(other))
    decrease = statistics.fmean(least_bounds(run, "10")) - statistics.fmean(least_bounds(run))
    return distance / (distance + decrease)
