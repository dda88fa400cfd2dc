"""Entropy of latent codes from nearest neighbours (Sec. 4.4, Table 6), and that of the anchor, N(d)."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import digamma

from textlvm.runtime.errors import UserError

__all__ = ["nearest_neighbour_entropy", "standard_normal_entropy"]

Floats = NDArray[np.float64]

BLOCK = 1000
"""Number of codes per block of the distance matrix."""


def nearest_neighbour_entropy(codes: Floats, neighbours: int = 3) -> float:
    """Differential entropy in nats of the distribution that `codes` (N, d) are drawn from.

    Kozachenko and Leonenko's estimator in the form of Kraskov et al. (2004), Eq. (20), with the maximum norm:
    H = psi(N) - psi(k) + d <log(2 r_k)>, where r_k is the distance from a code to its k-th neighbour. The
    estimate is too high if the density changes within that distance, as it does in many dimensions; compare
    it with the estimate for a known distribution.

    Duplicate codes, which a deterministic encoder gives for equal sentences, are counted once. Raises
    `UserError` for too few distinct codes.
    """
    distinct = np.unique(np.asarray(codes, dtype=np.float64), axis=0)
    n, dimensions = distinct.shape
    if n <= neighbours:
        raise UserError(
            f"an entropy from {neighbours} neighbours requires more than {neighbours} distinct codes, not "
            f"{n}: evaluate on more sentences, or with fewer evaluation.entropy_neighbours"
        )
    radii = _distances_to_neighbour(distinct, neighbours)
    return float(digamma(n) - digamma(neighbours) + dimensions * np.log(2 * radii).mean())


def standard_normal_entropy(dimensions: int) -> float:
    """N(d) of Table 6, the entropy of N(0, I): d/2 (1 + log 2 pi) nats.

    >>> round(standard_normal_entropy(16), 1)
    22.7
    """
    return dimensions / 2 * (1 + math.log(2 * math.pi))


def _distances_to_neighbour(points: Floats, k: int) -> Floats:
    """Distance (N,) in the maximum norm of each point (N, d) to its k-th neighbour.

    For more than about ten dimensions, a tree is not faster. The distance is symmetric, so each block is
    computed once; scikit-learn's brute-force search takes over twice as long.
    """
    nearest = np.full((len(points), k + 1), np.inf)
    for i in range(0, len(points), BLOCK):
        for j in range(i, len(points), BLOCK):
            rows, columns = slice(i, i + BLOCK), slice(j, j + BLOCK)
            distances = cdist(points[rows], points[columns], "chebyshev")
            nearest[rows] = _smallest(nearest[rows], distances)
            if i < j:
                nearest[columns] = _smallest(nearest[columns], distances.T)
    # The nearest point is the point itself.
    return nearest.max(axis=1)


def _smallest(known: Floats, more: Floats) -> Floats:
    """The smallest values of each row of both arrays, as many as `known` has columns."""
    count = known.shape[1]
    return np.partition(np.concatenate([known, more], axis=1), count - 1, axis=1)[:, :count]
