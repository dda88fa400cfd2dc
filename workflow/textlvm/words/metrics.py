"""All metrics of one run of the words paper, with their sampling errors.

Each reading of a printed column has a separate name. With N samples and K trajectories:

    ce_train, ce_test             cross entropy: by Eq. (12) for a state space model, exact for others
    ce_*_corrected                Eq. (12) extrapolated to infinite K, see `textlvm.words.extrapolation`
    ce_test_importance            state space models with q as proposal, see `textlvm.words.importance`
    importance_effective          effective share of its draws; small if q misses the posterior
    ce_*_free_running             GRUs by Eq. (12), along trajectories of drawn letters; also _corrected
    in_vocabulary                 share of the samples that are training words
    unique                        distinct training words among the samples, over N
    distinct                      distinct words among the samples, over N
    perplexity_*gram, nats_*gram  of the samples under n-grams of the test words, weighted as configured;
                                  _tokens, _types: weighted by count, or equally
    *_argmax                      of models with random states: the same for words of the most probable
                                  letters
    h_gap                         Eq. (13) in nats, mean over the positions that words reach; _bits in bits
    h_gap_first                   the same at the first letter; _bits in bits
    h_gap_reference               h_gap with many draws of the noise
    h_marginal, h_expected        the two entropies whose difference is h_gap
    word_entropy                  entropy of the words of a model with an exact likelihood
    entropy_test                  of ORACLE: entropy of the test words
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import kenlm
import numpy as np
import torch
from numpy.typing import NDArray

from textlvm.corpora.splits import WordSplit
from textlvm.estimate import Estimate, exact, normal
from textlvm.words import ngram
from textlvm.words.baseline import GRUBaseline
from textlvm.words.cross_entropy import (
    Marginals,
    cross_entropy,
    exact_log_probs,
    frequencies,
    monte_carlo_marginals,
)
from textlvm.words.entropy import EntropyGap, entropy_gap
from textlvm.words.hmm import HiddenMarkov
from textlvm.words.importance import importance_log_probs
from textlvm.words.letter_ngram import LetterNgram
from textlvm.words.letters import Lexicon, encode
from textlvm.words.model import StateSpaceModel
from textlvm.words.samples import distinct_share, generate, share_in
from textlvm.words.spec import EvaluationSpec

__all__ = [
    "Measured",
    "Metrics",
    "Seed",
    "argmax_metrics",
    "exact_metrics",
    "mean_of_drawn",
    "oracle_metrics",
    "sample_metrics",
    "state_space_metrics",
]

Metrics = dict[str, Estimate]
Scorers = Mapping[str, kenlm.Model]
"""n-gram models by the suffix of their metrics' names."""
Seed = Callable[[str], None]
"""Starts the random stream of a measurement, so that none depends on the size of another."""
NATS = "nats/word"


@dataclass(frozen=True)
class Measured:
    """The results of a model's evaluation, in addition to the metrics of its samples."""

    metrics: Metrics
    words: list[str | None]
    """N generated words."""
    curves: dict[str, list[list[float]]]
    """By name, lists of K and the cross entropies with training and test words."""
    gap: EntropyGap | None = None
    """Entropies by position."""


def oracle_metrics(split: WordSplit, n: int, rng: np.random.Generator) -> Measured:
    """ORACLE: the training distribution itself, and n words drawn from it.

    On the split `unseen` it excludes the test words, so it has no cross entropy with them.
    """
    train = frequencies(split.train)
    with np.errstate(divide="ignore"):
        log_probs = np.log(train)
    drawn = rng.choice(len(split.words), size=n, p=train)
    test = frequencies(split.test)
    occurs = test[test > 0]
    metrics = {
        "ce_train": exact(cross_entropy(train, log_probs), NATS),
        "entropy_test": exact(float(-(occurs @ np.log(occurs))), NATS),
    }
    ce_test = cross_entropy(test, log_probs)
    if math.isfinite(ce_test):
        metrics["ce_test"] = exact(ce_test, NATS)
    return Measured(metrics, [split.words[i] for i in drawn], {"ce_over_k": []})


