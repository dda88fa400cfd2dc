"""Compile the C++ beside this file for the processor at hand, once, into the user's cache."""

import ctypes
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

__all__ = ["library"]

FOLDER = Path(__file__).parent
FLAGS = ("-std=c++17", "-O3", "-march=native", "-fPIC", "-shared")


@cache
def library() -> ctypes.CDLL | None:
    """The compiled functions, or None, said once in the log, where there is no compiler that makes them."""
    compiler = next(filter(None, map(shutil.which, (os.environ.get("CXX", "g++"), "c++", "clang++"))), None)
    if compiler is None:
        logging.warning("there is no C++ compiler: training without the fused step, several times slower")
        return None
    try:
        return ctypes.CDLL(str(_compiled(compiler)))
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or error
        logging.warning(
            "the fused step does not compile, training without it, several times slower: %s", said
        )
        return None


def _compiled(compiler: str) -> Path:
    """The library's file. Jobs that make it at the same time each put the same in its place."""
    sources = [FOLDER / "words.cpp", *sorted(FOLDER.glob("*.h"))]
    version = subprocess.run((compiler, "--version"), capture_output=True, check=True).stdout
    parts = [
        version,
        _processor().encode(),
        " ".join(FLAGS).encode(),
        *(path.read_bytes() for path in sources),
    ]
    key = hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "textlvm"
    path = folder / f"words-{key}.so"
    if not path.is_file():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            folder = Path(tempfile.mkdtemp(prefix="textlvm-"))
            path = folder / path.name
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            made = Path(scratch, path.name)
            command = (compiler, *FLAGS, str(sources[0]), "-o", str(made))
            subprocess.run(command, check=True, capture_output=True, text=True)
            made.replace(path)
    return path


def _processor() -> str:
    """What the code is compiled for: a home folder may be shared by machines of several kinds."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine() + platform.processor()
    kinds = {line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))}
    return "\n".join([platform.machine(), *sorted(kinds)])
