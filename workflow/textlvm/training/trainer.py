"""The training loop of all models: logged, resumable at every step, with an error for NaN."""

import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from tqdm import tqdm

from textlvm.runtime import provenance
from textlvm.runtime.errors import UserError, is_out_of_memory
from textlvm.runtime.files import write_json
from textlvm.training import device as devices
from textlvm.training.checkpoint import (
    Checkpoint,
    NonFiniteState,
    random_state,
    require_finite,
    restore_random_state,
)
from textlvm.training.course import Course
from textlvm.training.failure import Failure
from textlvm.training.interruption import Interrupted, Interruption
from textlvm.training.objective import VALIDATION, Objective
from textlvm.training.schedule import RELATIVE_RATE, Schedule

__all__ = ["EXPLODED", "VALIDATION", "Objective", "Settings", "Training", "train"]

EXPLODED = 1000.0
"""A training fails if the magnitude of the mean loss of an entry of its curve exceeds this many times that of
the first entry, or this many nats if that is less than one."""
SHOWN, WIDTH = 3, 60
"""The number of inputs of a batch in an error message, and the largest number of characters of each."""


class Settings(Protocol):
    """The training settings of a run that the loop uses."""

    @property
    def steps(self) -> int: ...  # noqa: D102
    @property
    def batch(self) -> int: ...  # noqa: D102
    @property
    def clip(self) -> float | None: ...  # noqa: D102
    @property
    def log_every(self) -> int: ...  # noqa: D102
    @property
    def monitor_every(self) -> int: ...  # noqa: D102
    @property
    def checkpoint_every(self) -> int: ...  # noqa: D102


@dataclass(frozen=True)
class Training:
    """A model and its objective, optimizer, schedule and settings."""

    model: nn.Module
    objective: Objective
    optimizer: torch.optim.Optimizer
    """The optimizer of the model's parameters."""
    schedule: Schedule
    """The learning rate by step."""
    settings: Settings
    precision: torch.dtype = torch.float32
    """The dtype of matrix products, which is only recorded."""


def train(
    training: Training, checkpoint: Checkpoint, interruption: Interruption, progress_file: Path | None = None
) -> Course:
    """Train the model in place.

    Resumes from a checkpoint of the same identity. On the same device and version of PyTorch, the result is
    that of an uninterrupted training: same batches, same noise, same weights; on a GPU, up to the order in
    which terms are added. If `validation_loss` is monitored, the model has the weights with its lowest value
    at the end. `progress_file` is rewritten at every entry of the curve with the entry, the number of steps,
    the seconds so far and the device.

    Raises `Failure` if the loss, a gradient, a monitored value or the weights are not finite, the loss
    explodes (`EXPLODED`), or memory runs out; the last good checkpoint is kept. Raises `Interrupted` after
    the step, or during the measurement, in which `interruption` got a signal; the state is saved.
    """
    loop = _Loop(training, checkpoint, interruption, progress_file)
    try:
        loop.run()
    except Interrupted as stop:
        loop.save()
        logging.info(
            "stopped by %s after step %d, whose state is saved: the same command resumes from there",
            stop.signal.name,
            loop.course.step,
        )
        raise
    return loop.finish()


