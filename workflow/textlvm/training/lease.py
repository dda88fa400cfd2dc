"""A slot of a GPU: a user's processes share a machine's GPUs, one per GPU unless it has several slots.

Snakemake counts GPUs but does not assign them, so concurrent jobs agree among themselves: each GPU has a
file, and the process that locks the file has the GPU. The kernel releases the lock when the process ends for
any reason.
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
"""Seconds between two checks for a free GPU: doubled from the first to the longest."""


@dataclass(frozen=True)
class Lease:
    """A GPU, or a slot of one, that this process holds until `release` or until it ends."""

    index: int
    """Its index in the names passed to `acquire`."""
    lock: int
    """Descriptor of the locked file. It is never closed implicitly: a forgotten lease is still held."""

    def release(self) -> None:
        """Release the GPU."""
        os.close(self.lock)


def acquire(names: Sequence[str], folder: Path) -> Lease:
    """Lease one of the GPUs called `names`, waiting in a queue until one is free.

    Processes that share a GPU must use the same name for it and the same `folder`, on a disk of this machine.
    First come, first served: only the process at the head of the queue looks for a free GPU; the others sleep
    until the kernel makes one of them the head. Processes that see different sets of GPUs have separate
    queues, so that none waits behind a process that waits for another GPU.

    Raises `UserError` if files cannot be created or locked there.
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
            f"GPUs cannot be locked by files in {folder} ({error.strerror}): "
            "set TMPDIR to a folder on a disk of this machine that you can write to"
        ) from error
    logging.info("leased %s after %.0f s", names[lease.index], time.monotonic() - began)
    return lease


def _first_free(names: Sequence[str], folder: Path) -> Lease | None:
    for index, name in enumerate(names):
        # Reopened at every check: temporary folders are cleaned, and a deleted file's lock excludes nobody.
        file = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        if try_lock(file):
            return Lease(index, file)
        os.close(file)
    return None


def _say_waiting(names: Sequence[str]) -> None:
    logging.info("waiting for a GPU: all %d slots are in use; --gpus 0 selects the CPU", len(names))
