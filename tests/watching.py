"""Runs seen from outside: what they have made so far, and whether it is what another run made."""

import filecmp
import time
from collections.abc import Callable
from pathlib import Path

LIMIT = 900
"""Seconds until a wait in vain fails; what passes waits for events alone."""
OF_THE_PROCESS = {"cost.json", "training.json", "provenance.json", "ro-crate.zip", "index.html"}
"""Files that say when, where and how fast something was done, which differs from run to run."""


def products(root: Path) -> dict[str, Path]:
    """What stands in a project's results and resources for everybody to see, but for logs and checkpoints."""
    paths = [path for folder in ("results", "resources") for path in (root / folder).rglob("*")]
    named = {path.relative_to(root).as_posix(): path for path in paths if path.is_file()}
    apart = ("/.", "/checkpoint/", "results/logs/", "results/benchmarks/")
    return {name: path for name, path in named.items() if not any(part in name for part in apart)}


def differing(root: Path, reference: Path) -> set[str]:
    """The products that are not, byte for byte, those of the same name in another project."""
    expected = products(reference)
    return {
        name
        for name, path in products(root).items()
        if path.name not in OF_THE_PROCESS
        and not (name in expected and filecmp.cmp(path, expected[name], shallow=False))
    }


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Return as soon as `condition` holds."""
    end = time.monotonic() + LIMIT
    began = time.monotonic()
    while not condition():
        now = time.monotonic()
        assert now < end, f"waited in vain for {what}"
        # A look that takes long, as at many files, should not take the time of what is waited for.
        time.sleep(max(0.01, 4 * (now - began)))
        began = time.monotonic()
