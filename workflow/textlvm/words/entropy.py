"""How much of the next letter's information each step's noise carries (Sec. 4.2, Eqs. 13-14)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from textlvm.words.letters import END
from textlvm.words.model import StateSpaceModel

__all__ = ["EntropyGap", "entropy_gap", "letter_entropy"]


@dataclass(frozen=True)
class EntropyGap:
    """Entropies in nats along free-running trajectories, position t = 1..T by trajectory m: (T, M)."""

    marginal: Tensor
    """H[ mean_k P(w_t | F_g(h_{t-1}, xi^k)) ]."""
    expected: Tensor
    """mean_k H[ P(w_t | F_g(h_{t-1}, xi^k)) ]."""
    alive: Tensor
    """Whether the word drawn along the trajectory reaches t; its end-of-word symbol counts."""

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

    The first draw is the one a trajectory follows. The plug-in entropy of a mean over few draws is too
    low, so the gap grows with `draws` towards its limit.
    """
    state = model.initial_state(trajectories)
    alive = torch.ones(trajectories, dtype=torch.bool, device=state.device)
    marginal, expected, reached = [], [], []
    for _ in range(length):
        noise = state.new_empty(trajectories, draws, state.shape[1]).normal_()
        reachable = model.generative(state)(noise)
        log_probs = model.letter_log_probs(reachable)
        mean = torch.logsumexp(log_probs, 1) - torch.log(log_probs.new_tensor(draws))
        marginal.append(letter_entropy(mean))
        expected.append(letter_entropy(log_probs).mean(1))
        reached.append(alive)
        letter = torch.multinomial(log_probs[:, 0].exp(), 1).squeeze(1)
        alive = alive & (letter != END)
        state = reachable[:, 0]
    return EntropyGap(torch.stack(marginal).cpu(), torch.stack(expected).cpu(), torch.stack(reached).cpu())
