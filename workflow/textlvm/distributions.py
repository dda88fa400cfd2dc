"""The Gaussian distribution of both papers' inference models, and fast sampling from many categories."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["DiagonalNormal", "draw", "standard_normal_log_prob"]

HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


def standard_normal_log_prob(x: Tensor) -> Tensor:
    """log N(x; 0, I) summed over the last dimension, in nats."""
    return -0.5 * x.square().sum(-1) - x.shape[-1] * HALF_LOG_TWO_PI


@dataclass(frozen=True)
class DiagonalNormal:
    """N(loc, diag(exp(2 log_scale))) over the last dimension.

    Unlike `torch.distributions.Normal`, it computes the density of a sample from the sample's noise, with a
    third of the operations.
    """

    loc: Tensor
    log_scale: Tensor

    def rsample_with_log_prob(self, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """A reparametrised sample (..., d), from given or new noise, and its log density (...), in nats."""
        if noise is None:
            noise = torch.randn_like(self.loc)
        sample = torch.addcmul(self.loc, self.log_scale.exp(), noise)
        return sample, standard_normal_log_prob(noise) - self.log_scale.sum(-1)

    def kl_by_dimension(self) -> Tensor:
        """KL(self_i || N(0, 1)) for each dimension in closed form, in nats: (..., d)."""
        return 0.5 * (self.loc.square() + (2 * self.log_scale).exp() - 1 - 2 * self.log_scale)

    def kl_to_standard_normal(self) -> Tensor:
        """KL(self || N(0, I)) in closed form, in nats: (...)."""
        return self.kl_by_dimension().sum(-1)

    def __getitem__(self, index: Tensor) -> "DiagonalNormal":
        """The distributions at these indices of the first dimension."""
        return DiagonalNormal(self.loc[index], self.log_scale[index])

    def to(self, where: torch.device | torch.dtype) -> "DiagonalNormal":
        """The same distribution on another device or with another dtype."""
        return DiagonalNormal(self.loc.to(where), self.log_scale.to(where))

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density of x (..., d), in nats: (...)."""
        noise = (x - self.loc) * (-self.log_scale).exp()
        return standard_normal_log_prob(noise) - self.log_scale.sum(-1)


def draw(probabilities: Tensor) -> Tensor:
    """Sample one index for each row of non-negative weights (n, V): (n,). A weight of zero is never sampled.

    Inverts the cumulative distribution; `torch.multinomial` takes about twenty times as long with ten
    thousand categories.
    """
    cumulative = probabilities.cumsum(1)
    total = cumulative[:, -1:].contiguous()
    heights = torch.rand(len(cumulative), 1, dtype=cumulative.dtype, device=cumulative.device)
    index = torch.searchsorted(cumulative, heights * total, right=True)
    # Rounding can make a height equal to the total, whose index would be after the last nonzero weight.
    return torch.minimum(index, torch.searchsorted(cumulative, total)).squeeze(1)
