"""Start the steps of a small experiment faster, by forking a process that has imported their packages.

    python -m textlvm.runtime.starter snakemake --profile workflow/profiles/demo

runs a command with another program `python` on its PATH. With it, `python -m textlvm...` forks a process that
imported PyTorch and other packages once (`textlvm.runtime.forking`); to import them anew takes longer than
most steps of a small experiment. Other uses of `python` start an interpreter, as do steps whose environment
differs in a variable that is read while packages are imported.

Such a step has the arguments, environment, working folder, standard files and exit status of its caller, and
is terminated when its caller ends. It is not a child of its caller: Snakemake's benchmark files contain the
time that it took, but not its memory and processor time, and the peak memory that a step records includes
packages that it does not use. Other systems than Linux run the command as usual.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from textlvm.runtime import forking

__all__ = ["PACKAGES", "programs"]

PACKAGES = (
    *("jinja2", "jsonschema", "kenlm", "matplotlib.pyplot", "nltk", "numpy", "pandas", "safetensors.torch"),
    *("scipy.spatial", "scipy.special", "scipy.stats", "seaborn", "torch", "yaml", "zuko"),
)
ENVIRONMENT = {"PYTHONUTF8": "1"} | dict.fromkeys(forking.THREADS, "1")
"""Variables that this workflow's jobs with one thread have."""
LONGEST = 107
"""The most bytes that the path of a socket can have."""


@contextlib.contextmanager
def programs(
    packages: Iterable[str] = PACKAGES, modules: Sequence[str] = ("textlvm",), **environment: str
) -> Iterator[Path]:
    """A folder for PATH with a program `python` that runs `modules`, and the modules inside them, by forking.

    `packages` are imported once, with `environment` and `ENVIRONMENT` added to the variables of this process.
    Raises `OSError` if that process cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="textlvm-") as folder:
        variables = os.environ | ENVIRONMENT | environment
        # Steps import textlvm from the PYTHONPATH of their caller only.
        variables.pop("PYTHONPATH", None)
        address, client = f"{folder}/socket", Path(folder, "client.py")
        if len(os.fsencode(address)) > LONGEST:
            raise OSError(f"{address} is too long for the path of a socket")
        client.write_text(forking.client(address, modules, variables), encoding="utf-8")
        program = Path(folder, "programs", "python")
        program.parent.mkdir()
        python = shlex.join([sys.executable, "-IS", "-X", "utf8", str(client)])
        program.write_text(f'#!/bin/sh\nexec {python} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        words = [sys.executable, "-P", forking.__file__, address, *packages]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=variables) as server:
            try:
                if server.stdout is None or not server.stdout.readline():
                    raise OSError("the process that steps are forked from does not start")
                yield program.parent
            finally:
                server.terminate()


def _main() -> int:
    """Run the command of the command line; returns its exit status."""
    if not (words := sys.argv[1:]):
        sys.exit("usage: python -m textlvm.runtime.starter COMMAND [ARGUMENT ...]")
    if shutil.which(words[0]) is None:
        sys.exit(f"error: there is no program {words[0]}: name one that is on the PATH")
    with contextlib.ExitStack() as stack:
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                folders = os.environ.get("PATH", "").split(os.pathsep)
                environment = str(Path(sys.executable).parent)
                place = folders.index(environment) if environment in folders else 0
                folders.insert(place, str(stack.enter_context(programs())))
                os.environ["PATH"] = os.pathsep.join(folders)
        command = subprocess.Popen(words)
        # The keyboard interrupts the command, too, which then ends its steps.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: command.terminate())
        code = command.wait()
        return code if code >= 0 else 128 - code


if __name__ == "__main__":
    try:
        sys.exit(_main())
    except KeyboardInterrupt:  # before the command has started
        sys.exit(128 + signal.SIGINT)
