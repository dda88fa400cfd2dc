"""Priors over codes that a user could sample from and that know no test sentence.

Each is fitted to the codes of training sentences, and what is free in it is chosen by the density of the
codes of validation sentences.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor
from torch.distributions import MultivariateNormal

from textlvm.distributions import DiagonalNormal, standard_normal_log_prob
from textlvm.sentences.evaluation import aggregated_posterior

__all__ = ["CodePrior", "aggregated", "anchor", "gaussian", "mixture"]


@dataclass(frozen=True)
class CodePrior:
    """A density over codes."""

    name: str
    log_prob: Callable[[Tensor], Tensor]
    """Log density of codes (n, d), in nats: (n,), float64."""
    sample: Callable[[int], Tensor]
    """So many codes (n, d), from PyTorch's generator."""
    chosen: float | None = None
    """What was chosen on validation codes: components, or a width."""


def anchor(dimensions: int) -> CodePrior:
    """N(0, I), the papers' own."""
    return CodePrior(
        "normal",
        lambda z: standard_normal_log_prob(z.double()),
        lambda n: torch.randn(n, dimensions, dtype=torch.float64),
    )


def gaussian(train: Tensor) -> CodePrior:
    """The Gaussian of the training codes (M, d): their mean and full covariance."""
    fitted = _gaussian(train.double())
    return CodePrior("gaussian", fitted.log_prob, lambda n: fitted.sample((n,)))


def mixture(train: Tensor, valid: Tensor, components: Sequence[int], seed: int) -> CodePrior:
    """A mixture of Gaussians with diagonal covariances in the training codes' principal axes.

    Of the numbers of components the one is taken that gives the validation codes the greatest mean density.
    """
    whole = _gaussian(train.double())
    factor = whole.scale_tril
    log_volume = factor.diagonal().log().sum()

    def whitened(z: Tensor) -> Tensor:
        return torch.linalg.solve_triangular(factor, (z.double() - whole.loc).T, upper=False).T

    fitted_codes, held_out = whitened(train).numpy(), whitened(valid).numpy()
    fits = [
        GaussianMixture(number, covariance_type="diag", random_state=seed, reg_covar=1e-4).fit(fitted_codes)
        for number in components
        if number <= len(fitted_codes)
    ]
    best = max(fits, key=lambda fit: fit.score(held_out))
    weights, means, variances = (
        torch.from_numpy(values) for values in (best.weights_, best.means_, best.covariances_)
    )

    def log_prob(z: Tensor) -> Tensor:
        return torch.from_numpy(best.score_samples(whitened(z).numpy())) - log_volume

    def sample(n: int) -> Tensor:
        part = torch.multinomial(weights, n, replacement=True)
        noise = torch.randn(n, means.shape[1], dtype=torch.float64)
        return (means[part] + variances[part].sqrt() * noise) @ factor.T + whole.loc

    return CodePrior("mixture", log_prob, sample, chosen=float(best.n_components))


def aggregated(train: DiagonalNormal, spread: Tensor, valid: Tensor, widths: Sequence[float]) -> CodePrior:
    """The aggregated posterior of the training sentences, with every component widened by one factor.

    Component m is N(loc_m, diag(scale_m^2 + (width * spread)^2)) with the training posteriors (M, d) and the
    spread (d,) of all codes; of the widths the one is taken that gives the validation codes (n, d) the
    greatest mean density.
    """
    train, spread = train.to(torch.float64), spread.double()

    def widened(width: float) -> DiagonalNormal:
        return train.widened(width * spread)

    width = max(widths, key=lambda width: float(aggregated_posterior.log_prob(valid, widened(width)).mean()))
    components = widened(width)

    def sample(n: int) -> Tensor:
        part = torch.randint(len(components.loc), (n,))
        noise = torch.randn(n, components.loc.shape[1], dtype=torch.float64)
        return components.loc[part] + components.log_scale[part].exp() * noise

    return CodePrior(
        "aggregated", lambda z: aggregated_posterior.log_prob(z, components), sample, chosen=width
    )


def _gaussian(codes: Tensor) -> MultivariateNormal:
    """With a thousandth of the mean variance on the diagonal, so that few codes of many dimensions do."""
    covariance = torch.atleast_2d(codes.T.cov())
    jitter = 1e-3 * covariance.diagonal().mean().clamp(min=math.ulp(1.0))
    covariance = covariance + jitter * torch.eye(len(covariance), dtype=codes.dtype)
    return MultivariateNormal(codes.mean(0), covariance, validate_args=False)
