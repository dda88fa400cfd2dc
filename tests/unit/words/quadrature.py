"""State space models for tests, and exact likelihoods of one-dimensional ones by quadrature."""

import dataclasses
import math

import torch
from specs import BASE

from textlvm.words.flows import call_and_ladj
from textlvm.words.letters import encode, pack
from textlvm.words.model import build
from textlvm.words.noise import draw_noise
from textlvm.words.objective import step_bounds

WORDS = ["", "a", "to"]


def model_with(seed=0, scale=0.7, **changes):
    """A state space model in float64 with weights far from their initial values."""
    torch.manual_seed(seed)
    model = build(dataclasses.replace(BASE, **changes)).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(scale * torch.randn_like(parameter))
    return model


def smooth_model(**changes):
    """A one-dimensional model whose importance weights are bounded, so that their averages converge."""
    model = model_with(seed=3, scale=0.12, dim=1, delta=0.3, **changes)
    with torch.no_grad():
        model.emission.weight.normal_()
        # A proposal wider than its target bounds the weights.
        model.inference.head.bias[1] += 1.0
    return model


def quadrature(model, word, nodes=1501, reach=15.0):
    """log P(w) of a one-dimensional model, by the forward recursion of Eq. (2) on a dense grid."""
    grid = torch.linspace(-reach, reach, nodes, dtype=torch.float64)
    width = grid[1] - grid[0]

    def density(state):
        """p(h | state) on the grid for states (n, 1): (n, nodes)."""
        h = grid.expand(len(state), nodes).unsqueeze(-1)
        zeta, ladj = call_and_ladj(model.generative(state).inv, h)
        return torch.exp(-0.5 * zeta.squeeze(-1) ** 2 + ladj) / math.sqrt(2 * math.pi)

    with torch.no_grad():
        emission = model.letter_log_probs(grid[:, None]).exp()
        codes = encode([word])
        forward = density(model.initial_state(1))[0]
        for t, letter in enumerate(codes.codes[0, : codes.lengths[0]].tolist()):
            if t:
                forward = (forward * width) @ density(grid[:, None])
            forward = forward * emission[:, letter]
        return float(torch.log(forward.sum() * width))


@torch.no_grad()
def bounds(model, word, repeats):
    """The bound on log P(w) in nats, `repeats` times with independent noise: (repeats,)."""
    batch = pack(encode([word]), torch.zeros(repeats, dtype=torch.long))
    return batch.packing.sums(step_bounds(model, batch, draw_noise(model, batch)))
