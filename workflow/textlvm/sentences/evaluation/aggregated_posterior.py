"""The aggregated posterior p(z) = 1/M sum_m q(z|x_m) (Eq. 9 under an empirical distribution)."""

import math

import torch
from torch import Tensor

from textlvm.distributions import DiagonalNormal

__all__ = ["log_prob"]

BLOCK = 1024
"""Number of codes and of mixture components per block; such a block stays in the cache."""


@torch.no_grad()
def log_prob(z: Tensor, posteriors: DiagonalNormal) -> Tensor:
    """log 1/M sum_m q(z|x_m) in nats at codes z (n, d) for posteriors (M, d): (n,), float64.

    The quadratic form of a diagonal Gaussian is linear in (z^2, z), so a block of densities is a matrix
    product, and the sum over components is a running log-sum-exp, whose memory does not depend on M. Learned
    precisions reach e^10 and their terms cancel, so single precision would have errors of several nats.
    """
    features = torch.cat([z.double().square(), z.double()], 1)
    result = features.new_full((len(z),), -math.inf)
    for start in range(0, len(posteriors.loc), BLOCK):
        rows = slice(start, start + BLOCK)
        loc, log_scale = posteriors.loc[rows].double(), posteriors.log_scale[rows].double()
        precision = (-2 * log_scale).exp()
        weights = torch.cat([-0.5 * precision, loc * precision], 1)
        offset = -0.5 * (loc.square() * precision).sum(1) - log_scale.sum(1)
        for begin in range(0, len(z), BLOCK):
            of_block = slice(begin, begin + BLOCK)
            densities = torch.addmm(offset, features[of_block], weights.T)
            result[of_block] = torch.logaddexp(result[of_block], densities.logsumexp(1))
    return result - z.shape[1] / 2 * math.log(2 * math.pi) - math.log(len(posteriors.loc))
