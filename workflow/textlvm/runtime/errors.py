"""The error type for user errors, and advice for other errors that the user can solve."""

import difflib
import errno
import os
import shlex
from collections.abc import Iterable
from pathlib import Path

from textlvm.runtime import PARENT

__all__ = ["FULL", "UserError", "explain", "is_out_of_memory", "nearest", "repair"]

FULL = {errno.ENOSPC, errno.EDQUOT}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}
# Messages of errors for which PyTorch has no class: in its CPU allocator, cuBLAS and cuDNN.
OUT_OF_MEMORY = ("DefaultCPUAllocator", "CUDA error: out of memory", "STATUS_ALLOC_FAILED")
TRAINING_FILES = {"spec.json", "model.safetensors", "curve.jsonl", "cost.json", "training.json"}
"""The files that a training writes."""


class UserError(Exception):
    """An error that the user can correct: one sentence that says what is wrong, where, and what to do.

    Entry points print it without a traceback, which goes to the log, and exit with status 2.
    """


def explain(error: BaseException) -> str | None:
    """The message for an error that the user can solve; None for any other error."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and error.errno in FULL:
        return (
            f"no space left for {_path(error)} ({error.strerror}): free some and run the same command again: "
            "finished work is kept, and training resumes from its last checkpoint"
        )
    if isinstance(error, OSError) and error.errno in FORBIDDEN:
        return (
            f"no access to {_path(error)} ({error.strerror}): change its permissions, or name another folder "
            "under pathvars in config.yaml"
        )
    if is_out_of_memory(error):
        return "out of memory: run this on a machine with more memory, or run fewer jobs at a time"
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that the memory of the CPU or of a GPU is exhausted."""
    # The name of the class, because importing PyTorch takes longer than most steps that do not need it.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in OUT_OF_MEMORY)


def nearest(name: str, valid: Iterable[str]) -> str:
    """The valid names that are closest to an unknown one, as the end of an error message.

    >>> nearest("trill", ["tril", "diag"])
    "did you mean 'tril'?"
    >>> nearest("x", ["tril", "diag"])
    "valid: 'diag', 'tril'"
    >>> nearest("tril", [])
    'there is none'
    """
    names = sorted(valid)
    if not names:
        return "there is none"
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    quoted = ", ".join(f"'{n}'" for n in close or names[:12])
    if close:
        return f"did you mean {quoted}?"
    return f"valid: {quoted}" + (", …" if len(names) > 12 else "")


def repair(path: str | os.PathLike[str]) -> str:
    """Advice for repairing a file that a step or another command cannot read, as the end of an error message.

    Snakemake does not detect a damaged file, nor a removed one if the files created from it exist.
    """
    path = Path(path)
    if path.exists() and not os.access(path, os.R_OK):
        return "change its permissions"
    training = ", by training the run again" if path.name in TRAINING_FILES else ""
    name = shlex.quote(str(path))
    if PARENT in os.environ:
        return f"the same command with `--forcerun {name}` at its end recreates it{training}"
    return (
        f"correct the path, or recreate an output of the workflow with `snakemake --force {name}`{training}"
    )


def _path(error: OSError) -> str:
    return str(error.filename) if error.filename is not None else "a file"
