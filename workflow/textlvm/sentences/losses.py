r"""The losses that tell sMIM, sVAE and AE apart, as functions of densities at one sample per sentence.

Notation: :math:`z_i \sim q_\theta(z|x_i)` (for AE its mean), P(z) = N(z; 0, I) the anchor; arguments are, in
nats, (B,): `log_likelihood` :math:`\log p_\theta(x_i|z_i)`, `log_posterior` :math:`\log q_\theta(z_i|x_i)`,
`log_anchor` :math:`\log P(z_i)`. Losses are nats a sentence, averaged over the batch.
"""

from torch import Tensor

__all__ = ["kl_weight", "mim", "negative_elbo", "reconstruction"]


def mim(log_likelihood: Tensor, log_posterior: Tensor, log_anchor: Tensor) -> Tensor:
    r"""Algorithm 1, the sample of Eq. (14) without its constant :math:`\frac{1}{2} H_P(x)`.

    .. math:: -\frac{1}{N} \sum_i \Big(\log p_\theta(x_i|z_i)
              + \frac{1}{2} \big(\log q_\theta(z_i|x_i) + \log P(z_i)\big)\Big)
    """
    return -(log_likelihood + 0.5 * (log_posterior + log_anchor)).mean()


def negative_elbo(
    log_likelihood: Tensor, log_posterior: Tensor, log_anchor: Tensor, weight: float = 1.0
) -> Tensor:
    r"""The sample of the negative ELBO, Eq. (11), with its KL term times `weight` ("+ kl", Sec. 4.2).

    .. math:: -\frac{1}{N} \sum_i \Big(\log p_\theta(x_i|z_i)
              - w \big(\log q_\theta(z_i|x_i) - \log P(z_i)\big)\Big)
    """
    return -(log_likelihood - weight * (log_posterior - log_anchor)).mean()


def reconstruction(log_likelihood: Tensor) -> Tensor:
    r"""The reconstruction term alone: an auto-encoder's loss (Sec. 4.5), and a language model's.

    .. math:: -\frac{1}{N} \sum_i \log p_\theta(x_i|z_i)
    """
    return -log_likelihood.mean()


def kl_weight(step: int, annealing: int) -> float:
    """Weight of the KL term at step 1, 2, ...: from 0 to 1 in a straight line over `annealing` steps.

    >>> kl_weight(1, 10000), kl_weight(5001, 10000), kl_weight(20000, 10000), kl_weight(1, 0)
    (0.0, 0.5, 1.0, 1.0)
    """
    return min(1.0, (step - 1) / annealing) if annealing else 1.0
