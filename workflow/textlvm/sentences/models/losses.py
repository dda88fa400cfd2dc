r"""The losses of sMIM, sVAE and AE, as functions of densities at one sample per sentence.

Notation: :math:`z_i \sim q_\theta(z|x_i)` (for AE its mean), P(z) = N(z; 0, I) the anchor. Arguments have
shape (B,), in nats: `log_likelihood` :math:`\log p_\theta(x_i|z_i)`, `log_posterior`
:math:`\log q_\theta(z_i|x_i)`, `log_anchor` :math:`\log P(z_i)`, and `kl`, either
:math:`KL(q_\theta(z|x_i) \| P(z))` or its estimate :math:`\log q_\theta(z_i|x_i) - \log P(z_i)`. Losses are
in nats per sentence, averaged over the batch.
"""

import math

from torch import Tensor

__all__ = ["free_bits", "kl_weight", "mim", "negative_elbo", "reconstruction"]


def mim(log_likelihood: Tensor, log_posterior: Tensor, log_anchor: Tensor) -> Tensor:
    r"""The loss of Algorithm 1: the estimate of Eq. (14) without the constant :math:`\frac{1}{2} H_P(x)`.

    .. math:: -\frac{1}{N} \sum_i \Big(\log p_\theta(x_i|z_i)
              + \frac{1}{2} \big(\log q_\theta(z_i|x_i) + \log P(z_i)\big)\Big)
    """
    return -(log_likelihood + 0.5 * (log_posterior + log_anchor)).mean()


def negative_elbo(log_likelihood: Tensor, kl: Tensor, weight: float = 1.0) -> Tensor:
    r"""The estimate of the negative ELBO, Eq. (11), with its KL term times `weight` ("+ kl", Sec. 4.2).

    .. math:: -\frac{1}{N} \sum_i \Big(\log p_\theta(x_i|z_i) - w \, KL_i\Big)
    """
    return (weight * kl - log_likelihood).mean()


def free_bits(kl_by_dimension: Tensor, target: float) -> Tensor:
    r"""A KL term (B, d) with free bits (Kingma et al. 2016; Li et al. 2019), (B,).

    .. math:: \sum_j \max(\lambda / d, KL_j)

    A dimension below its share has no gradient. `target` is :math:`\lambda`, in nats per sentence for all
    dimensions together.

    >>> import torch
    >>> free_bits(torch.tensor([[0.5, 3.0], [0.0, 0.0]]), 2.0).tolist()
    [4.0, 2.0]
    """
    return kl_by_dimension.clamp(min=target / kl_by_dimension.shape[1]).sum(1)


def reconstruction(log_likelihood: Tensor) -> Tensor:
    r"""The loss of an autoencoder (Sec. 4.5) and of a language model: the negative log-likelihood.

    .. math:: -\frac{1}{N} \sum_i \log p_\theta(x_i|z_i)
    """
    return -log_likelihood.mean()


def kl_weight(step: int, schedule: str, offset: int, slope: float) -> float:
    r"""Weight of the KL term at step 1, 2, ..., after s = step - 1 completed steps.

    logistic: :math:`1 / (1 + e^{-k (s - s_0)})` with k = `slope` and s_0 = `offset`, as in the authors' demo;
    with offset 0 it starts at one half. linear: s / `offset`, at most 1; with offset 0 it is always 1.

    >>> [round(kl_weight(step, "logistic", 0, 0.0025), 3) for step in (1, 1001, 2001)]
    [0.5, 0.924, 0.993]
    >>> [kl_weight(step, "linear", 10000, 0.0) for step in (1, 5001, 20000)]
    [0.0, 0.5, 1.0]
    """
    done = step - 1
    if schedule == "logistic":
        # tanh does not overflow far below the offset.
        return 0.5 * (1 + math.tanh(0.5 * slope * (done - offset)))
    return min(1.0, done / offset) if offset else 1.0