def exact_metrics(
    model: GRUBaseline | HiddenMarkov | LetterNgram,
    split: WordSplit,
    lexicon: Lexicon,
    settings: EvaluationSpec,
    rng: np.random.Generator,
    seed: Seed,
) -> Measured:
    """Exact cross entropies, the entropy of the model's words, and N generated words.

    The word entropy is over generated words that end within `samples.LONGEST` letters.
    """
    log_probs = exact_log_probs(model, lexicon)
    metrics = {
        "ce_train": exact(cross_entropy(frequencies(split.train), log_probs), NATS),
        "ce_test": exact(cross_entropy(frequencies(split.test), log_probs), NATS),
    }
    seed("samples")
    words = generate(model, settings.samples)
    finished = [word for word in words if word is not None]
    if len(finished) > 1:
        surprise = -exact_log_probs(model, encode(finished))
        error = surprise.std(ddof=1) / math.sqrt(len(surprise))
        metrics["word_entropy"] = normal(surprise.mean(), error, NATS)
    curves: dict[str, list[list[float]]] = {"ce_over_k": []}
    if isinstance(model, GRUBaseline):
        seed("trajectories")
        sides = (frequencies(split.train), frequencies(split.test))
        marginals = monte_carlo_marginals(model, lexicon, settings.trajectories, sides)
        metrics |= _cross_entropies(marginals, sides, settings.bootstrap, rng, "_free_running")
        curves["ce_free_running_over_k"] = _curve(marginals)
    return Measured(metrics, words, curves)


def state_space_metrics(
    model: StateSpaceModel,
    split: WordSplit,
    lexicon: Lexicon,
    settings: EvaluationSpec,
    rng: np.random.Generator,
    seed: Seed,
) -> Measured:
    """A state space model's cross entropies and entropy gaps, and N generated words."""
    sides = (frequencies(split.train), frequencies(split.test))
    seed("trajectories")
    marginals = monte_carlo_marginals(model, lexicon, settings.trajectories, sides)
    metrics = _cross_entropies(marginals, sides, settings.bootstrap, rng)
    seed("importance")
    metrics |= _importance(model, lexicon, sides[1], marginals.log_probs(), settings, rng)
    horizon = lexicon.codes.shape[1]
    seed("entropy")
    gap = entropy_gap(model, settings.entropy_trajectories, horizon, settings.entropy_draws)
    seed("reference entropy")
    reference = entropy_gap(model, settings.entropy_trajectories, horizon, settings.entropy_reference_draws)
    metrics |= _entropies(gap) | {"h_gap_reference": _average(reference, reference.gap)}
    seed("samples")
    return Measured(metrics, generate(model, settings.samples), {"ce_over_k": _curve(marginals)}, gap)


def sample_metrics(words: Sequence[str | None], split: WordSplit, scorers: Scorers) -> Metrics:
    """Set-based metrics against the training vocabulary, and scores under the test words' n-grams.

    The n-grams score only finished words; a model that finishes fewer than two has no such score.
    """
    vocabulary = {word for word, count in zip(split.words, split.train, strict=True) if count}
    metrics = {
        "unique": distinct_share(words, vocabulary),
        "distinct": distinct_share(words),
        "in_vocabulary": share_in(words, vocabulary),
    }
    finished = [word for word in words if word is not None]
    if len(finished) < 2:
        return metrics
    for name, scorer in scorers.items():
        metrics[f"perplexity_{name}"] = ngram.perplexity(scorer, finished)
        metrics[f"nats_{name}"] = ngram.nats_per_word(scorer, finished)
    return metrics


