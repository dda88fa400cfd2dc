r"""Proposals of the importance-weighted bound: one Gaussian over codes for each sentence.

sMIM's posteriors are far narrower than any prior that knows no test sentence, so they propose codes of one
place alone and are paid for with the logarithm of their width in every dimension. A proposal can instead be
the conditional of the Gaussian prior N(m, C) given that the encoder's mean is the code with noise of
variance :math:`\tau^2` in every direction. In the prior's principal axes, with variances
:math:`\lambda_i`,

.. math:: r(z_i|x) = N(s_i \mu_i + (1 - s_i) m_i, \; \lambda_i (1 - s_i)),
          \quad s_i = \lambda_i / (\lambda_i + \tau^2):

it stays at the mean along axes wider than the noise and follows the prior along the others. Whatever the
noise, the bound holds.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from textlvm.distributions import DiagonalNormal
from textlvm.sentences.marginal.axes import Axes

__all__ = ["Proposal", "conditional", "encoder"]

Proposal = Callable[[], tuple[Tensor, Tensor]]
"""Draws one code z (N, d) for every sentence and returns it with log r(z|x) (N,), in nats, float64."""


def encoder(posterior: DiagonalNormal) -> Proposal:
    """The encoder's posteriors themselves: with one code the bound is the ELBO."""
    return posterior.to(torch.float64).rsample_with_log_prob


def conditional(means: Tensor, prior: Axes, noise: float) -> Proposal:
    """The conditional given the encoder's means (N, d) and noise > 0 in units of the prior's mean spread.

    That spread is the root of the mean variance over axes.
    """
    variance = prior.scale.square()
    kept = variance / (variance + noise**2 * variance.mean())
    along = DiagonalNormal(kept * prior.whiten(means), (0.5 * (1 - kept).log()).expand(len(means), -1))

    def draw() -> tuple[Tensor, Tensor]:
        u, log_prob = along.rsample_with_log_prob()
        return prior.codes(u), log_prob - prior.log_volume

    return draw
