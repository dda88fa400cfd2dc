"""The tables of results/recorded are what the workflow makes of the metrics beside them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

RECORDED = Path(__file__).parents[2] / "results" / "recorded"
EXPERIMENTS = sorted({path.relative_to(RECORDED).parts[0] for path in RECORDED.glob("*/**/metrics.json")})


def _recorded(name: str) -> list[Path]:
    """The files of an experiment that git tracks, or all of them outside a clone."""
    result = subprocess.run(["git", "ls-files", "-z", name], cwd=RECORDED, text=True, capture_output=True)
    files = [Path(path) for path in result.stdout.split("\0") if path]
    return files or [path.relative_to(RECORDED) for path in (RECORDED / name).rglob("*") if path.is_file()]


def _copy(files: list[Path], folder: Path) -> None:
    for path in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(RECORDED / path, folder / path)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_recorded_tables_are_those_of_the_recorded_metrics(new_project, name):
    project = new_project()
    recorded = project.root / "results" / "recorded"
    files = _recorded(name)
    tables = [path for path in files if path.parts[1] == "partial"]
    _copy([path for path in files if path not in tables], recorded)
    # Without a target everything would be made.
    assert tables
    targets = [f"results/recorded/{table}" for table in tables]
    project.run(f"snakemake --cores 1 --configfile results/recorded/{name}/experiment.yaml", "--", *targets)
    for table in tables:
        assert (recorded / table).read_bytes() == (RECORDED / table).read_bytes(), table


def test_something_is_recorded():
    assert EXPERIMENTS


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_recorded_run_can_be_run_again_by_the_command_beside_it(new_project, name):
    page = (RECORDED / "runs.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)[1]
    commands = re.findall(r"`(snakemake .*?) -- (\S+)`", section)
    assert len({start for start, _ in commands}) == 1
    project = new_project()
    _copy(_recorded(name), project.root / "results" / "recorded")
    targets = [target for _, target in commands]
    # All at once, since a dry run takes seconds.
    assert set(targets) <= project.jobs(commands[0][0], "--", *targets)
