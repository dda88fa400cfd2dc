"""Results on the draws of the unseen words, for the expressions in docs/templates."""

import gzip
import math
import statistics
from functools import cache
from statistics import correlation

import numpy as np
from cells import EXPERIMENTS, RECORDED
from quantities import mean

__all__ = ["at_entropy", "by_draw", "correlation", "differences", "entropies_of_draws", "paired"]

COUNTS = RECORDED.parents[1] / "workflow" / "counts" / "gutenberg.txt.gz"


def by_draw(experiment: str, run: str, metric: str) -> list[float]:
    """A metric of every draw of the unseen words, each the mean over seeds."""
    draws = sorted((RECORDED / EXPERIMENTS[experiment]).glob(f"unseen*/{run}"))
    return [mean(f"{experiment}/{path.parent.name}/{run}", metric) for path in draws]


def differences(experiment: str, run: str, other: str, metric: str, reading: str = "") -> list[float]:
    """The difference of two runs on every draw of the unseen words.

    `reading` replaces the metric of `other`.
    """
    ours, theirs = by_draw(experiment, run, metric), by_draw(experiment, other, reading or metric)
    return [one - two for one, two in zip(ours, theirs, strict=True)]


def paired(experiment: str, run: str, other: str, metric: str, reading: str = "") -> tuple[float, float]:
    """The mean of `differences` over draws, and its standard error."""
    found = differences(experiment, run, other, metric, reading)
    return statistics.fmean(found), statistics.stdev(found) / len(found) ** 0.5


@cache
def entropies_of_draws(number: int) -> list[float]:
    """The entropy of the test words in this number of further draws of the unseen words, in nats per word."""
    with gzip.open(COUNTS, "rt", encoding="utf-8") as lines:
        counts = np.array([int(line.split()[1]) for line in lines], dtype=float)
    generator = np.random.default_rng(0)
    shares = (generator.choice(counts, round(len(counts) / 10), replace=False) for _ in range(number))
    return [float(-(p * np.log(p)).sum()) for p in (drawn / drawn.sum() for drawn in shares)]


def at_entropy(entropies: list[float], changes: list[float], entropy: float) -> tuple[float, float]:
    """The value at an entropy on the regression line of `changes`, and its standard error."""
    slope, start = statistics.linear_regression(entropies, changes)
    errors = [change - start - slope * own for own, change in zip(entropies, changes, strict=True)]
    centre, freedom = statistics.fmean(entropies), len(changes) - 2
    squares = sum((own - centre) ** 2 for own in entropies)
    noise = math.hypot(*errors) / math.sqrt(freedom)
    return start + slope * entropy, noise * math.sqrt(1 / len(changes) + (entropy - centre) ** 2 / squares)
