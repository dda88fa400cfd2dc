"""Paths from the user, taken literally: `~` and `$NAME` are not expanded, as a shell would.

Such a path would otherwise name a folder `~` in the working directory. It is rejected everywhere, with the
path to write instead, and not expanded: Snakemake and steps on other machines read the same text.
"""

import os
import re
from pathlib import Path

from textlvm.runtime.errors import UserError

__all__ = ["literal"]

SHELL_SYNTAX = re.compile(r"^~|\$[A-Za-z_{]")


def literal(text: str) -> Path:
    """The path `text`. Raises `UserError` if a shell would expand a part of it, `~` or `$NAME`.

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
    raise UserError(f"~ and $ are not expanded in '{text}': write {instead}")
