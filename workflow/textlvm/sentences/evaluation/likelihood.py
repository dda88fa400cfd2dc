"""Bounds on a test set's likelihood, and perplexities (Sec. 3).

Every bound is a reconstruction term minus what the codes cost under a prior; they differ in the prior alone:

    elbo          N(0, I), the anchor P(z); the cost is KL(q(z|x) || N(0, I)) in closed form
    melbo         the aggregated posterior over the test set itself, of which Eq. (15) keeps the one term
                  that belongs to the sentence; the cost is log N
    test_prior    the same prior with all its terms: never below the MELBO
    train_prior   the aggregated posterior over training codes, which knows nothing of the test set

The reconstruction terms are the same numbers in all of them, so that NLL_ELBO - NLL_MELBO = KLD - log N
holds to the last digit, as it does in every row of Tables 2-5.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bounds", "matching_samples", "melbo_of_subsets", "metrics", "perplexity"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Bounds:
    """The results of one evaluation for N test sentences: arrays (N,) in nats, means over N_z samples."""

    lengths: Integers
    """Words, <eos> not among them."""
    words: Floats
    """E_q[log p(x|z)] of the words."""
    end: Floats
    """E_q[log p(<eos>|x, z)], which the paper leaves out."""
    kl: Floats
    """KL(q(z|x) || N(0, I))."""
    test_cost: Floats
    """E_q[log q(z|x) - log p(z)] with the test set's aggregated posterior as p."""
    train_cost: Floats
    """The same with the training set's."""

    @property
    def elbo(self) -> Floats:
        """Lower bounds on log p(x) under N(0, I) (Eq. 11)."""
        return self.words - self.kl

    @property
    def melbo(self) -> Floats:
        """Lower bounds on log p(x) under the test set's aggregated posterior (Eqs. 15-16)."""
        return self.words - math.log(len(self.words))


def perplexity(nll: Floats, tokens: Integers) -> float:
    """exp of a test set's nats (N,) over its tokens (N,); infinite where no float is large enough."""
    with np.errstate(over="ignore"):
        return float(np.exp(np.mean(nll) / np.mean(tokens)))


def metrics(bounds: Bounds) -> dict[str, float]:
    """Corpus-level numbers of one evaluation: nats per sentence (nll_*, kld, reconstruction), perplexities.

    Of each bound there are

        nll_X, ppl_X      as the paper prints them: <eos> left out of the likelihood, while the divisor of the
                          perplexity counts it, one token more than words per sentence
        ppl_X_per_word    <eos> left out of both
        nll_X_eos, ppl_X_eos   <eos> in both (ELBO and MELBO alone)
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
        result[f"nll_{name}"] = float(nll.mean())
        result[f"ppl_{name}"] = perplexity(nll, lengths + 1)
        result[f"ppl_{name}_per_word"] = perplexity(nll, lengths)
    for name in ("elbo", "melbo"):
        nll = of_bound[name] - bounds.end
        result[f"nll_{name}_eos"] = float(nll.mean())
        result[f"ppl_{name}_eos"] = perplexity(nll, lengths + 1)
    return result


def melbo_of_subsets(melbo: Floats, sizes: Integers) -> tuple[Floats, Floats]:
    """NLL by MELBO of K sentences drawn from N without replacement: mean and standard deviation (Appendix B).

    `melbo` (N,) holds the sentences' values in the whole test set, `sizes` the K's. The paper repeats the
    draw some hundred times for each K; mean and variance of such a sample mean are known, so none is needed.
    Beyond N the mean goes on as mean reconstruction + log K, the paper's extrapolation, without deviation.
    """
    n = len(melbo)
    mean = -melbo.mean() + np.log(sizes / n)
    variance = melbo.var(ddof=1) if n > 1 else 0.0
    return mean, np.sqrt(variance / sizes * np.clip(1 - sizes / n, 0, None))


def matching_samples(nll_melbo: float, n: int, nll: float) -> float:
    """Test sentences at which the MELBO's NLL would reach `nll` nats per sentence (captions of Tables 2-4).

    The mean reconstruction stays what it is, so the MELBO grows as log N alone. Infinite where no float is
    large enough.
    """
    with np.errstate(over="ignore"):
        return float(n * np.exp(nll - nll_melbo))
