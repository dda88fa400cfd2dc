"""The one error type meant for the person at the keyboard."""

import difflib
from collections.abc import Iterable

__all__ = ["UserError", "nearest"]


class UserError(Exception):
    """Something the user can put right: one sentence saying what is wrong, where, and what to do.

    Entry points print it without a traceback (the traceback goes to the log) and exit with 2.
    """


def nearest(name: str, valid: Iterable[str], count: int = 3) -> str:
    """The valid names closest to a misspelt one, as the tail of an error sentence.

    >>> nearest("trill", ["tril", "diag"])
    "did you mean 'tril'?"
    >>> nearest("x", ["tril", "diag"])
    "valid: 'diag', 'tril'"
    """
    names = sorted(valid)
    close = difflib.get_close_matches(name, names, n=count, cutoff=0.6)
    quoted = ", ".join(f"'{n}'" for n in close or names[:12])
    if close:
        return f"did you mean {quoted}?"
    return f"valid: {quoted}" + (", …" if len(names) > 12 else "")
