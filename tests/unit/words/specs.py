"""Settings and models shared by the tests of the words paper."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.distributions import AffineTransform, ComposeTransform, ExpTransform, SoftplusTransform

from textlvm.words.fused import build as building
from textlvm.words.letters import encode, pack
from textlvm.words.model import build
from textlvm.words.spec import ModelSpec, TrainingSpec
from textlvm.words.transitions import DiagonalTransition

BASE = ModelSpec(
    family="state-space",
    dim=8,
    transition="tril",
    layers=1,
    masks=(),
    order="keep",
    parametrization="inverse",
    width=16,
    delta=0.1,
    initial_state="learned",
    inference="backward",
    samples=1,
)
TRAINING = TrainingSpec(
    steps=30,
    batch=5,
    learning_rate=0.01,
    schedule="constant",
    clip=1.0,
    estimator="full",
    log_every=4,
    monitor_every=10,
    checkpoint_every=7,
)

needs_compiler = pytest.mark.skipif(building.compiler() is None, reason="there is no C++ compiler")
"""Skips tests of compiled code where there is no compiler."""


class TorchTransition(nn.Module):
    """A transition of PyTorch's transforms: DIAG, then an elementwise map that is not affine."""

    def __init__(self, dim, width=7, delta=0.1, affine=False):
        super().__init__()
        self.network, self.affine = DiagonalTransition(dim, width, delta).network, affine
        self.delta = delta

    def forward(self, state):
        shift, scale = self.network(state).unsqueeze(1).chunk(2, -1)
        transform = AffineTransform(shift, scale + self.delta * scale.detach().sign(), event_dim=1)
        if self.affine:
            return transform
        return ComposeTransform([transform, SoftplusTransform(), ExpTransform().inv])


class ZukoTransition(nn.Module):
    """A masked autoregressive flow of zuko, conditioned on the state."""

    def __init__(self, dim):
        super().__init__()
        zuko = pytest.importorskip("zuko")
        self.flow = zuko.flows.autoregressive.MaskedAutoregressiveTransform(dim, dim, hidden_features=(16,))

    def forward(self, state):
        return self.flow(state.unsqueeze(1))


NVP = {"transition": "real-nvp", "masks": (2, 5, 7), "order": "reverse"}
MODELS = {
    "tril": {},
    "tril-k3": {"samples": 3},
    "2xtril-k5": {"layers": 2, "samples": 5},
    "2xtril-k2-bidi": {"layers": 2, "samples": 2, "inference": "bidirectional"},
    "3xtril-reversed": {"layers": 3, "samples": 2, "order": "reverse"},
    "forward": {"layers": 2, "samples": 3, "order": "reverse", "parametrization": "forward"},
    "diag": {"transition": "diag"},
    "diag-forward-k4": {"transition": "diag", "samples": 4, "parametrization": "forward"},
    "nvp": NVP,
    "nvp-kept-k2": NVP | {"order": "keep", "samples": 2},
    "nvp-forward-bidi": NVP | {"samples": 3, "parametrization": "forward", "inference": "bidirectional"},
    "odd-sizes": {"dim": 5, "width": 13, "samples": 2, "layers": 2, "initial_state": "zero"},
    "one-dimension": {"dim": 1, "samples": 7},
}
LETTERS = "etaoinshrdlu"


def model_of(changes, dtype=torch.float64):
    torch.manual_seed(4)
    model = build(replace(BASE, **changes)).to(dtype)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def batch_of(n, seed=0):
    """n words of 0 to 12 letters."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(13, (n,), generator=generator).tolist()
    words = ["".join(LETTERS[i] for i in torch.randint(12, (k,), generator=generator)) for k in lengths]
    return pack(encode(words), torch.arange(n))


def gradients(model, value):
    names, parameters = zip(*model.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(value, parameters), strict=True))
