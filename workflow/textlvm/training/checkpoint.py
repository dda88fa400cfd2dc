"""A training's whole state in one safetensors file: weights, best weights, optimizer, generators, position.

No pickle is written or read. A checkpoint is written whole or not at all, and belongs to one set of
settings, code and data: a file of another identity is not resumed, and overwritten by the next save.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from textlvm.errors import UserError
from textlvm.files import write_bytes
from textlvm.fingerprint import fingerprint

__all__ = ["Checkpoint", "Restored", "identity", "load_weights", "save_weights"]

METADATA = "textlvm"


@dataclass(frozen=True)
class Restored:
    """What a checkpoint gives back beside the states it puts in their place."""

    step: int
    """Steps that had been done."""
    progress: dict[str, Any]
    """The value the trainer wanted back."""
    best: dict[str, Tensor] | None
    """The best weights so far, on the CPU; None if there were none."""


@dataclass(frozen=True)
class Checkpoint:
    """Where a training saves its state and finds it again."""

    path: Path
    identity: str
    """Fingerprint of everything that determines the training."""

    def save(
        self,
        step: int,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        progress: dict[str, Any],
        best: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Write the state after `step` steps; `progress` is any JSON value the trainer wants back."""
        tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in (best or {}).items()}
        for index, state in optimizer.state_dict()["state"].items():
            held = {name: value for name, value in state.items() if value is not None}
            tensors |= {f"optimizer.{index}.{name}": value for name, value in held.items()}
        tensors |= {f"random.{name}": value for name, value in _random_state().items()}
        header = {"identity": self.identity, "step": step, "progress": progress}
        contiguous = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        write_bytes(self.path, save_tensors(contiguous, {METADATA: json.dumps(header)}))

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> Restored | None:
        """Put the saved state back; returns what else was saved, or None when there is nothing to resume.

        Raises `UserError` if the file is damaged; a file of other settings is ignored.
        """
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, "pt") as file:
                header = json.loads(file.metadata()[METADATA])
            tensors = load_tensors(self.path.read_bytes())
        except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
            raise UserError(
                f"checkpoint {self.path} cannot be read ({error}): delete it and run again"
            ) from error
        if header["identity"] != self.identity:
            return None
        model.load_state_dict(_section(tensors, "model."))
        _restore_optimizer(optimizer, _section(tensors, "optimizer."))
        _restore_random(_section(tensors, "random."))
        return Restored(header["step"], header["progress"], _section(tensors, "best.") or None)

    def remove(self) -> None:
        """Delete the file: a finished training has nothing to resume, and a forced rerun starts anew."""
        self.path.unlink(missing_ok=True)


def identity(module: str, settings: Any, files: Iterable[Path]) -> str:
    """What determines a training: the code of its entry point `module`, its settings and its data.

    A checkpoint of another identity is not resumed: half a training under old code and half under new
    would be neither.
    """
    digest = hashlib.sha256(fingerprint(module).encode())
    digest.update(json.dumps(settings, sort_keys=True).encode())
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def save_weights(path: Path, model: nn.Module) -> None:
    """Write a model's parameters and buffers as safetensors."""
    state = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    write_bytes(path, save_tensors(state))


def load_weights(path: Path, model: nn.Module) -> None:
    """Load parameters and buffers; raises `UserError` if the file does not fit the model."""
    try:
        model.load_state_dict(load_tensors(path.read_bytes()))
    except (SafetensorError, OSError, RuntimeError) as error:
        raise UserError(f"weights {path} cannot be loaded ({error}): rerun the training") from error


def _section(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    current = optimizer.state_dict()
    optimizer.load_state_dict({"state": state, "param_groups": current["param_groups"]})


def _random_state() -> dict[str, Tensor]:
    state = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def _restore_random(state: dict[str, Tensor]) -> None:
    torch.set_rng_state(state["cpu"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])
