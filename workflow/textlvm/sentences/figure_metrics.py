"""Metrics of a trained model that appear in no table: from Figures 3 and 5, and bounds on the likelihood.

paper.yaml names these functions and the files that they read.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from textlvm.estimate import Estimate, normal
from textlvm.sentences.evaluation.likelihood import melbo_of_subsets

__all__ = ["SAMPLE", "bound_deviation", "confused", "least_bound", "nearest_bound", "of_codes", "prior_bound"]

SAMPLE = 1000
"""The number of test sentences above which the paper calls the deviation of Figure 5's bound small."""


def confused(histograms: Mapping[str, Any], quantity: str) -> float | None:
    """Figure 3: share of sentences that score at least as high with another's code as with their own.

    For `log_q`, the share of codes that score at least as high under another sentence's posterior. About 0.5
    if codes contain no information; None for a model without such pairs.
    """
    if "pairs" not in histograms:
        return None
    same, other = (np.asarray(histograms["pairs"][f"{quantity}_{kind}"]) for kind in ("same", "other"))
    return float((other >= same).mean())


def bound_deviation(histograms: Mapping[str, Any]) -> float | None:
    """Figure 5: standard deviation of the MELBO over draws of `SAMPLE` test sentences, relative to its mean.

    None if the test set has at most `SAMPLE` sentences.
    """
    melbo = np.asarray(histograms.get("melbo", ()))
    if len(melbo) <= SAMPLE:
        return None
    (bound,), (deviation,) = melbo_of_subsets(melbo, np.array([SAMPLE]))
    return float(deviation / bound)


def least_bound(likelihood: Mapping[str, Any]) -> Estimate:
    """The smallest negative log-likelihood in likelihood.json, in nats per sentence without <eos>.

    Each is an upper bound in expectation, under a prior that does not depend on test sentences. The smallest
    is chosen with the test sentences themselves, which makes it slightly too low.
    """
    kinds = (likelihood["importance"], likelihood["neighbours"])
    entries = [entry for kind in kinds for bounds in kind.values() for entry in bounds.values()]
    return _estimate(min(entries, key=lambda entry: entry["nll"]))


def prior_bound(likelihood: Mapping[str, Any], prior: str) -> Estimate:
    """The importance-weighted bound under a prior, with the most samples, in nats per sentence."""
    return _last(likelihood["importance"][prior])


def nearest_bound(likelihood: Mapping[str, Any]) -> Estimate:
    """The bound by the nearest training codes, of most codes and neighbours, in nats per sentence."""
    bounds = likelihood["neighbours"]
    return _last(bounds[max(bounds, key=int)])


def of_codes(likelihood: Mapping[str, Any], quantity: str) -> float | None:
    """A property of the codes: `mutual_information`, in nats, or `active_units`. None for an autoencoder."""
    found: float | None = likelihood["codes"].get(quantity)
    return found


def _last(bounds: Mapping[str, Any]) -> Estimate:
    """The bound with the largest number of samples or neighbours."""
    return _estimate(bounds[max(bounds, key=int)])


def _estimate(entry: Mapping[str, float]) -> Estimate:
    """An entry of likelihood.json; its standard error is missing if it is zero or not known."""
    return normal(entry["nll"], entry.get("nll_error", 0.0), "nats/sentence")
