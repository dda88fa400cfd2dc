"""The random numbers behind a batch's bounds, drawn before the recurrence rather than inside of it."""

from typing import NamedTuple

import torch
from torch import Tensor

from textlvm.words.letters import PackedWords
from textlvm.words.model import StateSpaceModel

__all__ = ["Noise", "draw_noise"]


class Noise(NamedTuple):
    """Packed like the batch: N symbols, K samples of each, dimension d."""

    posterior: Tensor
    """(N, K, d) standard normal: the noise of q's reparametrised samples."""
    proposals: Tensor | None
    """(N, K, d) standard normal: xi of the proposals of F_g that q is given (Algorithm 1); None for K = 1."""
    gumbel: Tensor | None
    """(N, K) standard Gumbel: which sample is carried on, or which samples are; None for K = 1."""


def draw_noise(model: StateSpaceModel, batch: PackedWords) -> Noise:
    """Fresh noise of the model's type, on its device."""
    like = model.emission.weight
    shape = (len(batch.letters), model.samples, like.shape[1])
    draws = torch.randn(shape, dtype=like.dtype, device=like.device)
    if model.samples == 1:
        return Noise(draws, None, None)
    exponential = torch.empty(shape[:2], dtype=like.dtype, device=like.device).exponential_()
    return Noise(draws, torch.randn_like(draws), -exponential.log())
