"""The status of each seed of a planned run, read from the files that its steps write while they run."""

import platform
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from textlvm.experiment.plan import Run
from textlvm.runtime.cli import is_running
from textlvm.runtime.files import modified, read_object

__all__ = ["SeedStatus", "State", "seed_status", "seed_statuses"]

ENTRIES = 3
"""A training on another machine counts as interrupted if its progress.json is older than the time of this
many entries of its curve, plus `SLACK`."""
SLACK = 30.0
"""Seconds, for the delays of clocks and network file systems."""
TAIL = 1 << 16
"""Bytes at the end of a log that are searched for a traceback."""
TRACEBACK = "Traceback (most recent call last):"


class State(StrEnum):
    """The state of a seed; see the module `textlvm.reporting.status`."""

    DONE = "done"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    WAITING = "waiting"


@dataclass(frozen=True, kw_only=True)
class SeedStatus:
    """The status of one seed of a run. Unknown numbers are None, unknown texts empty."""

    run: Run
    seed: int
    state: State
    stage: str = ""
    """`training` or `evaluation`: the current step, or `evaluation` if a trained model waits for it."""
    step: int | None = None
    steps: int | None = None
    loss: float | None = None
    """The loss of the last entry of the training's curve, in nats."""
    seconds_left: float | None = None
    """Until the last step of a running training."""
    device: str = ""
    reason: str = ""
    """Why it failed."""
    log: Path | None = None
    """The log of the failed step."""


def seed_statuses(runs: Iterable[Run], results: Path) -> list[SeedStatus]:
    """The current status of every seed of these runs, below the folder `results`."""
    now = time.time()
    return [seed_status(run, seed, results, now) for run in runs for seed in run.seeds]


def seed_status(run: Run, seed: int, results: Path, now: float) -> SeedStatus:
    """The status of one seed at the time `now`, in seconds since the epoch."""
    folder, logs = results / run.training_path / f"seed{seed}", results / "logs" / run.path / f"seed{seed}"
    progress, cost = _progress(folder / "checkpoint"), read_object(folder / "cost.json")
    spec = read_object(folder / "spec.json")
    is_current = bool(spec) and run.is_described_by(spec)
    is_trained = is_current and (folder / "model.safetensors").exists()
    is_finished = run.is_finished(seed, results)
    known: dict[str, Any] = {"run": run, "seed": seed}
    # The steps of a model that was trained on another data set are shown for the run that trained it.
    if is_trained and not run.trained_on:
        steps = cost.get("steps")
        known |= {"step": steps, "steps": steps, "loss": progress.get("loss")}
        known["device"] = cost.get("device", "") if steps else ""
    if is_finished and (reason := _evaluation_failure(read_object(results / run.metrics(seed)))):
        known |= {"stage": "evaluation", "log": logs / "evaluate.log"}
        return SeedStatus(state=State.FAILED, reason=reason, **known)
    # A run without a row in a table is only trained: other runs evaluate its model.
    if is_finished or (is_trained and not run.rows):
        return SeedStatus(state=State.DONE, **known)
    if is_trained:
        return _status_after_training(logs / "evaluate.log", folder, known | {"stage": "evaluation"})
    if run.trained_on:
        return SeedStatus(state=State.WAITING, **known)
    log = logs / "train.log"
    if spec and not is_current and not is_running(log):
        # The progress is that of other settings.
        progress = {}
    return _status_of_training(log, folder / "checkpoint", progress, now, known)


def _evaluation_failure(metrics: Mapping[str, Any]) -> str:
    """The reason, such as a missing package or file, if an evaluation recorded that it failed."""
    return str(metrics.get("reason", "")) if metrics.get("status") == "failed" else ""


def _status_after_training(log: Path, folder: Path, known: dict[str, Any]) -> SeedStatus:
    """The status of a seed whose model is trained."""
    if is_running(log):
        return SeedStatus(state=State.RUNNING, **known)
    # A log that is older than the training belongs to another model.
    if modified(log) > modified(folder / "spec.json") and (reason := _last_error(log)):
        return SeedStatus(state=State.FAILED, reason=reason, log=log, **known)
    return SeedStatus(state=State.WAITING, **known)


def _status_of_training(
    log: Path, unfinished: Path, progress: Mapping[str, Any], now: float, known: dict[str, Any]
) -> SeedStatus:
    """The status of a seed whose model is not trained."""
    run: Run = known["run"]
    begun = known | {"stage": "training"}
    if progress:
        begun |= {name: progress[name] for name in ("step", "steps", "loss")}
        begun["device"] = progress.get("device", "")
    age = now - modified(unfinished / "progress.json")
    pace = progress["seconds"] / progress["step"] if progress else 0.0
    if is_running(log) or (
        _is_on_other_machine(unfinished / "lock") and age < ENTRIES * pace * run.training["log_every"] + SLACK
    ):
        left = max(0.0, pace * (progress["steps"] - progress["step"]) - age) if progress else None
        return SeedStatus(state=State.RUNNING, seconds_left=left, **begun)
    if reason := _training_failure(run, unfinished, log):
        return SeedStatus(state=State.FAILED, reason=reason, log=log, **begun)
    # The progress file of a finished training does not mean that it was interrupted.
    if progress and (progress["step"] < progress["steps"] or (unfinished / "state.safetensors").exists()):
        return SeedStatus(state=State.INTERRUPTED, **begun)
    return SeedStatus(state=State.WAITING, **known)


def _progress(unfinished: Path) -> dict[str, Any]:
    """The last entry of a training's curve, with the number of steps and the seconds so far; or nothing."""
    progress = read_object(unfinished / "progress.json")
    return progress if {"step", "steps", "seconds", "loss"} <= set(progress) else {}


def _is_on_other_machine(lock: Path) -> bool:
    """Whether the last training here ran on another machine, whose locks may not be visible on this one."""
    try:
        return lock.read_text(encoding="utf-8").strip().rpartition(" on ")[2] not in ("", platform.node())
    except OSError:
        return False


def _training_failure(run: Run, unfinished: Path, log: Path) -> str | None:
    """Why a training with the current settings of the run failed."""
    failure = read_object(unfinished / "failure.json")
    if not failure:
        return _last_error(log)
    return str(failure.get("reason")) if run.is_described_by(failure) else None


def _last_error(log: Path) -> str | None:
    """The message of the last traceback in the log of a step."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL))
            _, mark, traceback = file.read().decode(errors="replace").rpartition(TRACEBACK)
    except OSError:
        return None
    last = next((line for line in traceback.splitlines() if line.strip() and not line.startswith(" ")), "")
    name, _, message = last.partition(": ")
    return (message or name) if mark else None
