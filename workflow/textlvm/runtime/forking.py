"""The process that `textlvm.runtime.starter` forks steps from, and the program that sends it a step.

It is started by the path of this file, so that it imports nothing of textlvm:

    python -P forking.py SOCKET PACKAGE ...
"""

import atexit
import contextlib
import gc
import importlib
import io
import json
import multiprocessing
import os
import runpy
import signal
import socket
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from multiprocessing.connection import wait
from typing import Any

__all__ = ["THREADS", "client"]

THREADS = tuple(f"{library}_NUM_THREADS" for library in ("GOTO", "MKL", "NUMEXPR", "OMP", "OPENBLAS"))
"""Variables that Snakemake sets to the threads of a job, and that libraries read when they are loaded."""
READ = (*THREADS, "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONUTF8", "PYTHONWARNINGS")
"""Variables that are read while Python starts or packages are imported."""
SIZE = 8
"""Bytes of the length of a request."""
CLIENT = """import json, os, signal, socket, sys

words = sys.argv[1:]
server = socket.socket(socket.AF_UNIX)
try:
    if words[:1] != ["-m"] or words[1].partition(".")[0] not in {modules}:
        raise OSError
    if any(os.environ.get(name) != value for name, value in {variables}.items()):
        raise OSError
    server.connect({address})
except OSError:
    os.execv({python}, [{python}, *words])
# The keyboard interrupts the step, too.
signal.signal(signal.SIGINT, signal.SIG_IGN)
request = json.dumps([*words[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [len(request).to_bytes({size}, "big")], [0, 1, 2])
server.sendall(request)
status = server.recv(1)
sys.exit(status[0] if status else 1)
"""


def client(address: str, modules: Sequence[str], variables: Mapping[str, str]) -> str:
    """A Python program that runs its arguments like `python`, by the server at `address` if it can.

    It can run `-m` with one of `modules` or a module inside one, if the environment has the same values of
    the variables `READ`.
    """
    read = {name: variables.get(name) for name in READ}
    return CLIENT.format(
        address=repr(address), modules=set(modules), python=repr(sys.executable), size=SIZE, variables=read
    )


def _serve(address: str, packages: Sequence[str]) -> None:
    """Import packages, and fork a process for every request."""
    # The keyboard interrupts all processes of a terminal, but this one is needed until the command has ended.
    interruption = signal.signal(signal.SIGINT, signal.SIG_IGN)
    for package in packages:
        with contextlib.suppress(ImportError):
            importlib.import_module(package)
    # Otherwise a garbage collection in a step would copy the memory of all packages.
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        print("ready", flush=True)
        # The standard input is closed when the process that started this one has ended.
        while server in wait([server, sys.stdin]):
            caller, _ = server.accept()
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass
            if not os.fork():
                break
            caller.close()
        else:
            return
    _handle(caller, interruption)
    # Not by returning, which would first deallocate all packages.
    os._exit(0)


def _handle(caller: socket.socket, interruption: Any) -> None:
    """Run the step of a request, and send its exit status. Terminate it if the caller ends."""
    size, files, *_ = socket.recv_fds(caller, SIZE, 3)
    with caller.makefile("rb") as text:
        module, *words, folder, environment = json.loads(text.read(int.from_bytes(size, "big")))
    context = multiprocessing.get_context("fork")
    step = context.Process(target=_run, args=(interruption, module, words, folder, environment, files))
    step.start()
    for file in [1, *files]:
        os.close(file)
    if step.sentinel not in wait([step.sentinel, caller]):
        step.terminate()
    step.join()
    code = step.exitcode or 0
    with contextlib.suppress(OSError):
        # As in a shell, a signal adds 128 to its number.
        caller.sendall(bytes([code % 256 if code >= 0 else 128 - code]))


def _run(
    interruption: Any,
    module: str,
    words: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    files: Sequence[int],
) -> None:
    """Run a module like `python -m`; `interruption` handles SIGINT."""
    signal.signal(signal.SIGINT, interruption)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin = os.fdopen(0, closefd=False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=sys.stdout.isatty())
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    # The default was read from the server's environment.
    tempfile.tempdir = None
    paths = environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [folder, *filter(None, paths)]
    sys.argv = [module, *words]
    # At its end, a step runs the functions that it has registered, but not those of the server.
    atexit._clear()
    weakref.finalize._registered_with_atexit = False
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2:])
