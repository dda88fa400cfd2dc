"""The standard deviation over seeds for a row with one seed, pooled from other rows of its table."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from textlvm.estimate import deviation, mean

__all__ = ["RULE", "PooledSpread", "Sample", "borrow", "pooled"]

RULE = (
    "a row with one seed borrows the pooled sd over seeds of other rows of its table on the same corpus: "
    "of the same kind of model with at least 3 seeds, else of the same kind with 2, else of other kinds "
    "with several; for a perplexity, sd / mean is pooled"
)
"""The rule of `borrow` in one line, for footnotes."""
ENOUGH = 3
"""Rows with at least this number of seeds are preferred."""
PERPLEXITIES = frozenset({"per word", "per letter"})
"""The units of perplexities. Their noise is proportional to their value."""


@dataclass(frozen=True)
class Sample:
    """A metric of one row, with a value for each training."""

    row: str
    run: str
    model_kind: str
    metric: str
    """Its name in the evaluation."""
    values: tuple[float, ...]
    unit: str = "seeds"
    """The unit: `seeds`, or `draws` of a split."""

    def scaled_to(self, value: float) -> "Sample":
        """The sample with its values multiplied by one factor, such that their mean is `value`."""
        factor = value / mean(self.values)
        return replace(self, values=tuple(factor * own for own in self.values))


@dataclass(frozen=True)
class PooledSpread:
    """A standard deviation over seeds that is pooled over rows, in the metric's unit."""

    value: float
    degrees_of_freedom: int
    source: str
    """The rows and their numbers of seeds, e.g. `sMIM (16), 3 seeds; sMIM (128), 3 seeds`."""

    def __str__(self) -> str:
        """The source, e.g. `sd of sMIM (16), 3 seeds (2 degrees of freedom)`."""
        plural = "" if self.degrees_of_freedom == 1 else "s"
        return f"sd of {self.source} ({self.degrees_of_freedom} degree{plural} of freedom)"


def pooled(samples: Sequence[Sample], note: str = "") -> PooledSpread:
    """The pooled standard deviation: the root of the mean variance, weighted by the degrees of freedom n - 1.

    Every sample must have at least two values. `note` precedes the rows in `source`.
    """
    freedom = sum(len(sample.values) - 1 for sample in samples)
    root = math.hypot(*(math.sqrt(len(s.values) - 1) * deviation(s.values) for s in samples))
    rows = "; ".join(f"{sample.row}, {len(sample.values)} {sample.unit}" for sample in samples)
    return PooledSpread(root / math.sqrt(freedom), freedom, note + rows)


def borrow(model_kind: str, samples: Iterable[Sample], value: float, unit: str) -> PooledSpread | None:
    """The standard deviation for a row of this kind of model with one seed; None if no row has several seeds.

    `value` is that of the row. Rows have the same standard deviation, in a unit of `PERPLEXITIES` relative to
    their value.

    `samples` are those of one metric in one table on one corpus; a run with several rows counts once. The
    first of these groups that is not empty is pooled: rows of the same kind with at least three seeds, rows
    of the same kind with two, rows of other kinds with at least two.
    """
    several = list({sample.run: sample for sample in samples if len(sample.values) > 1}.values())
    if unit in PERPLEXITIES:
        several = [sample.scaled_to(value) for sample in several]
    same = [sample for sample in several if sample.model_kind == model_kind]
    if same:
        return pooled([sample for sample in same if len(sample.values) >= ENOUGH] or same)
    return pooled(several, "other kinds of model: ") if several else None
