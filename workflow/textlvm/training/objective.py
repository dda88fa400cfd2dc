"""The loss that a training minimizes, and the values that it monitors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

__all__ = ["VALIDATION", "Objective"]

VALIDATION = "validation_loss"
"""The name of the monitored value that schedules use; the weights with its lowest value are kept."""


@dataclass(frozen=True)
class Objective:
    """The functions of a model that the trainer calls."""

    loss: Callable[[int], Tensor]
    """Samples the batch of step 1, 2, ... and returns its scalar loss: in nats per word or sentence, or a
    hinge loss."""
    monitor: Callable[[], dict[str, float]] | None = None
    """Measures values for the curve, every `monitor_every` steps and at the end."""
    inputs: Callable[[int], Sequence[str]] | None = None
    """The words or sentences in the batch of one of the last `log_every` steps; empty if unknown."""
    pretraining: int = 0
    """The number of steps of a first phase with a different loss. It has no validation loss, so its weights
    are not kept as the best ones and it does not lower the learning rate. The optimizer is reset after it."""

    def measure(self, step: int) -> dict[str, float]:
        """The monitored values after this number of steps."""
        values = self.monitor() if self.monitor else {}
        if step <= self.pretraining:
            values.pop(VALIDATION, None)
        return values
