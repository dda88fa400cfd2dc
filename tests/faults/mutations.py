"""Take protections away, one at a time, and see that the test of each fails: `make mutations`.

    python tests/faults/mutations.py [FILE ...]

Without names of files of tests, such as test_training.py, all of mutations.toml is tried, in a copy of the
project: each test must pass there before, and fail with the change. Ends with 1 if one does not.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
NONE_FOUND = 5
"""How pytest ends where no test is chosen."""
ABSENT = shutil.ignore_patterns(".*", "__pycache__", "results", "resources")


@dataclass(frozen=True)
class Mutation:
    """A change that takes a protection away, and the test that must fail then."""

    without: str
    file: str
    text: str
    put: str
    test: str
    """A file of tests in this folder."""
    words: str = ""
    """Of the names of its tests; all tests if there are none."""

    def applied(self, root: Path) -> str:
        """The changed file's content. Raises `ValueError` unless `text` stands in it once."""
        content = (root / self.file).read_text(encoding="utf-8")
        if content.count(self.text) != 1:
            raise ValueError(f"{self.file} must have this once: {self.text}")
        return content.replace(self.text, self.put)


def mutations() -> list[Mutation]:
    """All of mutations.toml."""
    with Path(__file__).with_suffix(".toml").open("rb") as file:
        tests = tomllib.load(file)
    return [
        Mutation(without, *change, *test.split())
        for test, changes in tests.items()
        for without, change in changes.items()
    ]


@cache
def outcome(root: Path, test: str, words: str, change: Mutation | None = None) -> str:
    """What tests in the copy `root` do while there is a change in it: pass, fail or are skipped."""
    if change:
        (root / change.file).write_text(change.applied(root), encoding="utf-8")
    # Their fast part is enough, where there is one.
    for marks in ("not faults", "faults"):
        line = [sys.executable, "-m", "pytest", "-q", "-x", "-m", marks, f"tests/faults/{test}", "-k", words]
        result = subprocess.run(
            line,
            cwd=root,
            env=os.environ | {"PYTHONPATH": str(root / "workflow"), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != NONE_FOUND:
            break
    if change:
        shutil.copyfile(ROOT / change.file, root / change.file)
    if result.returncode == 0:
        return "passes" if " passed" in result.stdout else "is skipped"
    if result.returncode == 1:
        return "fails"
    sys.exit(f"error: {' '.join(line)} ends with {result.returncode}: {result.stdout[-3000:]}")


def main(files: list[str]) -> None:
    """Try all mutations of these files of tests, or all."""
    escaped = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "copy")
        shutil.copytree(ROOT, root, ignore=ABSENT)
        for change in mutations():
            if files and change.test not in files:
                continue
            found = outcome(root, change.test, change.words)
            if found == "passes":
                found = outcome(root, change.test, change.words, change)
                escaped += found != "fails"
            else:
                escaped += found == "fails"
                found = f"{found} anyway"
            print(f"{change.test} {change.words} {found} without {change.without}", flush=True)
    if escaped:
        sys.exit(f"error: {escaped} changes make no difference to their tests: mend these")


if __name__ == "__main__":
    main(sys.argv[1:])
