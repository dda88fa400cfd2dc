"""Priors over codes that can be sampled from and do not depend on the test set.

Each is fitted to the codes of training sentences; its hyperparameter is chosen by the density of the codes of
validation sentences.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import Tensor

from textlvm.distributions import DiagonalNormal
from textlvm.runtime.errors import UserError
from textlvm.sentences.evaluation import aggregated_posterior
from textlvm.sentences.marginal.axes import Axes

__all__ = ["CodePrior", "aggregated", "gaussian", "mixture"]


@dataclass(frozen=True)
class CodePrior:
    """A density over codes."""

    name: str
    log_prob: Callable[[Tensor], Tensor]
    """Log density of codes (n, d), in nats: (n,), float64."""
    sample: Callable[[int], Tensor]
    """Draws n codes (n, d) with PyTorch's default generator."""
    chosen: float | None = None
    """The hyperparameter chosen on validation codes: number of components, width, or number of steps."""


def gaussian(name: str, axes: Axes) -> CodePrior:
    """The Gaussian of these axes: N(0, I), as in the paper, or the Gaussian of the training codes."""
    return CodePrior(name, axes.log_prob, lambda n: axes.unwhiten(_noise(n, axes)))


def mixture(train: Tensor, valid: Tensor, axes: Axes, components: Sequence[int], seed: int) -> CodePrior:
    """A mixture of Gaussians with diagonal covariances in the principal axes of training codes.

    Of `components`, the number with the greatest mean log density of the validation codes is chosen. Raises
    `UserError` if each of them exceeds the number of training codes.
    """
    train_codes, valid_codes = axes.whiten(train).numpy(), axes.whiten(valid).numpy()
    if min(components) > len(train_codes):
        raise UserError(
            f"likelihood.components: there are {len(train_codes)} training codes, fewer than each number of "
            "components: add a smaller one, or raise likelihood.train_codes"
        )
    fits = []
    with warnings.catch_warnings():
        # Fits are compared on validation codes, so they need not have converged.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for number in components:
            if number <= len(train_codes):
                fit = GaussianMixture(
                    number, covariance_type="diag", random_state=seed, reg_covar=1e-4, max_iter=50
                )
                fits.append(fit.fit(train_codes))
    best = max(fits, key=lambda fit: fit.score(valid_codes))
    weights, means, variances = (
        torch.from_numpy(values) for values in (best.weights_, best.means_, best.covariances_)
    )

    def log_prob(z: Tensor) -> Tensor:
        return torch.from_numpy(best.score_samples(axes.whiten(z).numpy())) - axes.log_volume

    def sample(n: int) -> Tensor:
        part = torch.multinomial(weights, n, replacement=True)
        return axes.unwhiten(means[part] + variances[part].sqrt() * _noise(n, axes))

    return CodePrior("mixture", log_prob, sample, chosen=float(best.n_components))


def aggregated(train: DiagonalNormal, valid: Tensor, axes: Axes, widths: Sequence[float]) -> CodePrior:
    r"""The aggregated posterior of the training sentences with widened components.

    A code is :math:`m + \sqrt{1 - h^2} (z_i - m) + h C^{1/2} \epsilon`, where z_i is drawn from one of the
    training posteriors, m and C are mean and covariance of all codes, and h in [0, 1] is the width. Mean and
    covariance do not depend on h. For h = 0 it is the aggregated posterior (without correlations between
    axes), for h = 1 the Gaussian. Of `widths`, the one with the greatest mean log density of the validation
    codes (n, d) is chosen.
    """
    posteriors, valid_codes = axes.whiten_posterior(train), axes.whiten(valid)

    def widened(width: float) -> DiagonalNormal:
        share = 1 - width**2
        variance = share * (2 * posteriors.log_scale).exp() + width**2
        return DiagonalNormal(share**0.5 * posteriors.loc, 0.5 * variance.log())

    def density(width: float) -> float:
        return float(aggregated_posterior.log_prob(valid_codes, widened(width)).mean())

    width = max(widths, key=density)
    components = widened(width)

    def log_prob(z: Tensor) -> Tensor:
        return aggregated_posterior.log_prob(axes.whiten(z), components) - axes.log_volume

    def sample(n: int) -> Tensor:
        part = torch.randint(len(components.loc), (n,))
        return axes.unwhiten(components.loc[part] + components.log_scale[part].exp() * _noise(n, axes))

    return CodePrior("aggregated", log_prob, sample, chosen=width)


def _noise(n: int, axes: Axes) -> Tensor:
    return torch.randn(n, len(axes.mean), dtype=torch.float64)
