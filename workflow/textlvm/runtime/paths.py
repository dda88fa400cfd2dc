"""Paths as a user gives them, taken as they are written: nothing replaces `~` or `$NAME`, as a shell does.

Such a path would otherwise name a folder `~` in the working directory. It is refused everywhere, with the
path to write in its place, and not replaced: Snakemake and steps on other machines read the same text.
"""

import os
import re
from pathlib import Path

from textlvm.runtime.errors import UserError

__all__ = ["literal"]

SHELL_SYNTAX = re.compile(r"^~|\$[A-Za-z_{]")


def literal(text: str) -> Path:
    """The path that `text` is. Raises `UserError` if a shell would replace a part of it, `~` or `$NAME`.

    >>> literal("texts/price $5.txt").name
    'price $5.txt'
    >>> literal("~no one/texts")
    Traceback (most recent call last):
    textlvm.runtime.errors.UserError: nothing replaces ~ or $ in '~no one/texts': write the whole path
    """
    if not SHELL_SYNTAX.search(text):
        return Path(text)
    try:
        meant = str(Path(os.path.expandvars(text)).expanduser())
    except RuntimeError:  # no such user
        meant = text
    instead = "the whole path" if SHELL_SYNTAX.search(meant) else f"'{meant}'"
    raise UserError(f"nothing replaces ~ or $ in '{text}': write {instead}")
