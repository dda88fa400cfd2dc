"""Learning rates as functions of the step and of the validation losses so far.

Schedules have no state, so a resumed training continues with the same rate.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["RELATIVE_RATE", "Constant", "Cosine", "Plateau", "Schedule"]

RELATIVE_RATE = "relative_rate"
"""The key of a parameter group's factor: its learning rate is that of the schedule times this factor."""


class Schedule(Protocol):
    """A learning rate."""

    def __call__(self, step: int, validation: Sequence[float]) -> float | None:
        """The rate of step 1, 2, ... after these validation losses; None ends training before this step."""
        ...


@dataclass(frozen=True)
class Constant:
    """The same rate at every step."""

    rate: float

    def __call__(self, step: int, validation: Sequence[float]) -> float:
        """See `Schedule`."""
        return self.rate


@dataclass(frozen=True)
class Cosine:
    """A half cosine from the initial rate to zero over all steps."""

    rate: float
    steps: int

    def __call__(self, step: int, validation: Sequence[float]) -> float:
        """See `Schedule`."""
        return self.rate * 0.5 * (1 + math.cos(math.pi * (step - 1) / self.steps))


@dataclass(frozen=True)
class Plateau:
    """The rate is multiplied by `decay` after every `patience` validations without a better loss.

    The validations since the last decay are counted. With `consecutive`, a better loss resets the count.

    >>> losses = [5.0, 5.1, 4.0, 4.1, 4.2]
    >>> [Plateau(1.0, 2, 0.25, least=0.2, consecutive=False)(1, losses[:n]) for n in range(6)]
    [1.0, 1.0, 1.0, 1.0, 0.25, 0.25]
    >>> [Plateau(1.0, 2, 0.25, least=0.2)(1, losses[:n]) for n in range(6)]
    [1.0, 1.0, 1.0, 1.0, 1.0, 0.25]
    """

    rate: float
    patience: int
    decay: float
    least: float
    """Training ends when the rate is below this value."""
    consecutive: bool = True
    """Whether the count restarts when the loss improves."""

    def __call__(self, step: int, validation: Sequence[float]) -> float | None:
        """See `Schedule`."""
        rate, best, waited = self.rate, math.inf, 0
        for loss in validation:
            if loss >= best:
                waited += 1
            elif self.consecutive:
                waited = 0
            best = min(best, loss)
            if waited == self.patience:
                rate, waited = rate * self.decay, 0
        return rate if rate >= self.least else None
