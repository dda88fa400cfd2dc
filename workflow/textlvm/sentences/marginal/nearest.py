r"""A bound that needs no density of codes: the training sentences' codes themselves as a prior.

Under the prior that has mass 1/M at each of the codes :math:`z_1, \dots, z_M` of training sentences,

.. math:: \log p(x) = \log \frac{1}{M} \sum_{m=1}^M p(x|z_m) \ge \log \frac{1}{M} \sum_{m \in S} p(x|z_m)

for any set S of them, as only terms of the sum are dropped. S here are the codes nearest to the encoder's
mean of x. The bound is as valid of an autoencoder as of a model with a prior of its own.
"""

import math

import torch
from torch import Tensor

__all__ = ["bounds_by_neighbours", "nearest"]

BLOCK = 512
"""Number of sentences in a block of the matrix of distances."""


def nearest(queries: Tensor, codes: Tensor, number: int) -> Tensor:
    """The `number` codes (M, d) nearest to each query (N, d): (N, number) indices, the nearest first."""
    indices = []
    for part in queries.split(BLOCK):
        distances = torch.cdist(part.double(), codes.double())
        indices.append(distances.topk(number, 1, largest=False).indices)
    return torch.cat(indices)


def bounds_by_neighbours(log_likelihood: Tensor, codes: int, numbers: tuple[int, ...]) -> dict[int, Tensor]:
    """The bound of every sentence, (N,), for each number of neighbours.

    `log_likelihood` (S, N) is log p(x|z) at the nearest, the second nearest, ... of `codes` = M codes, in
    nats.
    """
    sums = log_likelihood.logcumsumexp(0) - math.log(codes)
    return {number: sums[number - 1] for number in numbers}
