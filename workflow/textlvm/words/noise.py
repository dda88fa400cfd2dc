"""The random numbers for the bounds of a batch, drawn before the recurrence instead of inside it."""

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
    """(N, K, d) standard normal: xi of the proposals of F_g for q (Algorithm 1); None for K = 1."""
    gumbel: Tensor | None
    """(N, K) standard Gumbel, selects the sample or samples that are carried on; None for K = 1."""


def draw_noise(model: StateSpaceModel, batch: PackedWords) -> Noise:
    """Draw noise of the model's type, on its device."""
    like = model.emission.weight
    shape = (len(batch.letters), model.samples, like.shape[1])
    draws = torch.randn(shape, dtype=like.dtype, device=like.device)
    if model.samples == 1:
        return Noise(draws, None, None)
    exponential = torch.empty(shape[:2], dtype=like.dtype, device=like.device).exponential_()
    return Noise(draws, torch.randn_like(draws), -exponential.log())
