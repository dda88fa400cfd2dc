r"""Proposals of the importance-weighted bound: one Gaussian over codes for each sentence.

The posteriors of sMIM are much narrower than any prior that does not depend on the test set, so as proposals
they cost the logarithm of their width in every dimension. A wider proposal is the conditional distribution of
a code with Gaussian prior N(m, C), given the encoder's mean as an observation of the code with noise of
variance :math:`\tau^2`. In the principal axes of the prior, with variances :math:`\lambda_i`,

.. math:: r(z_i|x) = N(s_i \mu_i + (1 - s_i) m_i, \; \lambda_i (1 - s_i)),
          \quad s_i = \lambda_i / (\lambda_i + \tau^2).

It is close to the encoder's mean along axes wider than the noise, and close to the prior along the others.
The bound is valid for any noise.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from textlvm.distributions import DiagonalNormal
from textlvm.sentences.marginal.axes import Axes

__all__ = ["Proposal", "conditional", "encoder"]

Proposal = Callable[[], tuple[Tensor, Tensor]]
"""Draws a code z (N, d) per sentence and returns it with log r(z|x) (N,), in nats, float64."""


def encoder(posterior: DiagonalNormal) -> Proposal:
    """The encoder's posteriors; with one code, the bound is the ELBO."""
    return posterior.to(torch.float64).rsample_with_log_prob


def conditional(means: Tensor, prior: Axes, noise: float) -> Proposal:
    """The conditional distribution given the encoder's means (N, d).

    `noise` > 0 is in units of the square root of the prior's mean variance over axes.
    """
    variance = prior.scale.square()
    kept = variance / (variance + noise**2 * variance.mean())
    along = DiagonalNormal(kept * prior.whiten(means), (0.5 * (1 - kept).log()).expand(len(means), -1))

    def draw() -> tuple[Tensor, Tensor]:
        u, log_prob = along.rsample_with_log_prob()
        return prior.unwhiten(u), log_prob - prior.log_volume

    return draw
