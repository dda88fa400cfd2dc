"""Printing to standard output."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["printing"]


@contextmanager
def printing() -> Iterator[None]:
    """A context that ends without an error if standard output is closed early, as by `| head`."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes the remaining output at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
