"""Numbers of one trained model that no table shows: those of Figures 3 and 5, and bounds on the likelihood.

The paper's paper.yaml names them and the files that they come from.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from textlvm.sentences.evaluation.likelihood import melbo_of_subsets

__all__ = ["SAMPLE", "bound_deviation", "least_bound", "overlap"]

SAMPLE = 1000
"""Number of test sentences in a bound of Figure 5 from which the paper calls its deviation small."""


def overlap(histograms: Mapping[str, Any], quantity: str) -> float | None:
    """Figure 3: the probability that another sentence's value is at least one's own; 0.5 if they are alike.

    None for a model without such pairs.
    """
    if "pairs" not in histograms:
        return None
    same, other = (np.sort(histograms["pairs"][f"{quantity}_{kind}"]) for kind in ("same", "other"))
    return float(np.searchsorted(same, other, side="right").mean() / len(same))


def bound_deviation(histograms: Mapping[str, Any]) -> float | None:
    """Figure 5: standard deviation of MELBO over samples of the test set, as a share of its mean.

    None if the test set has no more than `SAMPLE` sentences.
    """
    melbo = np.asarray(histograms.get("melbo", ()))
    if len(melbo) <= SAMPLE:
        return None
    (bound,), (deviation,) = melbo_of_subsets(melbo, np.array([SAMPLE]))
    return float(deviation / bound)


def least_bound(likelihood: Mapping[str, Any]) -> float:
    """The least of the negative log-likelihoods in likelihood.json, in nats per sentence without <eos>.

    Each is an upper bound in expectation, under a prior without test sentences.
    """
    kinds = (likelihood["importance"], likelihood["neighbours"])
    return min(entry["nll"] for kind in kinds for bounds in kind.values() for entry in bounds.values())
