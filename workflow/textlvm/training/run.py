"""Run a training and write its files, for the entry points of both papers."""

import argparse
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from textlvm.runtime import cli, provenance
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import remove_temporaries, write_bytes, write_json, write_text
from textlvm.runtime.processes import exclusive
from textlvm.training import device as devices
from textlvm.training.checkpoint import Checkpoint, identity, save_weights
from textlvm.training.course import curve_lines
from textlvm.training.failure import FAILURE, Failure, entry, write_failure
from textlvm.training.interruption import Interruption
from textlvm.training.trainer import Training, train

__all__ = ["Job", "parser", "train_to_files", "write_untrained"]


def parser(description: str | None) -> cli.Parser:
    """The command line parser of training in both papers."""
    arguments = cli.parser(description)
    arguments.add_argument("--name", required=True, help="the run, from which its seed is derived")
    arguments.add_argument("--seed", type=int, required=True)
    arguments.add_argument("--spec", type=cli.settings, required=True, help="model and training settings")
    arguments.add_argument("--checkpoint", type=Path, required=True, help="folder for unfinished state")
    arguments.add_argument("--out", type=Path, required=True, help="folder of the run")
    devices.add_argument(arguments)
    return arguments


@dataclass(frozen=True)
class Job:
    """A training as given on the command line, and its process."""

    name: str
    seed: int
    spec: Mapping[str, Any]
    """The settings `model` and `training`."""
    checkpoint: Path
    """The folder of its checkpoint."""
    out: Path
    """The folder of its outputs."""
    process: provenance.Process = field(default_factory=provenance.Process)

    @classmethod
    def begin(cls, options: argparse.Namespace) -> "Job":
        """Create the job from the options of `parser`, create its folder and write spec.json."""
        job = cls(options.name, options.seed, options.spec, options.checkpoint, options.out)
        job.out.mkdir(parents=True, exist_ok=True)
        write_json(job.out / "spec.json", {"name": job.name, "seed": job.seed, **job.spec})
        return job

    def identity(self, module: str, files: Iterable[Path]) -> str:
        """Hash everything that determines the training: see `textlvm.training.checkpoint.identity`."""
        return identity(module, self.name, self.seed, self.spec, files)


def write_untrained(job: Job) -> None:
    """Write the outputs of a training for a model that is not trained: without weights, curve and cost."""
    write_bytes(job.out / "model.safetensors", save({}))
    write_text(job.out / "curve.jsonl", "")
    write_json(job.out / "cost.json", {"device": "none", "seconds": 0.0})
    provenance.write_training(job.out, job.process)


def train_to_files(training: Training, job: Job, run: Mapping[str, Any], identity: str) -> None:
    """Train a model and write model.safetensors, curve.jsonl, cost.json and training.json to its folder.

    During training, the folder of the checkpoint contains state.safetensors, the previous state and
    progress.json; training resumes from a state of the same `identity`. The states are removed at the end. A
    failed training keeps its last good state and writes failure.json with the reason, the keys that identify
    the `run` in its metrics.json, the seed and the settings.

    Raises `UserError` if training fails or another process uses the folder of the checkpoint, and
    `Interrupted` after a signal, when the state is saved.
    """
    unfinished, out = job.checkpoint, job.out
    run = {**run, "seed": job.seed, **job.spec}
    checkpoint = Checkpoint(unfinished / "state.safetensors", identity)
    weights, progress = out / "model.safetensors", unfinished / "progress.json"
    with exclusive(unfinished), Interruption() as interruption:
        for path in (checkpoint.path, progress, weights):
            remove_temporaries(path)
        try:
            course = train(training, checkpoint, interruption, progress)
        except Failure as failure:
            write_failure(unfinished, run, failure)
            raise UserError(f"{entry(run)}, seed {run['seed']}: {failure}") from failure
        last = course.curve[-1]
        save_weights(weights, training.model)
        write_text(out / "curve.jsonl", curve_lines(course.curve))
        cost: dict[str, Any] = {
            "device": devices.describe(next(training.model.parameters()).device),
            "parameters": sum(p.numel() for p in training.model.parameters()),
            "steps": last["step"],
            "seconds": round(course.seconds, 1),
            "peak_memory_mib": course.peak_memory_mib,
            "precision": str(training.precision).removeprefix("torch."),
            "torch": torch.__version__,
        }
        write_json(out / "cost.json", cost)
        provenance.write_training(out, job.process)
        # The states are removed last: if an output is missing, a rerun must not begin at the first step.
        (unfinished / FAILURE).unlink(missing_ok=True)
        checkpoint.remove()
    logging.info("loss %.3f after %d steps, %.0f s", last["loss"], last["step"], course.seconds)
