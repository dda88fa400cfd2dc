"""Logarithms of means over independent draws, without the bias of the logarithm."""

import math

import torch
from torch import Tensor

__all__ = ["effective_draws", "jackknife", "log_mean"]


def log_mean(log_values: Tensor) -> tuple[Tensor, Tensor]:
    """Estimates of log E[x] and their standard errors, (W,) each, by `jackknife`."""
    estimate, deviations = jackknife(log_values)
    return estimate, deviations.norm(dim=1)


def jackknife(log_values: Tensor) -> tuple[Tensor, Tensor]:
    """Estimates of log E[x], (W,), from log x of n >= 2 draws (W, n), and deviations (W, n).

    The standard error of an estimate is the norm of its deviations. If draw k of all W variables has the same
    noise, the standard error of the estimates' sum with weights w (W,) is the norm of w @ deviations.

    The logarithm of the mean is too low in expectation by a variance over n, which the jackknife removes, and
    by terms of higher order. If one draw dominates the sum, bias and error are underestimated.
    """
    values = log_values.double()
    n = values.shape[1]
    weights = (values - values.amax(1, keepdim=True)).exp()
    total = weights.sum(1, keepdim=True)
    # Sums before and after each draw: subtracting a large draw from the total would lose the small ones.
    none = torch.zeros_like(total)
    before = torch.cat([none, weights.cumsum(1)[:, :-1]], 1)
    after = torch.cat([weights.flip(1).cumsum(1).flip(1)[:, 1:], none], 1)
    # Without a dominant draw, the sum of the others may underflow to zero.
    without = (before + after).clamp_min(torch.finfo(torch.double).eps * total)
    change = (without / total).log() + math.log(n / (n - 1))
    estimate = values.logsumexp(1) - math.log(n) - (n - 1) * change.mean(1)
    return estimate, (change - change.mean(1, keepdim=True)) * math.sqrt((n - 1) / n)


def effective_draws(log_weights: Tensor) -> Tensor:
    """(sum of weights)^2 / sum of their squares, 1 to n, from log weights (W, n): (W,)."""
    doubled = 2 * log_weights.logsumexp(1) - (2 * log_weights).logsumexp(1)
    return doubled.double().exp()
