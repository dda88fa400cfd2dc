r"""The importance-weighted bound (Burda et al. 2016) with a proposal around the encoder's mean.

For a prior p(z), a proposal r(z|x) and K codes :math:`z_k \sim r(z|x)`,

.. math:: \mathcal{L}_K(x) = E \log \frac{1}{K} \sum_{k=1}^K \frac{p(x|z_k) \, p(z_k)}{r(z_k|x)}
          \le \log p(x),

and the bound does not decrease with K. With the encoder's posterior as proposal, :math:`\mathcal{L}_1` is the
ELBO. The posteriors of sMIM are much narrower than its prior and thus poor proposals; see `proposals` for
wider ones.
"""

import math

from torch import Tensor

__all__ = ["bounds_by_samples"]


def bounds_by_samples(log_weights: Tensor, numbers: tuple[int, ...]) -> dict[int, Tensor]:
    """The bound of every sentence, (N,), for each number of codes K.

    `log_weights` (S, N) are log p(x|z) + log p(z) - log r(z|x) at S codes per sentence, in nats. For K < S
    the bound is averaged over S // K groups of K codes. Raises `ValueError` for K > S.
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
