"""How far each seed of a planned run has come, read from the files that its steps leave while they work."""

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

__all__ = ["Standing", "State", "standing", "standings"]

ENTRIES = 3
"""So many entries of its curve may a training on another machine be late before it counts as interrupted."""
SLACK = 30.0
"""Seconds that its clock and a network file system may add to that."""
TAIL = 1 << 16
"""Bytes of a log in which the end of a failed step is looked for."""
TRACEBACK = "Traceback (most recent call last):"


class State(StrEnum):
    """The state of a seed; see the module `textlvm.reporting.status`."""

    DONE = "done"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    WAITING = "waiting"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far one seed of a run has come. Absent numbers are None, absent texts empty."""

    run: Run
    seed: int
    state: State
    stage: str = ""
    """training | evaluation: what it is in, or waits for with its model trained."""
    step: int | None = None
    steps: int | None = None
    loss: float | None = None
    """Of the last entry of the training's curve, in nats."""
    seconds_left: float | None = None
    """Until the last step of a running training."""
    device: str = ""
    reason: str = ""
    """Why it failed."""
    log: Path | None = None
    """Where to read more about that."""


def standings(runs: Iterable[Run], results: Path) -> list[Standing]:
    """The standing of every seed of these runs, below the folder `results`, now."""
    now = time.time()
    return [standing(run, seed, results, now) for run in runs for seed in run.seeds]


def standing(run: Run, seed: int, results: Path, now: float) -> Standing:
    """The standing of one seed at the time `now`, in seconds since the epoch."""
    folder = results / run.training_path / f"seed{seed}"
    progress, cost = _progress(folder / "checkpoint"), read_object(folder / "cost.json")
    spec = read_object(folder / "spec.json")
    ours = bool(spec) and run.is_described_by(spec)
    trained = ours and (folder / "model.safetensors").exists()
    known: dict[str, Any] = {"run": run, "seed": seed}
    # A model that was trained on another data set is in the row of the run that trained it.
    if trained and not run.trained_on:
        steps = cost.get("steps")
        known |= {"step": steps, "steps": steps, "loss": progress.get("loss")}
        known["device"] = cost.get("device", "") if steps else ""
    if run.is_finished(seed, results) and (reason := _missing(read_object(results / run.metrics(seed)))):
        log = results / "logs" / run.path / f"seed{seed}" / "evaluate.log"
        return Standing(state=State.FAILED, reason=reason, log=log, **known | {"stage": "evaluation"})
    # Without a row in a table it is trained for the runs that measure it elsewhere.
    if run.is_finished(seed, results) or (trained and not run.rows):
        return Standing(state=State.DONE, **known)
    if trained:
        log = results / "logs" / run.path / f"seed{seed}" / "evaluate.log"
        return _measured(log, folder, known | {"stage": "evaluation"})
    if run.trained_on:
        return Standing(state=State.WAITING, **known)
    log = results / "logs" / run.path / f"seed{seed}" / "train.log"
    if spec and not ours and not is_running(log):
        # What has been done was done with other settings.
        progress = {}
    return _trained(log, folder / "checkpoint", progress, now, known)


def _missing(metrics: Mapping[str, Any]) -> str:
    """The package or files that were missing, if an evaluation failed for this reason."""
    return str(metrics.get("reason", "")) if metrics.get("status") == "failed" else ""


def _measured(log: Path, folder: Path, known: dict[str, Any]) -> Standing:
    """Of a seed whose model is trained."""
    if is_running(log):
        return Standing(state=State.RUNNING, **known)
    # A log from before the training is of another model.
    if modified(log) > modified(folder / "spec.json") and (reason := _failure(log)):
        return Standing(state=State.FAILED, reason=reason, log=log, **known)
    return Standing(state=State.WAITING, **known)


def _trained(
    log: Path, unfinished: Path, progress: Mapping[str, Any], now: float, known: dict[str, Any]
) -> Standing:
    """Of a seed whose model is not trained."""
    run: Run = known["run"]
    begun = known | {"stage": "training"}
    if progress:
        begun |= {name: progress[name] for name in ("step", "steps", "loss")}
        begun["device"] = progress.get("device", "")
    age = now - modified(unfinished / "progress.json")
    pace = progress["seconds"] / progress["step"] if progress else 0.0
    if is_running(log) or (
        _is_elsewhere(unfinished / "lock") and age < ENTRIES * pace * run.training["log_every"] + SLACK
    ):
        left = max(0.0, pace * (progress["steps"] - progress["step"]) - age) if progress else None
        return Standing(state=State.RUNNING, seconds_left=left, **begun)
    if reason := _training_failure(run, unfinished, log):
        return Standing(state=State.FAILED, reason=reason, log=log, **begun)
    # The files of a finished training do not mean that it was interrupted.
    if progress and (progress["step"] < progress["steps"] or (unfinished / "state.safetensors").exists()):
        return Standing(state=State.INTERRUPTED, **begun)
    return Standing(state=State.WAITING, **known)


def _progress(unfinished: Path) -> dict[str, Any]:
    """The last entry of a training's curve, with the number of steps and the seconds so far; or nothing."""
    progress = read_object(unfinished / "progress.json")
    return progress if {"step", "steps", "seconds", "loss"} <= set(progress) else {}


def _is_elsewhere(lock: Path) -> bool:
    """Whether another machine trained here last, whose locks may not be visible on this one."""
    try:
        return lock.read_text(encoding="utf-8").strip().rpartition(" on ")[2] not in ("", platform.node())
    except OSError:
        return False


def _training_failure(run: Run, unfinished: Path, log: Path) -> str | None:
    """Why a training failed with the settings the run has now."""
    failure = read_object(unfinished / "failure.json")
    if not failure:
        return _failure(log)
    return str(failure.get("reason")) if run.is_described_by(failure) else None


def _failure(log: Path) -> str | None:
    """The error with which a step ended, by the traceback in its log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL))
            _, mark, traceback = file.read().decode(errors="replace").rpartition(TRACEBACK)
    except OSError:
        return None
    last = next((line for line in traceback.splitlines() if line.strip() and not line.startswith(" ")), "")
    name, _, sentence = last.partition(": ")
    return (sentence or name) if mark else None
