"""Paths from the user, in which `~` and `$NAME` are rejected.

Without this check, `~/out` would be a folder `~` in the working directory. Such paths are not expanded,
because Snakemake and steps on other machines read the same text; the error message contains the expanded
path.
"""

import os
import re
from pathlib import Path

from textlvm.runtime.errors import UserError

__all__ = ["literal"]

SHELL_SYNTAX = re.compile(r"^~|\$[A-Za-z_{]")


def literal(text: str, prefix: str = "") -> Path:
    """The path `text`. Raises `UserError` if it contains `~` or `$NAME`, which a shell would expand.

    `prefix` is the beginning of the error message.

    >>> literal("texts/price $5.txt").name
    'price $5.txt'
    >>> literal("~no one/texts")
    Traceback (most recent call last):
    textlvm.runtime.errors.UserError: ~ and $ are not expanded in '~no one/texts': write the whole path
    """
    if not SHELL_SYNTAX.search(text):
        return Path(text)
    try:
        meant = str(Path(os.path.expandvars(text)).expanduser())
    except RuntimeError:  # no such user
        meant = text
    instead = "the whole path" if SHELL_SYNTAX.search(meant) else f"'{meant}'"
    raise UserError(f"{prefix}~ and $ are not expanded in '{text}': write {instead}")
