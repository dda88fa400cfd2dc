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
from textlvm.training.schedule import Schedule

__all__ = ["VALIDATION", "Objective", "Settings", "curve_lines", "train"]

VALIDATION = "validation_loss"
"""Name of the monitored value that schedules look at; the weights with the least one are kept."""


class Settings(Protocol):
    """What the loop reads of a run's training settings."""

    @property
    def steps(self) -> int: ...  # noqa: D102
    @property
    def clip(self) -> float | None: ...  # noqa: D102
    @property
    def log_every(self) -> int: ...  # noqa: D102
    @property
    def monitor_every(self) -> int: ...  # noqa: D102
    @property
    def checkpoint_every(self) -> int: ...  # noqa: D102


@dataclass(frozen=True)
class Objective:
    """What is trained."""

    loss: Callable[[int], Tensor]
    """Draws the batch of step 1, 2, ... and returns its scalar loss, in nats per word or sentence."""
    monitor: Callable[[], dict[str, float]] | None = None
    """Quantities recorded along the curve every `monitor_every` steps and at the end."""


def train(
    model: nn.Module,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    schedule: Schedule,
    settings: Settings,
    checkpoint: Checkpoint,
    progress_file: Path | None = None,
) -> list[dict[str, Any]]:
    """Train `model` in place and return its curve: an entry every `log_every` steps and at every measurement.

    Starts from the checkpoint if there is one of the same identity and continues exactly as an
    uninterrupted run would on the same device and version of PyTorch: same batches, same noise, same
    weights. An entry of the curve holds `step`, the mean `loss` since the entry before, `learning_rate`
    and, where measured, the monitored values. Where these have a `validation_loss`, the model ends with
    the weights that had the least one. `progress_file` is rewritten at every entry with the latest one
    and this process's seconds so far.

    Raises `UserError` naming the step at which the loss stopped being finite.
    """
    start, curve, best = 0, [], None
    if restored := checkpoint.restore(model, optimizer):
        start, curve, best = restored.step, restored.progress["curve"], restored.best
    validation = [entry[VALIDATION] for entry in curve if VALIDATION in entry]
    began = time.monotonic()
    # The losses stay on the device until an entry is due: reading one would stall a GPU every step.
    losses: list[Tensor] = []
    saved = start
    with tqdm(total=settings.steps, initial=start, unit="step", disable=None, mininterval=1) as bar:
        for step in range(start + 1, settings.steps + 1):
            rate = schedule(step, validation)
            if rate is None:
                break
            losses.append(_update(model, optimizer, objective.loss(step), rate, settings.clip))
            last = step == settings.steps
            monitor = objective.monitor if last or step % settings.monitor_every == 0 else None
            if step % settings.log_every and not monitor and not last:
                continue
            entry: dict[str, Any] = {"step": step, "loss": _mean_loss(losses, step), "learning_rate": rate}
            losses.clear()
            if monitor:
                entry |= monitor()
            curve.append(entry)
            if VALIDATION in entry:
                loss = _finite("validation loss", entry[VALIDATION], step)
                if loss < min(validation, default=math.inf):
                    best = {name: value.clone() for name, value in model.state_dict().items()}
                validation.append(loss)
            bar.update(step - bar.n)
            bar.set_postfix(loss=f"{entry['loss']:.3f}")
            if progress_file:
                elapsed = {"steps": settings.steps, "seconds": round(time.monotonic() - began, 1)}
                write_json(progress_file, entry | elapsed)
            if step - saved >= settings.checkpoint_every and not last:
                checkpoint.save(step, model, optimizer, {"curve": curve}, best)
                saved = step
    if best is not None:
        model.load_state_dict(best)
    return curve


def curve_lines(curve: list[dict[str, Any]]) -> str:
    """The curve as JSON lines; the last entry is marked `done`."""
    marked = [*curve[:-1], curve[-1] | {"done": True}] if curve else []
    return "".join(json.dumps(entry) + "\n" for entry in marked)


def _update(
    model: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor, rate: float, clip: float | None
) -> Tensor:
    """One step of the optimizer; returns the loss without its graph."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    loss.backward()
    if clip is not None:
        nn.utils.clip_grad_norm_(model.parameters(), clip, foreach=True)
    optimizer.step()
    return loss.detach()


def _mean_loss(losses: list[Tensor], step: int) -> float:
    """Mean of the losses of the last steps, up to `step`."""
    values = torch.stack(losses).tolist()
    first = step - len(values) + 1
    return math.fsum(_finite("loss", value, first + i) for i, value in enumerate(values)) / len(values)


def _finite(what: str, value: float, step: int) -> float:
    if not math.isfinite(value):
        raise UserError(
            f"the {what} became {value} at step {step}: "
            "lower training.learning_rate or set training.clip for this run in config.yaml"
        )
    return value
