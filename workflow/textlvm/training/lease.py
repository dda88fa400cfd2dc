"""Locks on the GPUs of a machine, by which a user's processes share them.

Snakemake counts GPUs but does not assign them, so concurrent jobs use lock files: each slot of a GPU has a
file, and the process that locks the file may use the slot. The kernel releases the lock when the process ends
for any reason.
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
"""Seconds between two checks for a free GPU: the pause is doubled until it is the longest."""


@dataclass(frozen=True)
class Lease:
    """A slot of a GPU that this process holds until `release` or until it ends."""

    index: int
    """The index in the names passed to `acquire`."""
    lock: int
    """The descriptor of the locked file. It is not closed implicitly, so a lost lease is still held."""

    def release(self) -> None:
        """Release the GPU."""
        os.close(self.lock)


def acquire(names: Sequence[str], folder: Path) -> Lease:
    """Lease one of the slots `names`, waiting in a queue until one is free.

    Processes that share a GPU must use the same name for it and the same `folder`, on a disk of this machine.
    The queue is first come, first served: only the process at its head looks for a free GPU; the others sleep
    until the kernel makes one of them the head. Processes that see different sets of GPUs have separate
    queues, so that no process waits behind one that needs another GPU.

    Raises `UserError` if files cannot be created or locked in `folder`.
    """
    line = hashlib.sha256("\0".join(names).encode()).hexdigest()[:16]
    began = time.monotonic()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with Path(folder, f"line-{line}").open("ab") as head:
            waiting = not try_lock(head)
            if waiting:
                _log_waiting(names)
                fcntl.flock(head, fcntl.LOCK_EX)
            pause = FIRST_PAUSE
            while (lease := _first_free(names, folder)) is None:
                if not waiting:
                    _log_waiting(names)
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
        # Reopened at every check: if the file was deleted by a cleanup, its lock no longer excludes others.
        file = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        if try_lock(file):
            return Lease(index, file)
        os.close(file)
    return None


def _log_waiting(names: Sequence[str]) -> None:
    logging.info("waiting for a GPU: all %d slots are in use; --gpus 0 selects the CPU", len(names))
