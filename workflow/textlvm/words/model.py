"""The state space model of Sec. 2.1 with its inference model, and the builder for every row."""

import torch
from torch import Tensor, nn

from textlvm.words.baseline import GRUBaseline
from textlvm.words.hmm import HiddenMarkov
from textlvm.words.inference import InferenceNetwork
from textlvm.words.letters import ALPHABET_SIZE
from textlvm.words.spec import ModelSpec
from textlvm.words.transitions import (
    DiagonalTransition,
    RealNVPTransition,
    SplineTransition,
    TrilTransition,
)

__all__ = ["StateSpaceModel", "build"]


class StateSpaceModel(nn.Module):
    """h_t = F_g(h_{t-1}, xi_t), w_t ~ softmax(E h_t + b); no letter feeds back into the state."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.samples, self.resampling = spec.samples, spec.resampling
        self.generative = _generative(spec)
        # The inference flow is DIAG in every row: "more complex inference flows resulted in unstable
        # training" (Sec. 5).
        self.variational = DiagonalTransition(spec.dim, spec.width, spec.delta)
        self.inference = InferenceNetwork(
            spec.dim, spec.width, bidirectional=spec.inference == "bidirectional", proposals=spec.samples > 1
        )
        self.emission = nn.Linear(spec.dim, ALPHABET_SIZE)
        start = torch.zeros(spec.dim)
        if spec.initial_state == "learned":
            self.initial = nn.Parameter(start)
        else:
            self.register_buffer("initial", start)

    def initial_state(self, n: int) -> Tensor:
        """h_0, repeated n times: (n, d)."""
        return self.initial.expand(n, -1)

    def log_likelihood(self, states: Tensor, letters: Tensor) -> Tensor:
        """log P(w_t | h_t) in nats for states (n, K, d) and letters (n,): (n, K)."""
        n, k, _ = states.shape
        logits = self.emission(states).flatten(0, 1)
        targets = letters[:, None].expand(n, k).flatten()
        return -nn.functional.cross_entropy(logits, targets, reduction="none").view(n, k)

    def move(self, state: Tensor, noise: Tensor) -> Tensor:
        """F_g of states (n, d) and K samples of noise each, (n, K, d): the next states (n, K, d)."""
        return self.generative(state)(noise)

    @torch.no_grad()
    def trajectories(self, n: int, length: int) -> Tensor:
        """n free-running trajectories h_1..h_length: (length, n, d)."""
        state, states = self.initial_state(n), []
        for _ in range(length):
            state = self.move(state, torch.randn_like(state).unsqueeze(1)).squeeze(1)
            states.append(state)
        return torch.stack(states)

    @torch.no_grad()
    def letter_log_probs(self, states: Tensor) -> Tensor:
        """log P(. | h) in nats for states (..., d): (..., 27)."""
        return torch.log_softmax(self.emission(states), -1)

    def free_running(self, n: int, length: int) -> Tensor:
        """log P(. | h_t) in nats along n trajectories: (length, n, 27)."""
        return self.letter_log_probs(self.trajectories(n, length))

    @torch.no_grad()
    def sample(self, n: int, length: int, argmax: bool = False) -> Tensor:
        """n words emitted letter by letter along free-running trajectories: codes (n, length).

        Letters are drawn from P(. | h_t) or, with `argmax`, are the most probable ones; states are drawn in
        both cases.
        """
        log_probs = self.free_running(n, length)
        if argmax:
            return log_probs.argmax(-1).T
        flat = log_probs.exp().flatten(0, 1)
        return torch.multinomial(flat, 1).view(length, n).T


def build(spec: ModelSpec) -> StateSpaceModel | HiddenMarkov | GRUBaseline:
    """The model of a trained row."""
    if spec.family == "gru":
        return GRUBaseline(spec.dim)
    return HiddenMarkov(spec.dim) if spec.family == "hmm" else StateSpaceModel(spec)


def _generative(spec: ModelSpec) -> nn.Module:
    inverse = spec.parametrization == "inverse"
    if spec.transition == "diag":
        return DiagonalTransition(spec.dim, spec.width, spec.delta, inverse)
    if spec.transition == "real-nvp":
        return RealNVPTransition(spec.dim, spec.masks, spec.order, inverse)
    if spec.transition == "spline":
        return SplineTransition(spec.dim, spec.width, spec.delta, inverse)
    return TrilTransition(spec.dim, spec.layers, spec.width, spec.delta, spec.order, inverse)
