"""One training loop for every model: seeded, resumable, logged; stops with a sentence on NaN."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from tqdm import tqdm

from textlvm.errors import UserError
from textlvm.files import write_json
from textlvm.training.checkpoint import Checkpoint

__all__ = ["Objective", "Settings", "curve_lines", "learning_rate", "train"]


class Settings(Protocol):
    """What the loop reads of a run's training settings."""

    steps: int
    learning_rate: float
    schedule: str
    clip: float | None
    log_every: int
    monitor_every: int
    checkpoint_every: int


@dataclass(frozen=True)
class Objective:
    """What is trained."""

    loss: Callable[[], Tensor]
    """Draws the next batch and returns its scalar loss, in nats per word or sentence."""
    monitor: Callable[[], dict[str, float]] | None = None
    """Quantities recorded along the curve every `monitor_every` steps."""


def train(
    model: nn.Module,
    objective: Objective,
    settings: Settings,
    checkpoint: Checkpoint,
    progress_file: Path | None = None,
) -> list[dict[str, Any]]:
    """Train `model` in place with Adam and return its curve: one entry every `log_every` steps.

    Starts from the checkpoint if there is one of the same identity and continues exactly as an
    uninterrupted run would: same batches, same noise, same weights. An entry of the curve holds `step`,
    the mean `loss` since the entry before, `learning_rate` and, where measured, the monitored values.
    `progress_file` is rewritten at every entry with the latest one and the seconds so far.

    Raises `UserError` naming the step at which the loss stopped being finite.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=settings.learning_rate, fused=True)
    restored = checkpoint.restore(model, optimizer)
    start, curve = (restored[0], restored[1]["curve"]) if restored else (0, [])
    began = time.monotonic()
    # The losses stay on the device until an entry is due: reading one would stall a GPU every step.
    losses: list[Tensor] = []
    saved = start
    with tqdm(total=settings.steps, initial=start, unit="step", disable=None, mininterval=1) as bar:
        for step in range(start + 1, settings.steps + 1):
            rate = learning_rate(settings, step)
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss = objective.loss()
            optimizer.zero_grad()
            loss.backward()
            if settings.clip is not None:
                nn.utils.clip_grad_norm_(parameters, settings.clip, foreach=True)
            optimizer.step()
            losses.append(loss.detach())
            if step % settings.log_every == 0 or step == settings.steps:
                mean = _mean_loss(losses, step)
                losses.clear()
                entry: dict[str, Any] = {"step": step, "loss": mean, "learning_rate": rate}
                if objective.monitor and (step % settings.monitor_every == 0 or step == settings.steps):
                    entry |= objective.monitor()
                curve.append(entry)
                bar.update(step - bar.n)
                bar.set_postfix(loss=f"{mean:.3f}")
                if progress_file:
                    elapsed = {"steps": settings.steps, "seconds": round(time.monotonic() - began, 1)}
                    write_json(progress_file, entry | elapsed)
                if step - saved >= settings.checkpoint_every and step < settings.steps:
                    checkpoint.save(step, model, optimizer, {"curve": curve})
                    saved = step
    return curve


def learning_rate(settings: Settings, step: int) -> float:
    """The learning rate of step 1..steps: constant, or a half cosine from the initial rate to zero."""
    if settings.schedule == "constant":
        return settings.learning_rate
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - 1) / settings.steps))


def curve_lines(curve: list[dict[str, Any]]) -> str:
    """The curve as JSON lines; the last entry is marked `done`."""
    marked = [*curve[:-1], curve[-1] | {"done": True}] if curve else []
    return "".join(json.dumps(entry) + "\n" for entry in marked)


def _mean_loss(losses: list[Tensor], step: int) -> float:
    values = torch.stack(losses).tolist()
    for index, value in enumerate(values):
        if not math.isfinite(value):
            at = step - len(values) + index + 1
            raise UserError(
                f"the loss became {value} at step {at}: "
                "lower training.learning_rate or set training.clip for this run in config.yaml"
            )
    return math.fsum(values) / len(values)
