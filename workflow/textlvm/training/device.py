"""The device of a process: a GPU, by default not shared with other jobs, or the CPU."""

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
"""Environment variable: the number of the user's processes that may share a GPU, by default one. Small models
leave most of it idle."""


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option with the number of GPUs of a step."""
    parser.add_argument("--gpus", type=int, default=1, help="0: compute on the CPU; else on a GPU, if any")


def choose(gpus: int = 1) -> torch.device:
    """Reserve a visible GPU for this process until it ends, and make it current; otherwise use the CPU.

    With `gpus=0` it is the CPU, whatever the machine has. While other processes of the user have all visible
    GPUs this waits; where TEXTLVM_JOBS_PER_GPU is set, that many share each. The CPU gets as many threads as
    OMP_NUM_THREADS says (default 1): two jobs of two threads on two cores are several times slower than two
    jobs of one.

    Raises `UserError` if the GPU cannot be used, or that number is none.
    """
    if gpus < 1:
        # From here on PyTorch finds none, so that generators and checkpoints are those of the CPU alone.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    elif torch.cuda.is_available():
        device = torch.device("cuda", _lease().index % torch.cuda.device_count())
        try:
            torch.cuda.set_device(device)
            # Makes the one context of this process now: a GPU that cannot be used is noticed here.
            torch.cuda.synchronize()
        except RuntimeError as error:
            reason = str(error).partition("\n")[0]
            raise UserError(
                f"GPU {device.index} cannot be used ({reason}): set CUDA_VISIBLE_DEVICES to other GPUs, "
                "or compute on the CPU with --resources gpu=0"
            ) from error
        return device
    # OpenMP allows a list, one number a level of nesting.
    threads = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    torch.set_num_threads(int(threads) if threads.isdigit() and int(threads) else 1)
    return torch.device("cpu")


def describe(device: torch.device) -> str:
    """A GPU's name, or the CPU's architecture with the number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} thread(s))"


def fork_rng(device: torch.device) -> AbstractContextManager[None]:
    """A context whose random numbers, on the CPU and on `device`, do not change those outside it."""
    return torch.random.fork_rng([device] if device.type == "cuda" else [])


@cache
def _lease() -> Lease:
    """The one lease of this process."""
    # Until then PyTorch may count GPUs of the machine that this process cannot use.
    torch.cuda.init()  # type: ignore[no-untyped-call]
    names = [_name(index) for index in range(torch.cuda.device_count())]
    # A first job on every GPU before a second one on any.
    slots = [f"{name}+{turn}" if turn else name for turn in range(_jobs_per_gpu()) for name in names]
    return acquire(slots, Path(tempfile.gettempdir(), f"textlvm-{os.getuid()}"))


def _jobs_per_gpu() -> int:
    text = os.environ.get(JOBS_PER_GPU, "1")
    if not text.isdecimal() or int(text) < 1:
        raise UserError(f"{JOBS_PER_GPU} is '{text}': set it to a number of jobs, or unset it for one")
    return int(text)


def _name(index: int) -> str:
    """Name a GPU in the same way in all processes that share it, whatever `index` it has in each.

    That is its unique identifier; asking for it creates no context on the GPU.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    name = visible.split(",")[index].strip() if visible else str(index)
    identifier = getattr(torch.cuda.get_device_properties(index), "uuid", None)
    # Slices of one GPU (MIG) could all report that GPU's identifier.
    if identifier and not name.startswith("MIG-"):
        name = f"GPU-{identifier}"
    # What Slurm gave to a job is divided among that job's processes; other jobs on it are Slurm's intention.
    job = os.environ.get("SLURM_JOB_ID") if visible else None
    return f"slurm{job}-{name}".replace("/", "_") if job else name.replace("/", "_")
