"""The device of a process: the CPU, or a GPU that by default is not shared with other jobs."""

import argparse
import os
import platform
import tempfile
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path

import torch

from textlvm.runtime.errors import UserError
from textlvm.training.lease import Lease, acquire

__all__ = ["JOBS_PER_GPU", "add_argument", "choose", "describe", "fork_rng"]

JOBS_PER_GPU = "TEXTLVM_JOBS_PER_GPU"
"""Environment variable: the number of the user's processes that may share a GPU, by default one. A small
model uses only a small part of a GPU."""


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option `--gpus`, the number of GPUs of a step."""
    parser.add_argument("--gpus", type=int, default=1, help="0: compute on the CPU; else on a GPU, if any")


def choose(gpus: int = 1) -> torch.device:
    """Reserve a visible GPU for this process until it ends, and make it current; without GPU, use the CPU.

    With `gpus=0`, the CPU is used and GPUs are hidden from this process. This function waits while other
    processes of the user hold all visible GPUs; TEXTLVM_JOBS_PER_GPU is the number of processes that share
    one. The CPU uses OMP_NUM_THREADS threads (default 1): two jobs with two threads on two cores are several
    times slower than two jobs with one thread.

    Raises `UserError` if the GPU cannot be used, or TEXTLVM_JOBS_PER_GPU is not a positive integer.
    """
    if gpus < 1:
        # Without visible GPUs, generators and checkpoints contain only the state of the CPU.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    elif torch.cuda.is_available():
        device = torch.device("cuda", _lease().index % torch.cuda.device_count())
        try:
            torch.cuda.set_device(device)
            # Creates the context of this process, which fails if the GPU cannot be used.
            torch.cuda.synchronize()
        except RuntimeError as error:
            reason = str(error).partition("\n")[0]
            raise UserError(
                f"GPU {device.index} cannot be used ({reason}): set CUDA_VISIBLE_DEVICES to other GPUs, "
                "or compute on the CPU with --resources gpu=0"
            ) from error
        return device
    # OpenMP allows a list with one number per level of nesting.
    threads = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    torch.set_num_threads(int(threads) if threads.isdigit() and int(threads) else 1)
    return torch.device("cpu")


def describe(device: torch.device) -> str:
    """The name of the GPU, or the architecture of the CPU and the number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} thread(s))"


def fork_rng(device: torch.device) -> AbstractContextManager[None]:
    """A context that restores the generators of the CPU and of `device` at its end."""
    return torch.random.fork_rng([device] if device.type == "cuda" else [])


@cache
def _lease() -> Lease:
    """The lease of this process."""
    # Before `init`, PyTorch may count GPUs that this process cannot use.
    torch.cuda.init()  # type: ignore[no-untyped-call]
    names = [_name(index) for index in range(torch.cuda.device_count())]
    # The first slots of all GPUs come before the second slots.
    slots = [f"{name}+{turn}" if turn else name for turn in range(_jobs_per_gpu()) for name in names]
    return acquire(slots, Path(tempfile.gettempdir(), f"textlvm-{os.getuid()}"))


def _jobs_per_gpu() -> int:
    text = os.environ.get(JOBS_PER_GPU, "1")
    if not text.isdecimal() or int(text) < 1:
        raise UserError(f"{JOBS_PER_GPU} is '{text}': set it to a number of jobs, or unset it for one")
    return int(text)


def _name(index: int) -> str:
    """A name of the GPU that is the same in all processes, whatever `index` it has in each.

    It is the GPU's unique identifier; reading it creates no context on the GPU.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    name = visible.split(",")[index].strip() if visible else str(index)
    identifier = getattr(torch.cuda.get_device_properties(index), "uuid", None)
    # All slices of one GPU (MIG) may report the identifier of the GPU.
    if identifier and not name.startswith("MIG-"):
        name = f"GPU-{identifier}"
    # Only processes of one job share the GPUs that Slurm allocated to it; Slurm may allocate one GPU to
    # several jobs.
    job = os.environ.get("SLURM_JOB_ID") if visible else None
    return f"slurm{job}-{name}".replace("/", "_") if job else name.replace("/", "_")
