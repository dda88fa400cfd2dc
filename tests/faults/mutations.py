"""Remove protections one at a time, and check that the test of each fails: `make mutations`.

    python tests/faults/mutations.py [FILE ...]

FILE is a file of tests such as test_training.py; the default is all of mutations.toml. In a copy of the
project, each test must pass without the change and fail with it. The exit status is 1 if a test does not.
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
"""Exit status of pytest if no test was selected."""
ABSENT = shutil.ignore_patterns(".*", "__pycache__", "results", "resources")


@dataclass(frozen=True)
class Mutation:
    """A change that removes a protection, and the test that must fail then."""

    without: str
    file: str
    text: str
    replacement: str
    test: str
    """A file of tests in this folder."""
    words: str = ""
    """A part of the test names (`pytest -k`); empty for all tests."""

    def applied(self, root: Path) -> str:
        """The content of the changed file. Raises `ValueError` unless `text` occurs exactly once in it."""
        content = (root / self.file).read_text(encoding="utf-8")
        if content.count(self.text) != 1:
            raise ValueError(f"{self.file} must contain this exactly once: {self.text}")
        return content.replace(self.text, self.replacement)


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
    """The result of tests in the copy `root` with a change: passes, fails or is skipped."""
    if change:
        (root / change.file).write_text(change.applied(root), encoding="utf-8")
    # If some of the tests are fast, these are enough.
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
    """Try the mutations of these files of tests; of all files if there are none."""
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
        sys.exit(f"error: {escaped} changes are not noticed by their tests: correct the tests")


if __name__ == "__main__":
    main(sys.argv[1:])
