"""Coordinates in which codes have mean zero and unit variance along their principal axes."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from textlvm.distributions import DiagonalNormal, standard_normal_log_prob

__all__ = ["Axes", "principal_axes", "standard_axes"]

RIDGE = 1e-4
"""Share of the mean variance that is added to the variance of every axis, for fewer codes than dimensions."""


@dataclass(frozen=True)
class Axes:
    """The Gaussian N(mean, B diag(scale^2) B^T) as coordinates u = B^T (z - mean) / scale; all float64."""

    mean: Tensor
    """(d,)"""
    basis: Tensor
    """B (d, d), orthogonal; its columns are the axes."""
    scale: Tensor
    """(d,) standard deviations along the axes."""

    def whiten(self, z: Tensor) -> Tensor:
        """Coordinates u (n, d) of codes z (n, d)."""
        return (z.double() - self.mean) @ self.basis / self.scale

    def unwhiten(self, u: Tensor) -> Tensor:
        """Codes z (n, d) with coordinates u (n, d)."""
        return (u * self.scale) @ self.basis.T + self.mean

    def whiten_posterior(self, posterior: DiagonalNormal) -> DiagonalNormal:
        """The posteriors (n, d) in these coordinates, without the correlations between axes."""
        variance = (2 * posterior.log_scale.double()).exp() @ self.basis.square() / self.scale.square()
        return DiagonalNormal(self.whiten(posterior.loc), 0.5 * variance.log())

    @property
    def log_volume(self) -> float:
        """log |dz/du|, the difference between the log densities of coordinates and of codes."""
        return float(self.scale.log().sum())

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density of codes (n, d) under the Gaussian, in nats: (n,)."""
        return standard_normal_log_prob(self.whiten(z)) - self.log_volume


def standard_axes(dimensions: int) -> Axes:
    """The axes of N(0, I)."""
    one = torch.ones(dimensions, dtype=torch.float64)
    return Axes(torch.zeros_like(one), torch.diag(one), one)


def principal_axes(codes: Tensor) -> Axes:
    """The principal axes of codes (M, d), from their mean and full covariance with `RIDGE`."""
    codes = codes.double()
    variance, basis = torch.linalg.eigh(torch.atleast_2d(codes.T.cov()))
    ridge = RIDGE * variance.mean().clamp(min=math.ulp(1.0))
    return Axes(codes.mean(0), basis, (variance.clamp(min=0) + ridge).sqrt())
