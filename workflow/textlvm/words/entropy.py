"""The part of the next letter's information that each step's noise explains (Sec. 4.2, Eqs. 13-14)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from textlvm.words.letters import END
from textlvm.words.model import StateSpaceModel

__all__ = ["EntropyGap", "entropy_gap", "letter_entropy"]

BLOCK = 16_384
"""Maximum number of draws processed together, if those of one trajectory are not more: their letter
probabilities stay in the cache."""


@dataclass(frozen=True)
class EntropyGap:
    """Entropies in nats along free-running trajectories, position t = 1..T by trajectory m: (T, M)."""

    marginal: Tensor
    """H[ mean_k P(w_t | F_g(h_{t-1}, xi^k)) ]."""
    expected: Tensor
    """mean_k H[ P(w_t | F_g(h_{t-1}, xi^k)) ]."""
    alive: Tensor
    """Whether the word drawn along the trajectory reaches t, including its end-of-word symbol."""

    @property
    def gap(self) -> Tensor:
        """H_gap >= 0 (Eq. 13)."""
        return self.marginal - self.expected

    def average(self, values: Tensor) -> float:
        """Mean over the positions that words reach and over trajectories."""
        return float(values[self.alive].double().mean())


def letter_entropy(log_probs: Tensor) -> Tensor:
    """Entropy in nats of distributions over the last dimension, given as log probabilities."""
    return -(log_probs.exp() * log_probs).sum(-1)


@torch.no_grad()
def entropy_gap(model: StateSpaceModel, trajectories: int, length: int, draws: int) -> EntropyGap:
    """Entropies in free mode, with `draws` samples of xi_t for the marginal (K = 20 in Sec. 5.2).

    A trajectory follows the first draw. The plug-in entropy of a mean over few draws is too low, so the gap
    increases with `draws` towards its limit.
    """
    state = model.initial_state(trajectories)
    alive = torch.ones(trajectories, dtype=torch.bool, device=state.device)
    marginal, expected, reached = [], [], []
    for _ in range(length):
        noise = state.new_empty(trajectories, draws, state.shape[1]).normal_()
        blocks = zip(*(tensor.split(max(1, BLOCK // draws)) for tensor in (state, noise)), strict=True)
        moved = [_step(model, *block) for block in blocks]
        state, letters, h_marginal, h_expected = (torch.cat(parts) for parts in zip(*moved, strict=True))
        marginal.append(h_marginal)
        expected.append(h_expected)
        reached.append(alive)
        letter = torch.multinomial(letters, 1).squeeze(1)
        alive = alive & (letter != END)
    return EntropyGap(torch.stack(marginal).cpu(), torch.stack(expected).cpu(), torch.stack(reached).cpu())


def _step(model: StateSpaceModel, state: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Move states (n, d) by K draws of noise (n, K, d).

    Returns for the first draw the states (n, d) and letter probabilities (n, 27), and over all draws the
    marginal and the expected entropy, (n,) each.
    """
    moved = model.move(state, noise)
    log_probs = model.letter_log_probs(moved)
    probs = log_probs.exp()
    marginal = torch.special.entr(probs.mean(1)).sum(-1)
    expected = -(probs * log_probs).sum((1, 2)) / noise.shape[1]
    return moved[:, 0], probs[:, 0], marginal, expected
