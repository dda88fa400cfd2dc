"""The Gaussian that both papers' inference models return."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["DiagonalNormal", "standard_normal_log_prob"]

HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


def standard_normal_log_prob(x: Tensor) -> Tensor:
    """log N(x; 0, I) summed over the last dimension, in nats."""
    return -0.5 * x.square().sum(-1) - x.shape[-1] * HALF_LOG_TWO_PI


@dataclass(frozen=True)
class DiagonalNormal:
    """N(loc, diag(exp(2 log_scale))) over the last dimension.

    `torch.distributions.Normal` would do; this one reuses the noise of a sample for its density,
    a third of the operations in the innermost loop.
    """

    loc: Tensor
    log_scale: Tensor

    def rsample_with_log_prob(self) -> tuple[Tensor, Tensor]:
        """A reparametrised sample (..., d) and its log density (...), in nats."""
        noise = torch.randn_like(self.loc)
        sample = torch.addcmul(self.loc, self.log_scale.exp(), noise)
        return sample, standard_normal_log_prob(noise) - self.log_scale.sum(-1)

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density of x (..., d), in nats: (...)."""
        noise = (x - self.loc) * (-self.log_scale).exp()
        return standard_normal_log_prob(noise) - self.log_scale.sum(-1)
