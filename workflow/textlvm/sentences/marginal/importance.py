r"""The importance-weighted bound (Burda et al. 2016) with a proposal around the encoder's mean.

For a prior p(z), a proposal r(z|x) and K codes :math:`z_k \sim r(z|x)`

.. math:: \mathcal{L}_K(x) = E \log \frac{1}{K} \sum_{k=1}^K \frac{p(x|z_k) \, p(z_k)}{r(z_k|x)}
          \le \log p(x),

and it does not fall as K grows. With the encoder's own posterior as proposal, :math:`\mathcal{L}_1` is the
ELBO. sMIM's posteriors are far narrower than its prior, so that they propose codes of one place alone: the
proposal here is wider by a share of the spread of all codes.
"""

import math

from torch import Tensor

__all__ = ["bounds_by_samples"]


def bounds_by_samples(log_weights: Tensor, numbers: tuple[int, ...]) -> dict[int, Tensor]:
    """The bound of every sentence, (N,), for each number of codes K.

    `log_weights` (S, N) are log p(x|z) + log p(z) - log r(z|x) at S codes a sentence, in nats. For K < S it
    is the mean over the S // K groups of K codes each: every group's value has the bound's expectation.
    """
    samples = len(log_weights)
    result = {}
    for number in numbers:
        groups = samples // number
        if not groups:
            raise ValueError(f"{number} codes are more than the {samples} sampled ones")
        grouped = log_weights[: groups * number].reshape(groups, number, -1)
        result[number] = (grouped.logsumexp(1) - math.log(number)).mean(0)
    return result
