"""Provenance of a result: settings, code, packages, data, machine and cost, in a file in its folder.

Metrics are reproducible. Quantities that are not, such as seconds, are in other files:

    training.json       with the weights: the process that finished the training
    provenance.json     with metrics.json:
        name, seed, configuration   the trained run, its settings and the evaluation's
        corpora, data               SHA-256 of the corpora's files, and of the files that the evaluation
                                    read; for a folder of texts, of the output of `sha256sum` for its
                                    files in alphabetical order
        training, evaluation        both processes; `training.cost` is the content of cost.json

No result depends on this module, so `runtime.fingerprint` ignores it.
"""

import argparse
import hashlib
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from textlvm.corpora.folders import listing
from textlvm.runtime.files import read_json, read_object, write_json

__all__ = [
    "Process",
    "add_argument",
    "commit",
    "digests",
    "machine",
    "packages",
    "peak_memory_mib",
    "write_evaluation",
    "write_training",
]

ROOT = Path(__file__).parents[3]
"""The project's folder."""
MIB = 1 << 20
PATIENCE = 60  # seconds for git, which can be slow on network file systems


class Process:
    """This process, from the creation of the object to `to_json`.

    Code and packages are recorded at creation, because they may be replaced while a training runs.
    """

    def __init__(self) -> None:
        self.began, self._began = datetime.now(UTC), time.monotonic()
        self.git, self.packages = commit(), packages()

    def to_json(self) -> dict[str, Any]:
        """Code, packages, machine, times and peak memory in MiB; `gpu` only if the process used one.

        The seconds include waiting for a GPU; cost.json has the seconds of training alone.
        """
        # At the end, because the GPU is chosen after the start, and a query could initialise another one.
        torch = sys.modules.get("torch")
        gpu = {}
        if torch and torch.cuda.is_initialized():
            peak = round(torch.cuda.max_memory_allocated() / MIB)
            gpu = {"gpu": {"name": torch.cuda.get_device_name(), "peak_memory_mib": peak}}
        return {
            "git": self.git,
            "python": platform.python_version(),
            "packages": self.packages,
            "machine": machine(),
            **gpu,
            "began": self.began.isoformat(timespec="milliseconds"),
            "ended": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "seconds": round(time.monotonic() - self._began, 1),
            "peak_memory_mib": peak_memory_mib(),
        }


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the sources of an evaluation's data."""
    text = "the corpora's files, for provenance.json"
    parser.add_argument("--corpora", type=Path, nargs="*", default=[], metavar="FILE", help=text)


def write_training(folder: Path, process: Process) -> None:
    """Write `training.json` into the folder of a run."""
    write_json(folder / "training.json", process.to_json())


def write_evaluation(
    path: Path,
    process: Process,
    run: Path,
    settings: Mapping[str, Any],
    data: Iterable[Path],
    corpora: Iterable[Path],
) -> None:
    """Write the `provenance.json` of an evaluation with these `settings` of the run in the folder `run`.

    `data` are the files or folders that it read in addition to the run's own, `corpora` their sources.
    """
    spec = read_json(run / "spec.json")
    result = {
        "name": spec["name"],
        "seed": spec["seed"],
        "configuration": {part: spec[part] for part in spec if part not in ("name", "seed")}
        | {"evaluation": dict(settings)},
        "corpora": {str(path): _content_digest(path) for path in corpora},
        "data": digests([*data, run / "model.safetensors"]),
        "training": read_object(run / "training.json") | {"cost": read_object(run / "cost.json")},
        "evaluation": process.to_json(),
    }
    write_json(path, result)


def commit(root: Path = ROOT) -> dict[str, Any] | None:
    """The commit of the project's folder, and whether files are changed or new.

    None if it is not in git, for example unpacked from an archive, even inside another repository.
    """
    head = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--", ".")
    if head is None or changes is None or _git(root, "ls-files", "--error-unmatch", "Snakefile") is None:
        return None
    return {"commit": head, "dirty": bool(changes)}


def packages() -> dict[str, str]:
    """The version of every installed package, without importing any."""
    # The attributes `name` and `version` of a distribution read its file again.
    found = [package.metadata for package in distributions()]
    # A package that was only partly removed has no name.
    versions = {package["Name"]: package["Version"] for package in found if package["Name"]}
    return dict(sorted(versions.items(), key=lambda item: item[0].lower()))


def machine() -> dict[str, Any]:
    """System, model of the CPU, cores this process may use, and memory in MiB."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"system": platform.platform(), "cpu": _cpu(), "cores": usable, "memory_mib": round(memory / MIB)}


def peak_memory_mib() -> int:
    """The peak main memory of this process so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts it in KiB, macOS in bytes.
    return round(peak / (MIB if sys.platform == "darwin" else 1 << 10))


def digests(paths: Iterable[Path]) -> dict[str, str | None]:
    """The SHA-256 of files, and of all files in folders; None for a file that no longer exists."""
    files = (file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path]))
    return {str(file): _digest(file) for file in files if not file.name.startswith(".")}


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _content_digest(path: Path) -> str | None:
    """The SHA-256 of a file, or of the list of a folder's files with their digests."""
    if not path.is_dir():
        return _digest(path)
    try:
        names = listing(path).sizes
    except OSError:
        return None
    lines = "".join(f"{_digest(path / name)}  {name}\n" for name in names)
    return hashlib.sha256(lines.encode()).hexdigest()


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _git(root: Path, *words: str) -> str | None:
    """Return the output of a git command; None if it fails or git is not installed."""
    # In a git hook, environment variables name the repository of the hook.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # Without the option, git refreshes its index, for which it needs a lock.
    command = ["git", "--no-optional-locks", "-C", str(root), *words]
    try:
        result = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip() if result.returncode == 0 else None
