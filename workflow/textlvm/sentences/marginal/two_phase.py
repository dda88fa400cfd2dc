r"""Means over a test set if an expensive bound is computed only for some sentences (two-phase sampling).

A cheap bound :math:`b(x)` is known for every sentence :math:`x`, and a tighter one :math:`c(x)` for n
sentences drawn at random. As their difference varies much less than the bounds do,

.. math:: \bar c = \frac{1}{N} \sum_{x} b(x) + \frac{1}{n} \sum_{x \in \mathrm{part}} (c(x) - b(x))

is unbiased and nearly as precise as the mean over all sentences (Cochran 1977, Ch. 12).
"""

import math
from dataclasses import dataclass

from torch import Tensor

__all__ = ["Mean", "mean_of_all", "mean_with_part"]


@dataclass(frozen=True)
class Mean:
    """A mean over all N sentences in nats, for the words and for words and <eos>."""

    value: Tensor
    """(2,)"""
    error: Tensor
    """(2,) standard error as an estimate of the mean over all sentences; zero if all have been scored."""


def mean_of_all(bounds: Tensor) -> Mean:
    """The mean of bounds (2, N) of all sentences, without error."""
    mean = bounds.mean(1)
    return Mean(mean, 0 * mean)


def mean_with_part(common: Tensor, part_common: Tensor, part: Tensor) -> Mean:
    """The estimated mean of a bound that is known only for a part of the sentences.

    `common` (2, N) is another bound for all sentences; `part_common` (2, n) is that bound and `part` (2, n)
    the bound of interest for the sentences in the part. If these are all sentences, `common` is not used.
    """
    change, total, n = part - part_common, common.shape[1], part.shape[1]
    if n == total:
        # Both bounds in the part have other noise than `common`, which would not cancel.
        return mean_of_all(part)
    variance = change.var(1, correction=1) / n * (1 - n / total)
    return Mean(common.mean(1) + change.mean(1), variance.sqrt() if n > 1 else math.nan * change[:, 0])
