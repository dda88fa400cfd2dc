r"""Means over a test set if many codes are scored only for some sentences (two-phase sampling).

Of every sentence :math:`x` a cheap bound :math:`b(x)` is known, of n sentences drawn at random a tighter one
:math:`c(x)` as well. As the two differ far less than sentences do,

.. math:: \bar c = \frac{1}{N} \sum_{x} b(x) + \frac{1}{n} \sum_{x \in \mathrm{part}} (c(x) - b(x))

is unbiased and nearly as exact as the mean over all (Cochran 1977, Ch. 12).
"""

import math
from dataclasses import dataclass

from torch import Tensor

__all__ = ["Mean", "of_all", "with_part"]


@dataclass(frozen=True)
class Mean:
    """A mean over all N sentences, (2,): of the words, and of words and <eos>; in nats."""

    value: Tensor
    error: Tensor
    """(2,) its standard error as an estimate of the mean over all; zero where all have been scored."""


def of_all(bounds: Tensor) -> Mean:
    """The mean of bounds (2, N) of all sentences."""
    mean = bounds.mean(1)
    return Mean(mean, 0 * mean)


def with_part(common: Tensor, part_common: Tensor, part: Tensor) -> Mean:
    """The mean of a bound that is known for a part of the sentences.

    `common` (2, N) is another bound of all sentences, `part_common` and `part` (2, n) that bound and the
    wanted one of the sentences in the part.
    """
    change, all_, some = part - part_common, common.shape[1], part.shape[1]
    variance = change.var(1, correction=1) / some * (1 - some / all_)
    return Mean(common.mean(1) + change.mean(1), variance.sqrt() if some > 1 else math.nan * change[:, 0])
