"""Compile the C++ in this folder once for the current processor, into the user's cache."""

import ctypes
import hashlib
import logging
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from textlvm.runtime.files import write_bytes

__all__ = ["compiler", "library"]

FOLDER = Path(__file__).parent
FLAGS = ("-std=c++17", "-O3", "-march=native", "-fPIC", "-shared")


@cache
def library() -> ctypes.CDLL | None:
    """The compiled functions; None, with one warning in the log, if they are not available."""
    command = compiler()
    if command is None:
        logging.warning("there is no C++ compiler: using the PyTorch modules, several times slower")
        return None
    try:
        return load(command)
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if line.strip()] or [str(error)]
        logging.warning("using the PyTorch modules, several times slower: %s", lines[0])
    except OSError as error:
        logging.warning("using the PyTorch modules, because the fused pass cannot be loaded (%s)", error)
    return None


def compiler() -> tuple[str, ...] | None:
    """The C++ compiler: the command in the environment variable CXX, or the first one found."""
    for name in (os.environ.get("CXX", ""), "g++", "c++", "clang++"):
        command = tuple(shlex.split(name))
        if command and shutil.which(command[0]):
            return command
    return None


def load(command: tuple[str, ...], flags: tuple[str, ...] = FLAGS) -> ctypes.CDLL:
    """Load the functions from the cache, or compile them.

    Raises `subprocess.CalledProcessError` if they do not compile, and `OSError` if they cannot be loaded.
    """
    sources = [FOLDER / "words.cpp", *sorted(FOLDER.glob("*.h"))]
    version = subprocess.run((*command, "--version"), capture_output=True, check=True, text=True).stdout
    parts = [version, _processor(), *flags, *(path.read_text(encoding="utf-8") for path in sources)]
    name = f"words-{_digest(chr(0).join(parts).encode())}"
    folder = _cache()
    # The name contains a hash of the content, so a damaged file is ignored.
    for path in folder.glob(f"{name}-*.so") if folder else ():
        if path.stem == f"{name}-{_digest(path.read_bytes())}":
            return ctypes.CDLL(str(path))
    with tempfile.TemporaryDirectory(prefix="textlvm-") as scratch:
        binary = Path(scratch, "words.so")
        line = (*command, *flags, str(sources[0]), "-o", str(binary))
        subprocess.run(line, capture_output=True, check=True, text=True)
        compiled = binary.read_bytes()
        try:
            if folder:
                folder.mkdir(parents=True, exist_ok=True)
                write_bytes(folder / f"{name}-{_digest(compiled)}.so", compiled)
        except OSError as error:
            logging.info("the compiled fused pass cannot be saved: %s", error)
        # A loaded library remains valid when its file is deleted.
        return ctypes.CDLL(str(binary))


def _cache() -> Path | None:
    """The user's cache folder of this package; None for a user without a home folder."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME", ""))
        # By the XDG specification, relative paths are ignored, such as one with an unexpanded `~`.
        return (folder if folder.is_absolute() else Path.home() / ".cache") / "textlvm"
    except RuntimeError:
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _processor() -> str:
    """Identify the processor, since different machines may share a home folder."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine() + platform.processor()
    kinds = {line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))}
    return "\n".join([platform.machine(), *sorted(kinds)])
