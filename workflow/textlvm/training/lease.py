"""A place on a GPU: processes of a user share a machine's GPUs, one on each unless it has several places.

Snakemake counts GPUs but assigns none, so jobs that run side by side agree among themselves: a file stands
for each GPU, and whoever holds its lock has it. The kernel frees the lock of a process that ends, however it
ends.
"""

import fcntl
import hashlib
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textlvm.runtime.errors import UserError
from textlvm.runtime.processes import try_lock

__all__ = ["Lease", "acquire"]

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds between two looks for a free GPU: doubled from the first to the longest."""


@dataclass(frozen=True)
class Lease:
    """A GPU, or a place on one, that is this process's alone until `release` or the end of the process."""

    index: int
    """Its place among the names that `acquire` was given."""
    lock: int
    """Descriptor of the locked file. Nothing closes it unasked: a forgotten lease is still held."""

    def release(self) -> None:
        """Give the GPU back."""
        os.close(self.lock)


def acquire(names: Sequence[str], folder: Path) -> Lease:
    """Lease one of the GPUs called `names`, waiting in line until one is free.

    Processes that share a GPU must call it the same and give the same `folder`, on a disk of this machine.
    First come, first served: only the process at the head of the line looks for a free GPU, the others sleep
    until the kernel makes one of them the head. Processes that see other sets of GPUs stand in lines of their
    own, so that none waits behind one that waits for something else.

    Raises `UserError` if files cannot be made or locked there.
    """
    line = hashlib.sha256("\0".join(names).encode()).hexdigest()[:16]
    began = time.monotonic()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with Path(folder, f"line-{line}").open("ab") as head:
            waiting = not try_lock(head)
            if waiting:
                _say_waiting(names)
                fcntl.flock(head, fcntl.LOCK_EX)
            pause = FIRST_PAUSE
            while (lease := _first_free(names, folder)) is None:
                if not waiting:
                    _say_waiting(names)
                    waiting = True
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
    except OSError as error:
        raise UserError(
            f"GPUs cannot be shared by means of files in {folder} ({error.strerror}): "
            "set TMPDIR to a folder on a disk of this machine that you can write to"
        ) from error
    logging.info("leased %s after %.0f s", names[lease.index], time.monotonic() - began)
    return lease


def _first_free(names: Sequence[str], folder: Path) -> Lease | None:
    for index, name in enumerate(names):
        # Opened anew at every look: temporary folders are swept, and a deleted file's lock excludes nobody.
        file = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        if try_lock(file):
            return Lease(index, file)
        os.close(file)
    return None


def _say_waiting(names: Sequence[str]) -> None:
    logging.info("waiting for a GPU: all %d places are taken; --gpus 0 would compute on the CPU", len(names))
