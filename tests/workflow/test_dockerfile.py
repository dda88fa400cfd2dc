"""The Dockerfile and .dockerignore, checked without building the image."""

import re
import subprocess
from fnmatch import fnmatch
from itertools import accumulate
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATTERNS = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()


def is_excluded(path: str) -> bool:
    """Whether .dockerignore excludes a file: the last pattern that matches it or a parent folder decides."""
    parents = list(accumulate(path.split("/"), lambda folder, name: f"{folder}/{name}"))
    excluded = False
    for pattern in PATTERNS:
        if any(matches(parent, pattern.removeprefix("!")) for parent in parents):
            excluded = not pattern.startswith("!")
    return excluded


def matches(path: str, pattern: str) -> bool:
    anywhere = pattern.startswith("**/")
    names, patterns = path.split("/"), pattern.removeprefix("**/").split("/")
    if anywhere:
        names = names[-len(patterns) :]
    return len(names) == len(patterns) and all(map(fnmatch, names, patterns))


def test_image_contains_all_tracked_files():
    """Tests call git, therefore the image contains .git, too."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [path for path in files.stdout.split("\0") if path and is_excluded(path)] == []
    assert not is_excluded(".git/HEAD")


@pytest.mark.parametrize(
    "path",
    [
        *(".venv/pins.txt", ".venv.build/lock", ".snakemake/log/a.log"),
        *("results/demo/index.html", "resources/downloads/a.txt", "workflow/textlvm/__pycache__/a.pyc"),
    ],
)
def test_image_excludes_built_and_downloaded_files(path):
    assert is_excluded(path)


def test_image_has_the_programs_that_readme_requires():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    version, programs = re.search(r"Requirements: Python ([\d.]+) or newer, (.*)\.", readme).groups()
    assert re.search(r"^FROM python:([\d.]+)-", lines, flags=re.MULTILINE)[1] >= version
    installed = re.search(r"apt-get install .*-recommends (.*) ", lines)[1].split()
    assert {*programs.replace(" and ", ", ").split(", ")} <= {*installed}
