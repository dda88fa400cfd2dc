"""A training from its checkpoint to its files: what the entry points of both papers share."""

import logging
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from textlvm.files import write_json, write_text
from textlvm.training import device as devices
from textlvm.training.checkpoint import Checkpoint, save_weights
from textlvm.training.schedule import Schedule
from textlvm.training.trainer import Objective, Settings, curve_lines, train

__all__ = ["train_to_files"]


def train_to_files(
    model: nn.Module,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    schedule: Schedule,
    settings: Settings,
    identity: str,
    unfinished: Path,
    out: Path,
) -> None:
    """Train `model` and write model.safetensors, curve.jsonl and cost.json into `out`.

    Until then state.safetensors and progress.json lie in the folder `unfinished`; a state of the same
    `identity` (`textlvm.training.checkpoint.identity`) is resumed. The state is removed at the end.
    """
    checkpoint = Checkpoint(unfinished / "state.safetensors", identity)
    began = time.monotonic()
    curve = train(model, objective, optimizer, schedule, settings, checkpoint, unfinished / "progress.json")
    seconds = time.monotonic() - began
    last = curve[-1]
    save_weights(out / "model.safetensors", model)
    write_text(out / "curve.jsonl", curve_lines(curve))
    cost: dict[str, Any] = {
        "device": devices.describe(next(model.parameters()).device),
        "parameters": sum(p.numel() for p in model.parameters()),
        "steps": last["step"],
        "seconds": round(seconds, 1),
        "torch": torch.__version__,
    }
    write_json(out / "cost.json", cost)
    checkpoint.remove()
    logging.info("loss %.3f nats after %d steps, %.0f s in this process", last["loss"], last["step"], seconds)
