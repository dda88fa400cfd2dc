"""Results on the draws of the unseen words, for the expressions in docs/templates."""

import re
import statistics
from functools import cache
from pathlib import Path

import numpy as np
from cells import EXPERIMENTS, RECORDED
from quantities import mean, read, seeds
from scipy.stats import entropy, linregress

from textlvm.corpora.counting import count
from textlvm.corpora.splits import SplitSettings, unseen
from textlvm.corpora.vocabulary import VocabularySettings, vocabulary
from textlvm.spec import parse

__all__ = ["at_entropy", "by_draw", "differences", "entropies_of_draws", "folders", "paired"]

COUNTS = RECORDED.parents[1] / "workflow" / "counts" / "gutenberg.txt.gz"


def folders(experiment: str, run: str) -> list[Path]:
    """The folders of a run on every draw of the unseen words, `unseen` and `unseen-1`, `unseen-2`, …"""
    found = (RECORDED / EXPERIMENTS[experiment]).glob(f"unseen*/{run}")
    return sorted(found, key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0))


def by_draw(experiment: str, run: str, metric: str) -> list[float]:
    """A metric of every draw of the unseen words, each the mean over seeds."""
    draws = (path.parent.name for path in folders(experiment, run))
    return [mean(f"{experiment}/{draw}/{run}", metric) for draw in draws]


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


def recorded_vocabulary() -> dict[str, int]:
    """The words of the recorded draws with their counts."""
    settings = read(seeds("readings/unseen/oracle")[0], "spec.json")["data"]["vocabulary"]
    return vocabulary(count(COUNTS, "counts"), parse(VocabularySettings, settings))


@cache
def entropies_of_draws(number: int) -> list[float]:
    """The entropy of the test words in this number of further draws of the unseen words, in nats per word."""
    counts = np.array(list(recorded_vocabulary().values()))
    settings, generator = SplitSettings(), np.random.default_rng(0)
    return [float(entropy(unseen(counts, settings, generator))) for _ in range(number)]


def at_entropy(entropies: list[float], values: list[float], place: float) -> tuple[float, float]:
    """The regression line of `values` on entropies at an entropy, and its standard error."""
    line = linregress([own - place for own in entropies], values)
    return float(line.intercept), float(line.intercept_stderr)
