"""Where a job computes: a visible GPU if there is one, otherwise the CPU threads it was given."""

import os
import platform

import torch

__all__ = ["choose", "describe"]


def choose() -> torch.device:
    """The first visible GPU, or the CPU with as many threads as OMP_NUM_THREADS says (default 1).

    One thread a job is the sound default: two jobs of two threads on two cores are several times
    slower than two jobs of one.
    """
    if torch.cuda.is_available():
        return torch.device("cuda")
    # OpenMP allows a list, one number a level of nesting.
    threads = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    torch.set_num_threads(int(threads) if threads.isdigit() and int(threads) else 1)
    return torch.device("cpu")


def describe(device: torch.device) -> str:
    """A GPU's name, or the CPU's architecture with the number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} thread(s))"
