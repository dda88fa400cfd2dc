r"""A bound without a density of codes: the prior is the discrete distribution of training codes.

Under the prior with mass 1/M at each of the codes :math:`z_1, \dots, z_M` of training sentences,

.. math:: \log p(x) = \log \frac{1}{M} \sum_{m=1}^M p(x|z_m) \ge \log \frac{1}{M} \sum_{m \in S} p(x|z_m)

for any subset S, because all terms are positive. Here S are the codes nearest to the encoder's mean for x.
The bound is also valid for an autoencoder, which has no prior.
"""

import math

import torch
from torch import Tensor

__all__ = ["bounds_by_neighbours", "nearest"]

BLOCK = 512
"""Number of queries per block of the distance matrix."""


def nearest(queries: Tensor, codes: Tensor, number: int) -> Tensor:
    """Indices (N, number) of the codes (M, d) nearest to each query (N, d), the nearest first."""
    indices = []
    for part in queries.split(BLOCK):
        distances = torch.cdist(part.double(), codes.double())
        indices.append(distances.topk(number, 1, largest=False).indices)
    return torch.cat(indices)


def bounds_by_neighbours(log_likelihood: Tensor, codes: int, numbers: tuple[int, ...]) -> dict[int, Tensor]:
    """The bound of every sentence, (N,), for each number of neighbours.

    `log_likelihood` (S, N) is log p(x|z) in nats at the nearest, the second nearest, ... of `codes` codes.
    """
    sums = log_likelihood.logcumsumexp(0) - math.log(codes)
    return {number: sums[number - 1] for number in numbers}
