"""What commands that print to standard output share."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["printing"]


@contextmanager
def printing() -> Iterator[None]:
    """End the block without an error when standard output is closed before its end, as by `| head`."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # At its end Python writes what is left once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
