"""The complete state of a training in one safetensors file: weights, optimizer, generators and progress.

No pickle is written or read. A checkpoint is written atomically, with a checksum of its content, and the
previous one is kept. It belongs to one set of settings, code and data: a training does not resume from a
checkpoint of another identity, and later saves replace it.
"""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from textlvm.runtime.errors import UserError, repair
from textlvm.runtime.files import replacing, write_bytes
from textlvm.runtime.fingerprint import fingerprint

__all__ = [
    "Checkpoint",
    "NonFiniteState",
    "Restored",
    "identity",
    "load_weights",
    "random_state",
    "require_finite",
    "restore_random_state",
    "save_weights",
]

METADATA = "textlvm"
CHECKSUM = b'"sha256":"'
"""The text before the checksum in a file's header; the checksum is computed with `BLANK` in its place."""
BLANK = b"0" * 64
DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
"""The safetensors names of the dtypes of weights, optimizer states and generator states."""


class NonFiniteState(Exception):
    """A state has infinite or NaN values and is not saved."""


@dataclass(frozen=True)
class Restored:
    """The part of a checkpoint that is returned; model, optimizer and generators are restored in place."""

    step: int
    """The number of completed steps."""
    progress: dict[str, Any]
    """The value that was passed to `Checkpoint.save`."""
    best: dict[str, Tensor] | None
    """The best weights so far, on the CPU; None if there are none."""


@dataclass(frozen=True)
class Checkpoint:
    """The file to which a training saves its state and from which it resumes."""

    path: Path
    identity: str
    """Fingerprint of everything that determines the training."""

    @property
    def previous(self) -> Path:
        """The previous checkpoint, used if the last one is damaged."""
        return self.path.with_name(f"{self.path.stem}.previous{self.path.suffix}")

    @property
    def damaged(self) -> Path:
        """The path at which a damaged file is kept until the training is finished."""
        return self.path.with_name(f"{self.path.stem}.damaged{self.path.suffix}")

    def save(
        self,
        step: int,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        progress: dict[str, Any],
        best: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Write the state after `step` steps; `progress` contains further JSON values of the trainer.

        The file is read back before it replaces the last one. Raises `NonFiniteState` and writes nothing if
        the weights or the optimizer's state are not finite. Raises `UserError` if the file cannot be read
        back.
        """
        tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
        for index, state in optimizer.state_dict()["state"].items():
            held = {name: value for name, value in state.items() if value is not None}
            tensors |= {f"optimizer.{index}.{name}": value for name, value in held.items()}
        require_finite(tensors.values())
        tensors |= {f"best.{name}": value for name, value in (best or {}).items()}
        tensors |= {f"random.{name}": value for name, value in random_state().items()}
        header = {"identity": self.identity, "step": step, "progress": progress}
        contiguous = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        # `safetensors.torch.save` would need twice the memory of all tensors together.
        begin = _header(contiguous, {METADATA: json.dumps(header), "sha256": BLANK.decode()})
        # A tensor without dimensions cannot be viewed as bytes.
        content = [value.reshape(-1).view(torch.uint8).numpy() for value in contiguous.values()]
        digest = hashlib.sha256(begin)
        for part in content:
            digest.update(part)
        start = begin.index(CHECKSUM) + len(CHECKSUM)
        with replacing(self.path) as temporary:
            with temporary.open("wb") as file:
                file.write(begin[:start] + digest.hexdigest().encode() + begin[start + len(BLANK) :])
                for part in content:
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
            try:
                _verified_header(temporary)
            except ValueError as error:
                raise UserError(
                    f"{self.path} cannot be read back as written ({error}): the disk is failing, so run the "
                    "same command with the results on another one"
                ) from error
            if self.path.exists():
                self.path.replace(self.previous)

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> Restored | None:
        """Restore the saved state; returns the rest of the checkpoint, or None if there is no checkpoint.

        If a file is damaged, the previous one is used, with a warning; files of another identity are ignored.
        Raises `UserError` if a file is damaged and there is no other one.
        """
        damaged: dict[Path, Exception] = {}
        for path in (self.path, self.previous):
            try:
                header = _verified_header(path)
                if header["identity"] != self.identity:
                    continue
                tensors = load_tensors(path.read_bytes())
            except FileNotFoundError:
                continue
            except PermissionError:
                raise
            except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
                damaged[path] = error
                continue
            for bad, reason in damaged.items():
                step = header["step"]
                logging.warning(
                    "%s is damaged (%s): resuming from the checkpoint of step %d", bad, reason, step
                )
                # The next save must not move the damaged file to the place of the good one.
                bad.replace(self.damaged)
            model.load_state_dict(_section(tensors, "model."))
            _restore_optimizer(optimizer, _section(tensors, "optimizer."))
            restore_random_state(_section(tensors, "random."))
            return Restored(header["step"], header["progress"], _section(tensors, "best.") or None)
        if damaged:
            listed = " and ".join(f"{path} ({error})" for path, error in damaged.items())
            raise UserError(
                f"no checkpoint can be read: {listed}; restore one from a backup, or delete the folder "
                f"{self.path.parent} to start the training again"
            )
        return None

    def remove(self) -> None:
        """Delete the files: a finished training does not resume, and a forced rerun starts from scratch."""
        for path in (self.path, self.previous, self.damaged):
            path.unlink(missing_ok=True)


def require_finite(tensors: Iterable[Tensor]) -> None:
    """Raise `NonFiniteState` if a tensor has an infinite or NaN entry."""
    flags = [torch.isfinite(value).all().cpu() for value in tensors if value.is_floating_point()]
    if flags and not torch.stack(flags).all():
        raise NonFiniteState


def identity(module: str, name: str, seed: int, spec: Mapping[str, Any], files: Iterable[Path]) -> str:
    """Hash everything that determines a training: code of entry point `module`, name, seed, settings, data.

    A training does not resume from a checkpoint of another identity, so old and new code are never mixed. The
    setting `checkpoint_every` is not part of the identity.
    """
    training = {key: value for key, value in spec["training"].items() if key != "checkpoint_every"}
    digest = hashlib.sha256(fingerprint(module).encode())
    digest.update(json.dumps([name, seed, {**spec, "training": training}], sort_keys=True).encode())
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def save_weights(path: Path, model: nn.Module) -> None:
    """Write a model's parameters and buffers as safetensors."""
    state = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    write_bytes(path, save_tensors(state))


def load_weights(path: Path, model: nn.Module) -> None:
    """Load parameters and buffers; raises `UserError` if the file is unreadable or does not fit the model."""
    try:
        tensors = load_tensors(path.read_bytes())
    except (SafetensorError, OSError) as error:
        raise UserError(f"weights {path} cannot be read ({error}): {repair(path)}") from error
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"weights {path} do not match the spec.json in this folder ({reason}): "
            "use files of the same training"
        ) from error


