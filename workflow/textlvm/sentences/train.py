"""Train one run of the sentences paper.

    python -m textlvm.sentences.train --data sentences/ptb/data --name sentences/ptb/smim-16 --seed 0 \\
        --spec '{"model": {…}, "training": {…}}' --checkpoint checkpoint --out seed0

writes into OUT

    spec.json           effective settings
    model.safetensors   the weights with the lowest validation loss
    curve.jsonl         training and validation loss (nats per sentence) by step
    cost.json           device, parameters, steps, seconds, peak memory (MiB), precision, version of PyTorch
    training.json       provenance of the training, see textlvm.runtime.provenance

and, while it runs, CHECKPOINT/{state.safetensors,progress.json}, from which an interrupted training resumes.
If the training fails, CHECKPOINT/failure.json contains the reason.
"""

import argparse
import dataclasses
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from textlvm.runtime import cli
from textlvm.runtime.errors import UserError, nearest
from textlvm.sentences.data import prepared as data
from textlvm.sentences.data import questions
from textlvm.sentences.data.vocabulary import Codes, Vocabulary
from textlvm.sentences.models import objectives
from textlvm.sentences.models.autoencoder import build
from textlvm.sentences.models.implicit import ImplicitModel
from textlvm.sentences.models.objectives import RunObjective
from textlvm.sentences.spec import ModelSpec, TrainingSpec
from textlvm.spec import parse
from textlvm.training import device as devices
from textlvm.training import optimizers, precision
from textlvm.training.run import Job, parser, train_to_files, write_untrained
from textlvm.training.schedule import RELATIVE_RATE, Plateau
from textlvm.training.seeds import derive, seed_everything
from textlvm.training.trainer import Training

__all__ = ["budget", "objective", "optimizer", "schedule"]

OPTIMIZERS = {"adam": optimizers.Adam, "sgd": optimizers.SGD}


def objective(
    model: nn.Module, model_spec: ModelSpec, spec: TrainingSpec, folder: Path, seed: int
) -> RunObjective:
    """Build the training objective of the run's model on the data set in `folder`."""
    if model_spec.objective == "answers":
        vocabulary = data.read_vocabulary(folder)
        train, valid = (questions.load(folder, split, vocabulary) for split in ("train", "valid"))
        return objectives.answers(model, spec, train, valid, seed)
    train, valid = (data.load(folder, split) for split in ("train", "valid"))
    if isinstance(model, ImplicitModel):
        return objectives.implicit(model, spec, train, valid, seed)
    if model_spec.objective == "lm":
        return objectives.language_model(model, spec, train, valid, seed)
    kind = model_spec.family or model_spec.objective
    return objectives.autoencoder(model, kind, spec, train, valid, seed)


def optimizer(spec: TrainingSpec, model: nn.Module) -> torch.optim.Optimizer:
    """The fused optimizer of the run; dual networks have a separate learning rate.

    Raises `UserError` for an unknown name.
    """
    if spec.optimizer not in OPTIMIZERS:
        raise UserError(f"unknown optimizer '{spec.optimizer}': {nearest(spec.optimizer, OPTIMIZERS)}")
    groups: list[dict[str, Any]] = [{"params": list(model.parameters())}]
    if isinstance(model, ImplicitModel):
        dual = set(map(id, model.dual_parameters()))
        groups = [
            {"params": [p for p in model.parameters() if id(p) not in dual]},
            {"params": model.dual_parameters(), RELATIVE_RATE: spec.dual_rate},
        ]
    return OPTIMIZERS[spec.optimizer](groups, lr=spec.learning_rate, fused=True)


def schedule(spec: TrainingSpec) -> Plateau:
    """The learning rate schedule of the run."""
    consecutive = spec.patience_counts == "consecutive"
    return Plateau(spec.learning_rate, spec.patience, spec.decay, spec.min_learning_rate, consecutive)


def budget(spec: TrainingSpec, epoch: int) -> TrainingSpec:
    """The settings with `steps` and `monitor_every` filled in; `epoch` is the number of steps per epoch.

    Raises `UserError` if no steps remain after the epochs of `pretrain`.
    """
    steps = spec.epochs * epoch if spec.steps is None else min(spec.steps, spec.epochs * epoch)
    if spec.pretrain * epoch >= steps:
        raise UserError(
            f"training.pretrain takes {spec.pretrain * epoch} steps, but the training ends after {steps}: "
            "lower it, or raise training.epochs or training.steps in config.yaml"
        )
    return dataclasses.replace(spec, steps=steps, monitor_every=spec.monitor_every or epoch)


def main(options: argparse.Namespace) -> None:
    """Train the run on the command line."""
    model_spec = parse(ModelSpec, options.spec["model"])
    spec = parse(TrainingSpec, options.spec["training"])
    vocabulary = data.read_vocabulary(options.data)
    described = data.statistics(options.data)
    job = Job.begin(options)
    if model_spec.family == "pretrained":
        write_untrained(job)
        return
    device = devices.choose(options.gpus)
    seed_everything(options.name, options.seed)
    model = build(model_spec, len(vocabulary)).to(device)
    dtype = precision.choose(spec.precision, device)
    logging.info("%s seed %d on %s, %s", options.name, options.seed, devices.describe(device), dtype)
    trained = objective(
        model, model_spec, spec, options.data, derive(f"{options.name}/batches", options.seed)
    )
    spec = budget(spec, trained.epoch)
    training = Training(
        model,
        dataclasses.replace(trained.objective, inputs=lambda step: _texts(vocabulary, trained.inputs(step))),
        optimizer(spec, model),
        schedule(spec),
        spec,
        dtype,
    )
    run = {key: described[key] for key in ("dataset", "corpus", "split")}
    run |= {"paper": "sentences", "run": options.name.split("/")[-1]}
    train_to_files(training, job, run, job.identity("textlvm.sentences.train", _data_files(options.data)))


def _texts(vocabulary: Vocabulary, sentences: Iterable[Codes]) -> list[str]:
    return [" ".join(vocabulary.decode(codes)) for codes in sentences]


def _data_files(folder: Path) -> list[Path]:
    """The files that a training reads."""
    prefixes = ("vocabulary.", "train.", "valid.", "questions.json")
    return sorted(path for path in folder.glob("*") if path.name.startswith(prefixes))


if __name__ == "__main__":
    arguments = parser(__doc__)
    arguments.add_argument("--data", type=Path, required=True, help="folder of the prepared data set")
    cli.run(main, arguments)