@dataclass
class _Loop:
    """The state of `train`; the fields are its parameters."""

    training: Training
    checkpoint: Checkpoint
    interruption: Interruption
    progress_file: Path | None

    def __post_init__(self) -> None:
        given = self.training
        self.model, self.objective, self.optimizer = given.model, given.objective, given.optimizer
        self.schedule, self.settings = given.schedule, given.settings
        self.course = Course()
        if restored := self.checkpoint.restore(self.model, self.optimizer):
            self.course = Course(restored.step, **restored.progress, best=restored.best)
            logging.info("resuming after step %d", restored.step)
        self.validation = [entry[VALIDATION] for entry in self.course.curve if VALIDATION in entry]
        self.saved = self.course.step
        self.device = devices.describe(next(self.model.parameters()).device)
        self.began = time.monotonic() - self.course.seconds
        # Losses and gradient norms stay on the device until an entry is due: reading them at every step would
        # make the GPU wait.
        self.unread: list[tuple[Tensor, Tensor | None]] = []

    def run(self) -> None:
        course, settings = self.course, self.settings
        bar = tqdm(total=settings.steps, initial=course.step, unit="step", disable=None, mininterval=1)
        with bar:
            while True:
                self.interruption.check()
                if self.is_entry_due():
                    self.record()
                    bar.update(course.step - bar.n)
                    bar.set_postfix(loss=f"{course.curve[-1]['loss']:.3f}")
                rate = self.schedule(course.step + 1, self.validation)
                if course.step == settings.steps or rate is None:
                    break
                if course.step - self.saved >= settings.checkpoint_every:
                    self.save()
                self.update(rate)

    def update(self, rate: float) -> None:
        """One step of the optimizer."""
        step = self.course.step + 1
        try:
            for group in self.optimizer.param_groups:
                group["lr"] = rate * group.get(RELATIVE_RATE, 1.0)
            if step == self.objective.pretraining + 1:
                self.optimizer.state.clear()
            loss = self.objective.loss(step)
            self.optimizer.zero_grad()
            loss.backward()
            norm = None
            if self.settings.clip is not None:
                parameters = self.model.parameters()
                norm = nn.utils.clip_grad_norm_(parameters, self.settings.clip, foreach=True)
            self.optimizer.step()
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            batch = self.settings.batch
            smaller = f"set its training.batch to {batch // 2} in config.yaml or " if batch > 1 else ""
            reason = f"out of memory in step {step} with a batch of {batch}"
            raise Failure(reason, f"{smaller}run it on a device with more memory") from error
        self.unread.append((loss.detach(), norm))
        self.course.step = step

    def is_entry_due(self) -> bool:
        """Whether the curve needs an entry for the last step and has none."""
        step, curve = self.course.step, self.course.curve
        if step == 0 or (curve and curve[-1]["step"] == step):
            return False
        return step % self.settings.log_every == 0 or step == self.settings.steps or self.is_measurement_due()

    def is_measurement_due(self) -> bool:
        step = self.course.step
        return self.objective.monitor is not None and (
            step % self.settings.monitor_every == 0 or step == self.settings.steps
        )

    def record(self) -> None:
        """Append an entry to the curve."""
        course = self.course
        self.read_losses()
        mean = math.fsum(course.losses) / len(course.losses)
        self.require_no_explosion(mean)
        # There was no validation since the step, so this is the rate of the step.
        rate = self.schedule(course.step, self.validation)
        entry: dict[str, Any] = {"step": course.step, "loss": mean, "learning_rate": rate} | self.measure()
        course.curve.append(entry)
        course.losses.clear()
        if VALIDATION in entry:
            if entry[VALIDATION] < min(self.validation, default=math.inf):
                course.best = {name: value.clone() for name, value in self.model.state_dict().items()}
            self.validation.append(entry[VALIDATION])
        if self.progress_file:
            elapsed = {"steps": self.settings.steps, "seconds": round(self.seconds(), 1)}
            write_json(self.progress_file, entry | elapsed | {"device": self.device})

    def measure(self) -> dict[str, float]:
        """The monitored values, if they are due. Signals interrupt it, because it may take minutes."""
        if self.objective.monitor is None or not self.is_measurement_due():
            return {}
        noise = random_state()
        try:
            with self.interruption.immediate():
                values = self.objective.measure(self.course.step)
        except Interrupted:
            restore_random_state(noise)
            raise
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            reason = f"out of memory during validation after step {self.course.step}"
            raise Failure(reason, "run it on a device with more memory") from error
        for name, value in values.items():
            self.require_number(f"monitored {name}", value, self.course.step, with_inputs=False)
        return values

    def save(self) -> None:
        """Write a checkpoint, unless this step already has one."""
        if self.course.step == self.saved:
            return
        self.read_losses()
        course = self.course
        self.count_cost()
        progress = {name: getattr(course, name) for name in ("curve", "losses", "seconds", "peak_memory_mib")}
        try:
            self.checkpoint.save(course.step, self.model, self.optimizer, progress, course.best)
        except NonFiniteState as error:
            raise self.failure("the weights became infinite or NaN", course.step) from error
        self.saved = course.step

    def finish(self) -> Course:
        """Load the best weights into the model and return the course."""
        if not self.course.curve:
            raise UserError("training.learning_rate is below training.min_learning_rate: no step was trained")
        if self.course.best is not None:
            self.model.load_state_dict(self.course.best)
        try:
            require_finite(self.model.parameters())
        except NonFiniteState as error:
            raise self.failure("the weights became infinite or NaN", self.course.step) from error
        self.count_cost()
        return self.course

    def count_cost(self) -> None:
        self.course.seconds = self.seconds()
        self.course.peak_memory_mib = max(self.course.peak_memory_mib, provenance.peak_memory_mib())

    def seconds(self) -> float:
        return time.monotonic() - self.began

    def read_losses(self) -> None:
        """Copy the losses of the last steps from the device; raises `Failure` for the first bad one."""
        if not self.unread:
            return
        losses, norms = zip(*self.unread, strict=True)
        self.unread = []
        values = torch.stack(losses).tolist()
        known = [None] * len(values) if norms[0] is None else torch.stack(norms).tolist()
        first = self.course.step - len(values) + 1
        overflow = False
        for step, value, norm in zip(range(first, self.course.step + 1), values, known, strict=True):
            if overflow and not math.isfinite(value):
                raise self.failure("the gradient became inf", step - 1)
            self.require_number("loss", value, step)
            if norm is not None and math.isnan(norm):
                raise self.failure("the gradient became nan", step)
            # An infinite norm alone is not a failure: if only squares overflow, clipping makes it zero.
            overflow = norm is not None and math.isinf(norm)
        self.course.losses += values

    def require_number(self, what: str, value: float, step: int, with_inputs: bool = True) -> None:
        if not math.isfinite(value):
            raise self.failure(f"the {what} became {value}", step, with_inputs)

    def require_no_explosion(self, mean: float) -> None:
        curve, losses = self.course.curve, self.course.losses
        start = abs(curve[0]["loss"]) if curve else math.inf
        if abs(mean) > EXPLODED * max(start, 1.0):
            worst = max(range(len(losses)), key=lambda i: abs(losses[i]))
            step = self.course.step - len(losses) + 1 + worst
            raise self.failure(f"the loss exploded from {curve[0]['loss']:.4g} to {losses[worst]:.4g}", step)

    def failure(self, what: str, step: int, with_inputs: bool = True) -> Failure:
        """Create the error for a step; it names some inputs of the batch if `with_inputs`."""
        inputs = self.objective.inputs(step)[:SHOWN] if with_inputs and self.objective.inputs else ()
        cut = [text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…" for text in inputs]
        batch = f", whose batch has {', '.join(map(repr, cut))}" if cut else ""
        clip = "set its training.clip" if self.settings.clip is None else "its training.clip"
        advice = f"lower its training.learning_rate or {clip} in config.yaml"
        return Failure(f"{what} at step {step}{batch}", advice)
