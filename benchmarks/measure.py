"""Shared by the benchmarks: processor time, peak performance of the machine, and saved tables."""

import csv
import resource
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from tabulate import tabulate

SAVED = Path("results/bench")


def cpu_seconds() -> float:
    """Seconds of processor time of this process and of the child processes it has waited for.

    Other work on the machine affects it less than wall time, only through the caches.
    """
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """The minimum processor time of several runs."""
    times = []
    for _ in range(repeats):
        began = cpu_seconds()
        work()
        times.append(cpu_seconds() - began)
    return min(times)


def matrix_peak(dtype: torch.dtype = torch.float32) -> float:
    """Operations per second of a large square product on one thread."""
    torch.set_num_threads(1)
    square = torch.randn(2048, 2048, dtype=dtype)
    return 2 * 2048**3 / seconds(lambda: square @ square, 5)


def show(name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print a table and save it as results/bench/<name>.csv."""
    print(tabulate(rows, headers="keys", floatfmt=".4g", intfmt=","), flush=True)
    SAVED.mkdir(parents=True, exist_ok=True)
    with (SAVED / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)))
        writer.writeheader()
        writer.writerows(rows)
