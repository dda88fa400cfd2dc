r"""The information of a word about the noise: p(xi_t | w) and the entropy gap along the word.

By a particle filter with proposals from F_g: K particles move by new noise, are weighted by P(w_t|h_t) and
resampled in proportion to their weights. The product of the mean weights is an unbiased estimate of P(w); the
ancestors of the last particles are draws from p(xi_{1:T} | w) as K grows. The inference model is not used.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from textlvm.words.entropy import letter_entropy
from textlvm.words.letters import encode
from textlvm.words.model import StateSpaceModel

__all__ = ["Posterior", "posterior"]

LINEAGES = 10
"""Minimum number of lineages per dimension of the noise for an estimate of the information."""


@dataclass(frozen=True)
class Posterior:
    """A word's posterior, position t = 1..T; entropies and log probabilities in nats."""

    log_probs: Tensor
    """(T,) log P(w_t | w_{<t}); they sum to log P(w)."""
    mean: Tensor
    """(T, d) E[xi_t | w]."""
    deviation: Tensor
    """(T, d) standard deviation of xi_t given w."""
    marginal: Tensor
    """(T,) H[P(w_t | h_{t-1})], mean over h_{t-1} given w."""
    expected: Tensor
    """(T,) E[H[P(w_t | h_t)]] over the noise, mean over h_{t-1} given w."""
    lineages: Tensor
    """(T,) distinct ancestors of the last particles at each position, the samples that moments come from."""

    @property
    def gap(self) -> Tensor:
        """H_gap (Eq. 13) at the states of the word: (T,)."""
        return self.marginal - self.expected

    @property
    def information(self) -> Tensor:
        """KL from the prior of the normal distribution with the posterior's moments, summed over d: (T,).

        The information of the word about xi_t, in nats, without correlations between its dimensions. With few
        lineages the estimated variances are too small and the information is too large; NaN where there are
        fewer than `LINEAGES` for each dimension.
        """
        variance = self.deviation.square()
        information = 0.5 * (self.mean.square() + variance - 1 - variance.log()).sum(1)
        return information.masked_fill(self.lineages < LINEAGES * variance.shape[1], torch.nan)


@torch.no_grad()
def posterior(model: StateSpaceModel, word: str, particles: int, states: int, draws: int) -> Posterior:
    """The posterior of a word under a model on the CPU.

    Entropies are means over a subset of `states` particles, with `draws` of the noise each.
    """
    lexicon = encode([word])
    state = model.initial_state(particles)
    log_probs, noises, befores, ancestors = [], [], [], []
    for letter in lexicon.codes[0, : lexicon.lengths[0]].tolist():
        noise = torch.randn_like(state)
        moved = model.move(state, noise.unsqueeze(1)).squeeze(1)
        weights = model.letter_log_probs(moved)[:, letter]
        log_probs.append(weights.logsumexp(0) - math.log(particles))
        chosen = _systematic(weights)
        noises.append(noise)
        befores.append(state)
        ancestors.append(chosen)
        state = moved[chosen]
    kept = torch.arange(particles)
    rows: list[tuple[Tensor, ...]] = []
    for noise, before, chosen in zip(reversed(noises), reversed(befores), reversed(ancestors), strict=True):
        kept = chosen[kept]
        posterior_noise = noise[kept]
        subset = kept[torch.linspace(0, particles - 1, min(states, particles)).long()]
        fresh = torch.randn(len(subset), draws, noise.shape[1], dtype=noise.dtype)
        letters = model.letter_log_probs(model.move(before[subset], fresh))
        mean = letters.logsumexp(1) - math.log(draws)
        entropies = (letter_entropy(mean).mean(), letter_entropy(letters).mean())
        rows.append(
            (posterior_noise.mean(0), posterior_noise.std(0), *entropies, torch.tensor(len(kept.unique())))
        )
    columns = (torch.stack(column) for column in zip(*reversed(rows), strict=True))
    return Posterior(torch.stack(log_probs), *columns)


def _systematic(log_weights: Tensor) -> Tensor:
    """n indices sampled in proportion to n weights, each as often as its share of n, rounded up or down."""
    cumulative = log_weights.double().softmax(0).cumsum(0)
    n = len(cumulative)
    heights = (torch.arange(n, dtype=torch.double) + torch.rand(1, dtype=torch.double)) / n
    return torch.searchsorted(cumulative, heights * cumulative[-1], right=True).clamp_max(n - 1)
