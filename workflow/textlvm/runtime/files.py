"""Reading of JSON, and atomic writing of files: under a temporary name, then synced and renamed."""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textlvm.runtime.errors import UserError, repair

__all__ = [
    "modified",
    "naming",
    "read_input",
    "read_json",
    "read_object",
    "remove_temporaries",
    "replacing",
    "write_bytes",
    "write_json",
    "write_text",
]


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; on success, sync it and rename it to `path`.

    If the block raises, `path` is unchanged and the temporary file is removed; an `OSError` about the
    temporary file names `path`. The temporary name keeps the suffix of `path`, because writers (matplotlib,
    pandas) choose a format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-{secrets.token_hex(6)}{path.suffix}")
    try:
        temporary.touch(0o600, exist_ok=False)
        yield temporary
        _sync(temporary)
        # Created with mode 0600; results have the usual permissions of the user's files.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        # The error of a failed write, as on a full disk, has no file name.
        if error.filename is None or Path(error.filename) == temporary:
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def remove_temporaries(path: str | os.PathLike[str]) -> None:
    """Remove the temporary files of processes that were killed while they wrote `path`.

    Call this only if no other process may be writing `path`.
    """
    path = Path(path)
    for temporary in path.parent.glob(f".{path.stem}-*{path.suffix}"):
        temporary.unlink(missing_ok=True)


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """A context in which an `OSError` without a file name, such as that of a full disk, names `path`."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write UTF-8 `text` to `path` atomically."""
    write_bytes(path, text.encode())


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write `value` as indented JSON with a final newline, atomically; NaN and infinities are rejected."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read_input(path: str | os.PathLike[str], *keys: str) -> dict[str, Any]:
    """Read the JSON object that another step has written.

    Raises `UserError` if it cannot be read or lacks one of `keys`.
    """
    try:
        value = read_json(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot read {path} ({reason}): {repair(path)}") from error
    if not isinstance(value, dict):
        raise UserError(f"{path} contains no JSON object: {repair(path)}")
    for key in keys:
        if key not in value:
            raise UserError(f"{path} has no '{key}': {repair(path)}")
    return value


def read_object(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a JSON object; empty if the file is missing, damaged or contains something else."""
    try:
        value = read_json(path)
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def modified(path: Path) -> float:
    """The modification time of a file in seconds since the epoch; 0 if it does not exist."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