def random_state() -> dict[str, Tensor]:
    """The states of PyTorch's generators for the CPU and the current GPU."""
    state = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def restore_random_state(state: dict[str, Tensor]) -> None:
    """Restore the state that `random_state` returned."""
    torch.set_rng_state(state["cpu"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])


def _section(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    current = optimizer.state_dict()
    optimizer.load_state_dict({"state": state, "param_groups": current["param_groups"]})


def _header(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Build the header of a safetensors file with contiguous tensors."""
    described: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, value in tensors.items():
        begin, end = end, end + value.nbytes
        described[name] = {
            "dtype": DTYPES[value.dtype],
            "shape": list(value.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(described, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _verified_header(path: Path) -> dict[str, Any]:
    """Read the header of a checkpoint. Raises `ValueError` if the checksum does not match the file."""
    with path.open("rb") as file:
        prefix = file.read(8)
        length = int.from_bytes(prefix, "little")
        if length > path.stat().st_size:
            raise ValueError("it is truncated")
        header = file.read(length)
        start = header.find(CHECKSUM) + len(CHECKSUM)
        end = start + len(BLANK)
        digest = hashlib.sha256(prefix + header[:start] + BLANK + header[end:])
        for chunk in iter(partial(file.read, 1 << 20), b""):
            digest.update(chunk)
    if header[start:end] != digest.hexdigest().encode():
        raise ValueError("its checksum does not match its content")
    return dict(json.loads(json.loads(header)["__metadata__"][METADATA]))
