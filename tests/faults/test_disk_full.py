"""A full disk gives one error message and no incomplete output; with space, the same command continues."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import tiny
from faults.commands import COMMANDS
from watching import VARYING, differing

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[2]
PAGE = 4096


@dataclass(frozen=True)
class Disk:
    """A small file system."""

    folder: Path

    @property
    def ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self, leave: int) -> None:
        """Fill the disk except for `leave` bytes."""
        with self.ballast.open("wb", buffering=0) as file:
            try:
                while file.write(b"\0" * PAGE) == PAGE:
                    pass
            except OSError:
                file.truncate(max(0, file.tell() - leave))

    def make_space(self) -> None:
        self.ballast.unlink()


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield Disk(folder)
    subprocess.run(["umount", str(folder)], check=True)


def step(words, out):
    """Run a step as the rules do, with its files in the folder `out` and its log on the same disk."""
    return subprocess.run(
        [sys.executable, "-m", *words, "--log", f"{out}.log"],
        env=os.environ | {"PYTHONPATH": str(ROOT / "workflow"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


# Free space for each step, relative to the size of its output; a training also needs space for checkpoints.
STEPS = {"train": (0, 0.5, 3), "prepare": (0, 0.5), "table": (0, 0.5), "figure": (0, 0.5)}


def visible(folder):
    """The visible files of a folder and their contents."""
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    excluded = VARYING | {"lock", "progress.json", "state.safetensors"}
    return {path.relative_to(folder): path.read_bytes() for path in paths if path.name not in excluded}


@pytest.mark.parametrize("name", STEPS)
def test_step_reports_a_full_disk_and_succeeds_with_space(finished, disk, name):
    def run(out):
        return step(COMMANDS[name](finished.root, out), out)

    undisturbed, out = disk.folder / "undisturbed", disk.folder / "out"
    assert run(undisturbed).returncode == 0
    expected = visible(undisturbed)
    pages = sum(-(-len(content) // PAGE) for content in expected.values())
    for part in STEPS[name]:
        disk.fill(leave=int(part * pages) * PAGE)
        result = run(out)
        disk.make_space()
        assert result.returncode == 2, result.stderr
        assert re.search(rf"^error: no space left for {re.escape(str(out))}.*: free some and", last(result))
        assert "Traceback" not in result.stderr
        assert visible(out).items() <= expected.items()
    assert run(out).returncode == 0
    assert visible(out) == expected


def test_workflow_resumes_after_a_full_disk(new_experiment, finished, disk):
    project = new_experiment(disk.folder / "a project")
    target = f"results/words/{tiny.CORPUS}/figure1.png"
    disk.fill(leave=0)
    refused = project.call(f"snakemake --cores 2 {target}")
    assert refused.returncode != 0
    assert last(refused).startswith("error: no space left for .snakemake")
    disk.make_space()
    # Enough space for the corpus, but not for the training.
    resources = (finished.root / "resources").rglob(f"{tiny.CORPUS}*/*")
    disk.fill(leave=PAGE * sum(10 + path.stat().st_size // PAGE for path in resources))
    failed = project.call(f"snakemake --cores 2 {target}")
    assert failed.returncode != 0
    assert "error: no space left for re" in failed.stderr
    assert differing(project.root, finished.root) == set()
    disk.make_space()
    project.run(f"snakemake --cores 2 {target}")
    assert (project.root / target).exists()
    assert differing(project.root, finished.root) == set()


def last(result):
    return result.stderr.splitlines()[-1]
