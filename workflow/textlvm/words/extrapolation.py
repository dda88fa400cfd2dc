r"""Cross entropies by Eq. (12) extrapolated to infinitely many trajectories.

The logarithm of an average is too low in expectation, so a cross entropy decreases as K grows. For one word
the bias is proportional to 1/K if K is large. Averaged over words it decreases more slowly, since rare words
need many trajectories: the gain of each doubling of K is nearly a constant fraction r of the last one. So

.. math:: \mathrm{CE}(\infty) \approx \mathrm{CE}(K) - d \frac{r}{1 - r}

with d the gain of the last doubling. For r = 1/2 this is the jackknife over halves. The gains are averaged
over all disjoint blocks of trajectories of each size, which removes most of their Monte Carlo error; d and r
are estimated by a line fitted to their logarithms.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["extrapolate"]

LAST, MORE = 4, 6
"""Maximum numbers of doublings in the fit of the line and in a second fit: r changes slowly with K."""
FASTEST, SLOWEST = 0.5, 0.95
"""The minimum of r, that of 1/K, and the maximum for which a limit is returned."""
HALVES = 15
"""Maximum number of half-samples for a standard error."""


def extrapolate(
    groups: NDArray[np.float64], size: int, frequency: NDArray[np.float64]
) -> tuple[float, float] | None:
    """The cross entropy at infinite K in nats per word, and its standard error.

    `groups` (V, G) holds log sum_k P(w|h^k) over `size` trajectories each. The first 2^n groups are used,
    with the largest possible n. None if G < 8, or if each gain is more than 0.95 times the last one: the
    curve then shows no limit.

    The error has two parts. One is the spread of balanced half-samples: an estimate from half of the groups
    deviates from that of all groups by as much as the latter from its expectation. The other is the change
    from fitting more doublings, a measure of how much r varies; `textlvm.words.importance` is an independent
    check.
    """
    doublings = int(math.log2(groups.shape[1]))
    if doublings < 3:
        return None
    occurs = frequency > 0
    weights = torch.from_numpy(frequency[occurs])
    sums = torch.from_numpy(groups[occurs][:, : 2**doublings])
    curve = _curve(sums, size, weights)
    limit, other = _limit(curve, LAST), _limit(curve, MORE)
    if limit is None or other is None:
        return None
    number = torch.arange(2**doublings)
    deviations = []
    for mask in range(1, min(2**doublings, HALVES + 1)):
        # Any two of these halves have half of their groups in common.
        parity = sum((number & mask) >> bit & 1 for bit in range(doublings)) % 2
        half = _limit(_curve(sums[:, parity == 0], size, weights), LAST)
        if half is not None:
            deviations.append(half)
    if len(deviations) < 2:
        return None
    return limit, math.hypot(float(np.std(deviations, ddof=1)), limit - other)


def _curve(sums: Tensor, size: int, weights: Tensor) -> list[float]:
    """Cross entropies at K, K/2, K/4, ... trajectories down to one group, averaged over blocks."""
    curve = []
    while True:
        curve.append(math.log(size) - float(weights @ sums.mean(1)))
        if sums.shape[1] == 1:
            return curve[::-1]
        sums, size = torch.logaddexp(sums[:, 0::2], sums[:, 1::2]), 2 * size


def _limit(curve: list[float], doublings: int) -> float | None:
    """The limit of a curve at K, K/2, K/4, ... trajectories, fitted to its last `doublings`, or None."""
    gains = np.diff(curve)[:doublings]
    losses = np.flatnonzero(gains <= 0)
    gains = gains[: losses[0]] if len(losses) else gains
    if len(gains) < 2:
        # The bias is smaller than the noise: assume 1/K. By chance the result may be above the curve.
        return 2 * curve[0] - curve[1]
    back = np.arange(len(gains))
    # Each gain is averaged over twice as many blocks as that of the next doubling of K.
    slope, last = np.polyfit(back, np.log(gains), 1, w=2.0 ** (back / 2))
    ratio = max(FASTEST, math.exp(-slope))
    if ratio > SLOWEST:
        return None
    return curve[0] - math.exp(last) * ratio / (1 - ratio)