def argmax_metrics(
    model: StateSpaceModel | HiddenMarkov, split: WordSplit, n: int, scorers: Scorers
) -> Metrics:
    """`sample_metrics` of n words whose letters are the most probable ones for sampled states."""
    metrics = sample_metrics(generate(model, n, argmax=True), split, scorers)
    return {f"{name}_argmax": estimate for name, estimate in metrics.items()}


def _cross_entropies(
    marginals: Marginals,
    sides: tuple[NDArray[np.float64], ...],
    resamples: int,
    rng: np.random.Generator,
    reading: str = "",
) -> Metrics:
    metrics = {}
    log_probs = marginals.log_probs()
    for name, frequency in zip((f"ce_train{reading}", f"ce_test{reading}"), sides, strict=True):
        error = marginals.standard_error(frequency, resamples, rng)
        metrics[name] = normal(cross_entropy(frequency, log_probs), error, NATS)
        corrected = marginals.corrected(frequency)
        if corrected is not None:
            metrics[f"{name}_corrected"] = normal(*corrected, NATS)
    return metrics


def _curve(marginals: Marginals) -> list[list[float]]:
    return [[used, *values] for used, values in marginals.over_k]


def _importance(
    model: StateSpaceModel,
    lexicon: Lexicon,
    frequency: NDArray[np.float64],
    log_probs: NDArray[np.float64],
    settings: EvaluationSpec,
    rng: np.random.Generator,
) -> Metrics:
    """The cross entropy by importance sampling, for words drawn by their frequency.

    Only the difference to `log_probs` (V,) of Eq. (12) is averaged over the drawn words: it varies far less
    between words than log P(w).
    """
    n = settings.importance_words
    drawn, counts = np.unique(rng.choice(len(frequency), size=n, p=frequency), return_counts=True)
    found = importance_log_probs(model, lexicon, torch.from_numpy(drawn), settings.importance_draws)
    mean, error = mean_of_drawn(counts, log_probs[drawn] - found.log_probs, found.standard_errors)
    share = counts @ found.effective / (n * settings.importance_draws)
    return {
        "ce_test_importance": normal(cross_entropy(frequency, log_probs) + mean, error, NATS),
        "importance_effective": exact(float(share), "share"),
    }


def mean_of_drawn(
    counts: NDArray[np.int64], values: NDArray[np.float64], errors: NDArray[np.float64]
) -> tuple[float, float]:
    """The mean of estimates of words drawn at random, and its standard error over words and estimates.

    Each distinct word (n,) was drawn `counts` times and has one estimate in `values` with a standard error.
    """
    n = counts.sum()
    weights = counts / n
    mean = float(weights @ values)
    # The variance over draws includes that of the estimates, but a word drawn twice has only one estimate.
    repeated = (weights**2 - weights / n) @ errors**2
    return mean, math.sqrt(weights @ (values - mean) ** 2 / n + repeated)


def _entropies(gap: EntropyGap) -> Metrics:
    metrics = {
        "h_gap": _average(gap, gap.gap),
        "h_gap_first": _average(gap, gap.gap, 1),
        "h_marginal": _average(gap, gap.marginal),
        "h_expected": _average(gap, gap.expected),
    }
    bits = {f"{name}_bits": _in_bits(metrics[name]) for name in ("h_gap", "h_gap_first")}
    return metrics | bits


def _average(gap: EntropyGap, values: torch.Tensor, positions: int | None = None) -> Estimate:
    """Mean over the positions that words reach, all or the first ones; its error is over trajectories."""
    alive = gap.alive[:positions].double()
    values = values[:positions].double()
    mean = float((values * alive).sum() / alive.sum())
    residual = ((values - mean) * alive).sum(0) / alive.sum(0).mean()
    return normal(mean, float(residual.std()) / math.sqrt(len(residual)), "nats")


def _in_bits(estimate: Estimate) -> Estimate:
    factor = 1 / math.log(2)
    assert estimate.low is not None
    assert estimate.high is not None
    return Estimate(estimate.value * factor, estimate.low * factor, estimate.high * factor, "bits")
