"""Concurrent processes: exclusive use of a folder, and steps that end with their workflow.

The locks are `flock`s: the kernel releases them when their process ends for any reason, so there are no stale
locks.
"""

import atexit
import fcntl
import logging
import os
import platform
import select
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from textlvm.runtime import PARENT
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import naming

__all__ = ["announce", "busy_machines", "end_with_parent", "exclusive", "try_lock"]

PATIENCE = 60.0
"""Seconds to wait for another process in a folder: a process that is ending may still save its state."""
PAUSE = 0.5
"""Seconds between two checks where no event is available."""


@contextmanager
def exclusive(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """A context that one process at a time can enter per `folder`; others wait up to `patience` seconds.

    This applies to all machines to which the file system shows its locks. Raises `UserError`, naming the
    other process, if it is still there after that time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # The file is never removed, or two processes could lock two files of the same name.
    with (folder / "lock").open("ab+", buffering=0) as file:
        try:
            if not try_lock(file):
                _wait(file, folder, patience)
        except OSError as error:
            # Some network file systems have no locks.
            logging.warning("cannot lock %s (%s): do not let other processes use it", folder, error.strerror)
        with suppress(OSError):  # a full disk
            file.truncate(0)
            file.write(f"process {os.getpid()} on {platform.node()}".encode())
        yield


def announce(folder: Path) -> None:
    """Announce this process in `folder` until it ends.

    Waits while another process is in a block of `busy_machines`. Raises `OSError` if nothing can be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / platform.node()
    file = path.open("ab", buffering=0)
    with suppress(OSError):  # a file system without locks
        fcntl.flock(file, fcntl.LOCK_SH)
    with naming(path):
        file.write(f"{os.getpid()}\n".encode())
    # This also keeps the file open and therefore locked.
    atexit.register(_empty, file)


@contextmanager
def busy_machines(folder: Path, forget: bool = False) -> Iterator[list[str]]:
    """The machines on which processes that have announced themselves in `folder` may be running.

    If there are none, all such processes have ended, and none announces itself before the context ends. A
    machine is listed if a process runs there. Another machine is also listed if a process was killed there,
    because not every file system shows the locks of other machines; `forget` marks such machines as idle.
    Raises `OSError` if nothing can be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # One file per machine, locked while a process runs there, and emptied when the last process exits
    # normally.
    here = folder / platform.node()
    others = sorted(path for path in folder.iterdir() if path != here and path.stat().st_size > 0)
    if forget:
        others = [path for path in others if not _empty_file(path)]
    with here.open("ab", buffering=0) as file:
        alone = False
        with suppress(OSError):  # a file system without locks: assume that others run
            alone = try_lock(file)
        yield [path.name for path in others] + ([] if alone else [here.name])


def try_lock(file: IO[Any] | int) -> bool:
    """Lock an open file unless another process has locked it; returns whether it is locked now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def end_with_parent() -> None:
    """Send this process SIGTERM as soon as the process named by the environment variable has ended.

    A killed Snakemake cannot stop its jobs. Without this, a training would keep its GPU and run at the same
    time as the training that the next command starts.
    """
    parent = int(os.environ.get(PARENT, "0"))
    if parent:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: int) -> None:
    try:
        # Linux; unlike the process table, this is not misled by a zombie or a reused process id.
        select.select([os.pidfd_open(parent)], [], [])
    except (AttributeError, OSError):  # another system, or a process that has ended already
        with suppress(ProcessLookupError):
            while True:
                os.kill(parent, 0)
                time.sleep(PAUSE)
    os.kill(os.getpid(), signal.SIGTERM)


def _wait(file: IO[bytes], folder: Path, patience: float) -> None:
    file.seek(0)
    other = file.read().decode() or "another process"
    logging.info("waiting for %s to leave %s", other, folder)
    end = time.monotonic() + patience
    while not try_lock(file):
        if time.monotonic() > end:
            raise UserError(
                f"{other} is using {folder}: wait until it ends, or end it, and run the same command again"
            )
        time.sleep(PAUSE)


def _empty(file: IO[bytes]) -> bool:
    """Empty the file of a machine unless another process has locked it; returns whether it is empty."""
    with suppress(OSError):
        if try_lock(file):
            file.truncate(0)
            return True
    return False


def _empty_file(path: Path) -> bool:
    with path.open("ab") as file:
        return _empty(file)
