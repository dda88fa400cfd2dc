"""Bounds on a test set's likelihood, and perplexities (Sec. 3).

Every bound is a reconstruction term minus the cost of the codes under a prior, and they differ in the prior:

    elbo          N(0, I), the anchor P(z); the cost is KL(q(z|x) || N(0, I)) in closed form
    melbo         the aggregated posterior of the test set, of which Eq. (15) keeps only the component of the
                  sentence itself; the cost is log N
    test_prior    the same prior with all components; at least as large as the MELBO
    train_prior   the aggregated posterior of training sentences, independent of the test set

All bounds use the same reconstruction terms, so NLL_ELBO - NLL_MELBO = KLD - log N holds exactly, as in every
row of Tables 2-5.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Bounds",
    "matching_samples",
    "melbo_of_subsets",
    "metrics",
    "of_words",
    "of_words_and_eos",
    "perplexity",
    "without_eos",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Bounds:
    """The results of one evaluation for N test sentences: arrays (N,) in nats, means over N_z samples."""

    lengths: Integers
    """Number of words, without <eos>."""
    words: Floats
    """E_q[log p(x|z)] of the words."""
    end: Floats
    """E_q[log p(<eos>|x, z)], which the paper omits."""
    kl: Floats
    """KL(q(z|x) || N(0, I))."""
    test_cost: Floats
    """E_q[log q(z|x) - log p(z)] with the aggregated posterior of the test set as p."""
    train_cost: Floats
    """The same with the aggregated posterior of the training set."""

    @property
    def elbo(self) -> Floats:
        """Lower bounds on log p(x) under N(0, I) (Eq. 11)."""
        return self.words - self.kl

    @property
    def melbo(self) -> Floats:
        """Lower bounds on log p(x) under the test set's aggregated posterior (Eqs. 15-16)."""
        return self.words - math.log(len(self.words))


def without_eos(words: Floats, lengths: Integers) -> dict[str, float]:
    """Metrics of log probabilities (N,) of sentences without <eos>, as in Tables 2-5, and per word."""
    return {
        "nll_without_eos": -float(words.mean()),
        "ppl_without_eos": perplexity(-words, lengths + 1),
        "ppl_per_word": perplexity(-words, lengths),
    }


def of_words(name: str, nll: Floats, lengths: Integers) -> dict[str, float]:
    """Metrics of a bound (N,) on the likelihood of the words.

    `nll_<name>` and, with the paper's divisor, words + 1, `ppl_<name>`; per word `ppl_<name>_per_word`.
    """
    return {
        f"nll_{name}": float(nll.mean()),
        f"ppl_{name}": perplexity(nll, lengths + 1),
        f"ppl_{name}_per_word": perplexity(nll, lengths),
    }


def of_words_and_eos(name: str, nll: Floats, lengths: Integers) -> dict[str, float]:
    """Metrics of a bound (N,) on the likelihood of words and <eos>: `nll_<name>_eos` and `ppl_<name>_eos`."""
    return {f"nll_{name}_eos": float(nll.mean()), f"ppl_{name}_eos": perplexity(nll, lengths + 1)}


def perplexity(nll: Floats, tokens: Integers) -> float:
    """exp(total nats / total tokens) of a test set with nats and tokens (N,); infinite on overflow."""
    return exponential(float(np.mean(nll) / np.mean(tokens)))


def exponential(value: float) -> float:
    """exp(value); infinite on overflow."""
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def metrics(bounds: Bounds) -> dict[str, float]:
    """Metrics of one evaluation: nats per sentence (nll_*, kld, reconstruction) and perplexities.

    Each bound has those of `of_words`, which are the paper's; ELBO and MELBO also have those of
    `of_words_and_eos`.
    """
    lengths = bounds.lengths
    of_bound = {
        "elbo": -bounds.elbo,
        "melbo": -bounds.melbo,
        "test_prior": bounds.test_cost - bounds.words,
        "train_prior": bounds.train_cost - bounds.words,
    }
    result = {"reconstruction": -float(bounds.words.mean()), "kld": float(bounds.kl.mean())}
    for name, nll in of_bound.items():
        result |= of_words(name, nll, lengths)
    for name in ("elbo", "melbo"):
        result |= of_words_and_eos(name, of_bound[name] - bounds.end, lengths)
    return result


def melbo_of_subsets(melbo: Floats, sizes: Integers) -> tuple[Floats, Floats]:
    """NLL by MELBO of K sentences drawn from N without replacement: mean and standard deviation (Appendix B).

    `melbo` (N,) has the values of the sentences in the whole test set, `sizes` the values of K. The paper
    repeats the draw about a hundred times for each K; here mean and variance are computed exactly. For K > N
    the mean is extrapolated as mean reconstruction + log K, as in the paper, with deviation 0.
    """
    n = len(melbo)
    mean = -melbo.mean() + np.log(sizes / n)
    variance = melbo.var(ddof=1) if n > 1 else 0.0
    return mean, np.sqrt(variance / sizes * np.clip(1 - sizes / n, 0, None))


def matching_samples(nll_melbo: float, n: int, nll: float) -> float:
    """Number of test sentences for which the NLL by MELBO reaches `nll` nats (captions of Tables 2-4).

    With a constant mean reconstruction, this NLL grows with log N. The result is infinite on overflow.
    """
    return n * exponential(nll - nll_melbo)
