"""The progress of a training, and its curve as a file."""

import json
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

__all__ = ["Course", "curve_lines"]


@dataclass
class Course:
    """The progress of a training; with model, optimizer and generators, the content of a checkpoint."""

    step: int = 0
    """Steps done."""
    curve: list[dict[str, Any]] = field(default_factory=list)
    """An entry every `log_every` steps, at every validation and at the end: `step`, the mean `loss` since
    the entry before, `learning_rate` and, where measured, the monitored values."""
    losses: list[float] = field(default_factory=list)
    """Losses of the steps since the last entry."""
    seconds: float = 0.0
    """Spent in all processes; steps that were repeated after a kill count once."""
    peak_memory_mib: int = 0
    """The peak main memory of these processes."""
    best: dict[str, Tensor] | None = None
    """The weights with the lowest validation loss, if it is monitored."""


def curve_lines(curve: list[dict[str, Any]]) -> str:
    """The curve as JSON lines; the last entry is marked `done`."""
    marked = [*curve[:-1], curve[-1] | {"done": True}] if curve else []
    return "".join(json.dumps(entry) + "\n" for entry in marked)
