"""A partial download: a file `NAME.part`, which remains if the process ends.

`NAME.part.json` records the address and the version of the file, so that parts of different versions are
never combined.
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
    """The version of a file on a server."""

    url: str
    """The requested address."""
    validator: str
    """Its ETag or modification date, as sent by the server."""
    size: int | None
    """Size of the whole file, if the server sent it."""


class PartialFile:
    """The beginning of a file, and its version."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self._file = file
        self._description = path.with_name(f"{path.name}.json")

    @property
    def size(self) -> int:
        """Bytes received."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def version(self) -> Version | None:
        """The version of the file; None if it is not known, or nothing has been received."""
        try:
            return Version(**files.read_json(self._description)) if self.size else None
        except (OSError, ValueError, TypeError):
            return None

    def begin(self, version: Version | None) -> None:
        """Discard the content and start with this version; without one, the download cannot be resumed."""
        self.clear()
        if version:
            files.write_json(self._description, asdict(version))
        else:
            self._description.unlink(missing_ok=True)

    def append(self, block: bytes) -> None:
        """Add bytes at the end."""
        self._file.write(block)

    def clear(self) -> None:
        """Discard the content."""
        self._file.truncate(0)

    def discard(self) -> None:
        """Remove the file and its record."""
        self.path.unlink(missing_ok=True)
        self._description.unlink(missing_ok=True)


@contextmanager
def held(path: Path) -> Iterator[PartialFile]:
    """Open a partial file exclusively; other processes wait here. An empty file is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("ab", buffering=0) as file:
            _lock(file, path)
            # The previous owner of the lock may have renamed or removed the file.
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
            logger.info("%s: waiting for another process that is writing it", path)
            fcntl.flock(file, fcntl.LOCK_EX)
