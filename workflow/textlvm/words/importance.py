r"""log P(w) by importance sampling with the inference model as proposal distribution.

A check on Eq. (12). One run of Algorithm 1 gives :math:`\hat P = \prod_t \frac1K \sum_k \omega_t^k`, an
unbiased estimate of P(w) (`textlvm.words.objective.step_bounds`). The logarithm of a mean of many is too
low in expectation, as in Eq. (12). But q depends on the word: its weights vary far less than P(w|h) along
free-running trajectories, so that a thousand draws per word have less bias than millions of shared
trajectories.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textlvm.words.letters import Lexicon, pack
from textlvm.words.logmean import effective_draws, log_mean
from textlvm.words.model import StateSpaceModel
from textlvm.words.noise import draw_noise
from textlvm.words.objective import step_bounds

__all__ = ["ImportanceEstimates", "importance_log_probs"]

PARTICLES = 100_000
"""Maximum of words times draws times K that are processed together."""


@dataclass(frozen=True)
class ImportanceEstimates:
    """Estimates of log P(w) in nats, (W,), with their errors."""

    log_probs: NDArray[np.float64]
    """Corrected for the bias of the logarithm by the jackknife over draws."""
    standard_errors: NDArray[np.float64]
    """Of the jackknife."""
    effective: NDArray[np.float64]
    """Effective sample size: if it is small, q misses the states that emit the word."""


@torch.no_grad()
def importance_log_probs(
    model: StateSpaceModel, lexicon: Lexicon, index: Tensor, draws: int
) -> ImportanceEstimates:
    """log P(w) of the words `lexicon[index]`, index (W,), from `draws` >= 2 runs of Algorithm 1 per word.

    Each run uses the K of the model's training.
    """
    device = next(model.parameters()).device
    # Sorted, so that packing keeps the order, and words of similar length are packed together.
    order = torch.argsort(lexicon.lengths[index], descending=True, stable=True)
    result = torch.empty(3, len(index), dtype=torch.float64)
    # The batches are limited by memory: several words, or some draws of one word.
    width = max(1, PARTICLES // model.samples)
    for rows in order.split(max(1, width // draws)):
        log_weights = []
        for start in range(0, draws, width):
            size = min(width, draws - start)
            batch = pack(lexicon, index[rows].repeat_interleave(size)).to(device)
            bounds = batch.packing.sums(step_bounds(model, batch, draw_noise(model, batch)))
            log_weights.append(bounds.view(len(rows), size).double().cpu())
        joined = torch.cat(log_weights, 1)
        result[:, rows] = torch.stack([*log_mean(joined), effective_draws(joined)])
    return ImportanceEstimates(*result.numpy())
