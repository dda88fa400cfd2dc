"""The one error type meant for the person at the keyboard, and what such a person can do about others."""

import difflib
import errno
import os
import shlex
from collections.abc import Iterable
from pathlib import Path

__all__ = ["FULL", "UserError", "explain", "is_out_of_memory", "nearest", "repair"]

FULL = {errno.ENOSPC, errno.EDQUOT}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}
# What PyTorch says where it has no error of its own for it: its CPU allocator, cuBLAS and cuDNN.
OUT_OF_MEMORY = ("DefaultCPUAllocator", "CUDA error: out of memory", "STATUS_ALLOC_FAILED")


TRAINING_FILES = {"spec.json", "model.safetensors", "curve.jsonl", "cost.json", "training.json"}
"""Files that a training writes all together."""


class UserError(Exception):
    """Something the user can put right: one sentence saying what is wrong, where, and what to do.

    Entry points print it without a traceback (the traceback goes to the log) and exit with 2.
    """


def explain(error: BaseException) -> str | None:
    """The sentence for an error that a user can do something about; None for any other, which is ours."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and error.errno in FULL:
        return (
            f"no space left for {_path(error)} ({error.strerror}): free some and run the same command again, "
            "which loses nothing that was finished and goes on from a training's last checkpoint"
        )
    if isinstance(error, OSError) and error.errno in FORBIDDEN:
        return (
            f"no access to {_path(error)} ({error.strerror}): change its permissions, or name another folder "
            "under pathvars in config.yaml"
        )
    if is_out_of_memory(error):
        return "out of memory: run this where there is more of it, or with fewer jobs at the same time"
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, of the CPU or a GPU."""
    # By its name, since importing PyTorch takes longer than most steps that need none of it.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in OUT_OF_MEMORY)


def nearest(name: str, valid: Iterable[str], count: int = 3) -> str:
    """The valid names closest to a misspelt one, as the tail of an error sentence.

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
    close = difflib.get_close_matches(name, names, n=count, cutoff=0.6)
    quoted = ", ".join(f"'{n}'" for n in close or names[:12])
    if close:
        return f"did you mean {quoted}?"
    return f"valid: {quoted}" + (", …" if len(names) > 12 else "")


def repair(path: str | os.PathLike[str]) -> str:
    """Say how to repair a file between two steps that one of them cannot read, as the end of a sentence.

    Snakemake takes a damaged file for a whole one, and does not miss one that was removed while what was made
    of it is there.
    """
    path = Path(path)
    if path.exists() and not os.access(path, os.R_OK):
        return "change its permissions"
    training = ", by training the run again" if path.name in TRAINING_FILES else ""
    return f"the same command with `--forcerun {shlex.quote(str(path))}` at its end makes it anew{training}"


def _path(error: OSError) -> str:
    return str(error.filename) if error.filename is not None else "a file"
