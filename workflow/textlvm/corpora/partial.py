"""What has come so far of a download: a file `NAME.part`, which outlives the process that began it.

`NAME.part.json` beside it says from which address it comes and which version of the file it is, so that a
file that has changed meanwhile is never spliced.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from textlvm.runtime import files
from textlvm.runtime.processes import try_lock

__all__ = ["PartialFile", "Version", "held"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Version:
    """Which version of a file an answer is a part of."""

    url: str
    """Where it comes from."""
    validator: str
    """Its ETag or its date of change, as the server said it."""
    size: int | None
    """Bytes of the whole, if the server said so."""


class PartialFile:
    """The beginning of a file, and which version of it."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self._file = file
        self._description = path.with_name(f"{path.name}.json")

    @property
    def size(self) -> int:
        """Bytes that have come."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def version(self) -> Version | None:
        """Which version it is the beginning of; None where that is not known, or nothing has come."""
        try:
            return Version(**files.read_json(self._description)) if self.size else None
        except (OSError, ValueError, TypeError):
            return None

    def begin(self, version: Version | None) -> None:
        """Forget what has come and begin with this version; without one nothing can be gone on with."""
        self.clear()
        if version:
            files.write_json(self._description, asdict(version))
        else:
            self._description.unlink(missing_ok=True)

    def append(self, block: bytes) -> None:
        """Add bytes at the end."""
        self._file.write(block)

    def clear(self) -> None:
        """Forget what has come."""
        self._file.truncate(0)

    def discard(self) -> None:
        """Remove the file and what is known of it."""
        self.path.unlink(missing_ok=True)
        self._description.unlink(missing_ok=True)


@contextmanager
def held(path: Path) -> Iterator[PartialFile]:
    """Open a partial file for this process alone; another one that wants it waits here. An empty one goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("ab", buffering=0) as file:
            _lock(file, path)
            # The one who had it before may have renamed or removed it.
            if not path.exists() or not os.path.samestat(os.fstat(file.fileno()), path.stat()):
                continue
            part = PartialFile(path, file)
            try:
                yield part
            finally:
                if not part.size:
                    part.discard()
            return


def _lock(file: IO[bytes], path: Path) -> None:
    with suppress(OSError):  # some network file systems have no locks
        if not try_lock(file):
            logger.info("%s: waiting for another process that writes it", path)
            fcntl.flock(file, fcntl.LOCK_EX)
