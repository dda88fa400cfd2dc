"""Check that the folders of a configuration are writable and outside the project's own."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from textlvm.runtime.errors import FULL, UserError
from textlvm.runtime.paths import literal
from textlvm.runtime.validation import Key, Problem, Section, dotted

__all__ = ["check_folders", "check_literal", "check_writable"]

PROJECT = Path(__file__).resolve().parents[3]
PROTECTED = (
    *("workflow", "envs", "docs", "tests", "benchmarks"),
    *(".ci", ".git", ".github", ".snakemake", ".venv"),
)
"""The project's folders that contain no results."""


def check_literal(key: Key, path: str) -> None:
    """Raises `Problem` for a path with `~` or `$NAME`."""
    try:
        literal(path)
    except UserError as error:
        raise Problem(key, f"{dotted(key)}: {error}") from None


def check_folders(folders: Section) -> None:
    """Raises `Problem` if results or resources are in a folder of the project, or in the same folder."""
    resolved = {}
    for name, folder in folders.items():
        key: Key = ("pathvars", name)
        check_literal(key, folder)
        resolved[name] = _resolved(Path(folder))
        for part in PROTECTED:
            if resolved[name] == PROJECT or resolved[name].is_relative_to(PROJECT / part):
                raise Problem(
                    key, f"{dotted(key)} is '{folder}', the folder of the project itself: name another folder"
                )
    if resolved["results"] == resolved["resources"]:
        raise Problem(
            ("pathvars", "results"),
            f"pathvars.results is '{folders['results']}', the same folder as pathvars.resources: "
            "use different ones",
        )


def check_writable(folders: Section, origin: Callable[[tuple[str, ...]], str]) -> None:
    """Raises `UserError` if a folder is not writable or cannot be created.

    `origin` returns the file that contains a key of the configuration. A full disk is no error here: the
    steps report it.
    """
    for name, folder in folders.items():
        place, reason = _obstacle(Path(folder))
        if reason:
            key = ("pathvars", name)
            raise UserError(
                f"{origin(key)}: {dotted(key)} is '{folder}', but it is not possible to write to {place} "
                f"({reason}): make it writable, or name another folder"
            )


def _obstacle(folder: Path) -> tuple[Path, str]:
    """The path that prevents writing to a folder, and the reason; the reason is empty if it is writable."""
    there = folder
    try:
        while not there.exists():
            if there.is_symlink():
                return there, "it is a broken link"
            there = there.parent
        if not there.is_dir():
            return there, "it is a file"
        # Permission bits do not apply to root and do not show a read-only disk, so create a file. Not a
        # folder, which another process that walks the tree could enter before it is removed.
        with tempfile.NamedTemporaryFile(dir=there, prefix=".writable-"):
            return there, ""
    except OSError as error:
        return there, "" if error.errno in FULL else str(error.strerror)


def _resolved(folder: Path) -> Path:
    try:
        return folder.resolve()
    except (OSError, RuntimeError):  # the name is too long, or links form a loop
        return folder.absolute()
