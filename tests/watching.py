"""The output files of a project so far, and their comparison with those of another project."""

import filecmp
import time
from collections.abc import Callable
from pathlib import Path

LIMIT = 900
"""Seconds until a wait fails; passing tests wait for events only."""
VARYING = {"cost.json", "training.json", "provenance.json", "ro-crate.zip", "index.html"}
"""Files that record when, where and how fast something ran, which always differ."""


def products(root: Path) -> dict[str, Path]:
    """The visible files in results and resources, except logs, benchmarks and checkpoints."""
    paths = [path for folder in ("results", "resources") for path in (root / folder).rglob("*")]
    named = {path.relative_to(root).as_posix(): path for path in paths if path.is_file()}
    excluded = ("/.", "/checkpoint/", "results/logs/", "results/benchmarks/")
    return {name: path for name, path in named.items() if not any(part in name for part in excluded)}


def differing(root: Path, reference: Path) -> set[str]:
    """The products that another project lacks or has with other content, byte for byte."""
    expected = products(reference)
    return {
        name
        for name, path in products(root).items()
        if path.name not in VARYING
        and not (name in expected and filecmp.cmp(path, expected[name], shallow=False))
    }


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait until `condition` holds; fail after `LIMIT` seconds."""
    end = time.monotonic() + LIMIT
    began = time.monotonic()
    while not condition():
        now = time.monotonic()
        assert now < end, f"timed out waiting for {what}"
        # A slow condition, such as a search of many files, must not slow down the process that it waits for.
        time.sleep(max(0.01, 4 * (now - began)))
        began = time.monotonic()
