"""A noisy regression that trains in less than a second, in which tests provoke errors."""

import signal
from dataclasses import dataclass, field

import torch
from torch import nn

from textlvm.training.checkpoint import Checkpoint
from textlvm.training.interruption import Interruption
from textlvm.training.schedule import Cosine, Plateau
from textlvm.training.seeds import seed_everything
from textlvm.training.trainer import Objective, Training, train

OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
COSINE = Cosine(0.05, 60)
PLATEAU = Plateau(0.05, patience=1, decay=0.5, least=0.01)


@dataclass(frozen=True)
class Settings:
    steps: int = 60
    batch: int = 8
    clip: float | None = 1.0
    log_every: int = 5
    monitor_every: int = 20
    checkpoint_every: int = 10


class Killed(BaseException):
    """Ends a training like a kill: no code catches it."""


def kill(_value=None):
    raise Killed


def stop(value=None):
    signal.raise_signal(signal.SIGTERM)
    return value


class Noisy(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.dropout = nn.Linear(3, 1), nn.Dropout(0.1)

    def forward(self, x):
        return self.linear(self.dropout(x)).squeeze(1)


@dataclass
class Regression:
    """A noisy regression with batches from the global generator."""

    validation: list[float] | None = None
    """Validation losses by measurement."""
    at: dict = field(default_factory=dict)
    """Functions applied to the loss, by step."""
    measuring: dict = field(default_factory=dict)
    """Functions called during the n-th measurement of this process, by n."""
    model: nn.Module = field(default_factory=Noisy)
    measured: int = 0

    def loss(self, step):
        x = torch.randn(8, 3)
        value = (self.model(x) - x.sum(1) + 0.1 * torch.randn(8)).square().mean()
        return self.at.get(step, lambda value: value)(value)

    def monitor(self):
        self.measured += 1
        noise = {"noise": float(torch.rand(()))}
        self.measuring.get(self.measured, lambda: None)()
        return noise if self.validation is None else noise | {"validation_loss": next(self.losses)}

    def inputs(self, step):
        return [f"first of {step}", "second " * 20, "third", "fourth"]


def fit(
    path, settings=None, identity="x", optimizer="adam", schedule=COSINE, done=0, pretraining=0, **changes
):
    """Train like a new process, after earlier ones have measured the first `done` validation losses."""
    seed_everything("test", 0)
    toy = Regression(**changes)
    toy.losses = iter((toy.validation or [])[done:])
    with Interruption() as interruption:
        training = Training(
            toy.model,
            Objective(toy.loss, toy.monitor, toy.inputs, pretraining),
            OPTIMIZERS.get(optimizer, optimizer)(toy.model.parameters(), fused=True),
            schedule,
            settings or Settings(),
        )
        course = train(
            training, Checkpoint(path / "state.safetensors", identity), interruption, path / "progress.json"
        )
    return toy.model, course
