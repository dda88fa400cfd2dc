"""A copy of the recorded experiments as git tracks them, and the records in it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from textlvm.reporting.recorded.records import read_records

ROOT = Path(__file__).parents[4]
RECORDED = Path("results", "recorded")


@pytest.fixture(scope="session")
def clone(tmp_path_factory) -> Path:
    """A folder with the tracked files of the records and the configuration that they extend."""
    folder = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(
        ["git", "ls-files", "-z", str(RECORDED)], cwd=ROOT, text=True, capture_output=True
    ).stdout.split("\0")
    # Outside a git repository, the list is empty.
    files = [Path(name) for name in listed if name] or [
        path.relative_to(ROOT) for path in (ROOT / RECORDED).rglob("*") if path.is_file()
    ]
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, folder / file)
    shutil.copy(ROOT / "config.yaml", folder)
    (folder / "workflow").symlink_to(ROOT / "workflow")
    return folder


@pytest.fixture(scope="session")
def records(clone):
    """The recorded experiments, read in that folder."""
    before = Path.cwd()
    os.chdir(clone)
    yield read_records(RECORDED, Path("config.yaml"))
    os.chdir(before)
