"""A training from its checkpoint to its files: what the entry points of both papers share."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from textlvm.runtime import provenance
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import remove_temporaries, write_json, write_text
from textlvm.runtime.processes import exclusive
from textlvm.training import device as devices
from textlvm.training.checkpoint import Checkpoint, save_weights
from textlvm.training.course import curve_lines
from textlvm.training.failure import FAILURE, Failure, entry, write_failure
from textlvm.training.interruption import Interruption
from textlvm.training.schedule import Schedule
from textlvm.training.trainer import Objective, Settings, train

__all__ = ["train_to_files"]


def train_to_files(
    model: nn.Module,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    schedule: Schedule,
    settings: Settings,
    identity: str,
    run: Mapping[str, Any],
    process: provenance.Process,
    unfinished: Path,
    out: Path,
    precision: torch.dtype = torch.float32,
) -> None:
    """Train `model` and write model.safetensors, curve.jsonl, cost.json and training.json into `out`.

    `precision` is the type of its matrix products, for cost.json.

    Until then state.safetensors, the state before it and progress.json lie in the folder `unfinished`; a
    state of the same `identity` (`textlvm.training.checkpoint.identity`) is resumed. The states are removed
    at the end. A training that fails leaves its last good state and failure.json, which says why and of
    which `run`: what identifies it in its metrics.json, and its settings `model` and `training`.

    Raises `UserError` if it fails, or if another process trains in `unfinished`, and `Interrupted` after a
    signal, when the state is saved.
    """
    checkpoint = Checkpoint(unfinished / "state.safetensors", identity)
    weights, progress = out / "model.safetensors", unfinished / "progress.json"
    with exclusive(unfinished), Interruption() as interruption:
        for path in (checkpoint.path, progress, weights):
            remove_temporaries(path)
        try:
            course = train(
                model, objective, optimizer, schedule, settings, checkpoint, interruption, progress
            )
        except Failure as failure:
            write_failure(unfinished, run, failure)
            raise UserError(f"{entry(run)}, seed {run['seed']}: {failure}") from failure
        last = course.curve[-1]
        save_weights(weights, model)
        write_text(out / "curve.jsonl", curve_lines(course.curve))
        cost: dict[str, Any] = {
            "device": devices.describe(next(model.parameters()).device),
            "parameters": sum(p.numel() for p in model.parameters()),
            "steps": last["step"],
            "seconds": round(course.seconds, 1),
            "peak_memory_mib": course.peak_memory_mib,
            "precision": str(precision).removeprefix("torch."),
            "torch": torch.__version__,
        }
        write_json(out / "cost.json", cost)
        provenance.write_training(out, process)
        # Only now: until all files are there, a rerun must not begin at the first step.
        (unfinished / FAILURE).unlink(missing_ok=True)
        checkpoint.remove()
    logging.info("loss %.3f nats after %d steps, %.0f s", last["loss"], last["step"], course.seconds)
