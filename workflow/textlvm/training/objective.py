"""What a training minimises and what is measured along it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

__all__ = ["VALIDATION", "Objective"]

VALIDATION = "validation_loss"
"""Name of the monitored value that schedules look at; the weights with the least one are kept."""


@dataclass(frozen=True)
class Objective:
    """What is trained."""

    loss: Callable[[int], Tensor]
    """Draws the batch of step 1, 2, ... and returns its scalar loss, in nats per word or sentence."""
    monitor: Callable[[], dict[str, float]] | None = None
    """Quantities recorded along the curve every `monitor_every` steps and at the end."""
    inputs: Callable[[int], Sequence[str]] | None = None
    """The words or sentences of the batch of one of the last `log_every` steps; none if it is not known."""
    pretraining: int = 0
    """Steps of a first phase with a loss of its own: its weights are not kept and no learning rate falls by
    it, since what is measured in it has no validation loss, and the optimizer starts anew after it."""

    def measure(self, step: int) -> dict[str, float]:
        """The monitored quantities after so many steps."""
        values = self.monitor() if self.monitor else {}
        if step <= self.pretraining:
            values.pop(VALIDATION, None)
        return values
