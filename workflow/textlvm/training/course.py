"""The progress of a training, and the file format of its curve."""

import json
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

__all__ = ["Course", "curve_lines"]


@dataclass
class Course:
    """The progress of a training; a checkpoint contains it with model, optimizer and generators."""

    step: int = 0
    """The number of completed steps."""
    curve: list[dict[str, Any]] = field(default_factory=list)
    """An entry every `log_every` steps, at every validation and at the end: `step`, the mean `loss` since
    the previous entry, `learning_rate` and, if measured, the monitored values."""
    losses: list[float] = field(default_factory=list)
    """Losses of the steps since the last entry."""
    seconds: float = 0.0
    """The time in all processes; steps that were repeated after a kill count once."""
    peak_memory_mib: int = 0
    """The largest peak of main memory of these processes."""
    best: dict[str, Tensor] | None = None
    """The weights with the lowest validation loss, if it is monitored."""


def curve_lines(curve: list[dict[str, Any]]) -> str:
    """The curve as JSON lines; the last entry is marked `done`."""
    marked = [*curve[:-1], curve[-1] | {"done": True}] if curve else []
    return "".join(json.dumps(entry) + "\n" for entry in marked)
