"""The workflow creates the tables in results/recorded from the recorded metrics."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from textlvm.experiment.experiment import load_files

RECORDED = Path(__file__).parents[2] / "results" / "recorded"
EXPERIMENTS = sorted({path.relative_to(RECORDED).parts[0] for path in RECORDED.glob("*/**/metrics.json")})


def _recorded(name: str) -> list[Path]:
    """The tracked files of an experiment; all its files if there is no git repository."""
    result = subprocess.run(["git", "ls-files", "-z", name], cwd=RECORDED, text=True, capture_output=True)
    files = [Path(path) for path in result.stdout.split("\0") if path]
    return files or [path.relative_to(RECORDED) for path in (RECORDED / name).rglob("*") if path.is_file()]


def _copy(files: list[Path], folder: Path) -> None:
    for path in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(RECORDED / path, folder / path)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_recorded_tables_match_the_recorded_metrics(new_project, name):
    project = new_project()
    recorded = project.root / "results" / "recorded"
    files = _recorded(name)
    tables = [path for path in files if path.parts[1] == "partial"]
    _copy([path for path in files if path not in tables], recorded)
    # Without targets, Snakemake would create everything.
    assert tables
    targets = [f"results/recorded/{table}" for table in tables]
    project.run(f"snakemake --cores 1 --configfile results/recorded/{name}/experiment.yaml", "--", *targets)
    for table in tables:
        assert (recorded / table).read_bytes() == (RECORDED / table).read_bytes(), table


def test_experiments_are_recorded():
    assert EXPERIMENTS


def _listed(name: str) -> list[tuple[str, str]]:
    """The commands of an experiment in runs.md, each with its target."""
    page = (RECORDED / "runs.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)[1]
    return re.findall(r"`(snakemake .*?) -- (\S+)`", section)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_listed_targets_are_planned(monkeypatch, name):
    monkeypatch.chdir(RECORDED.parents[1])
    experiment = load_files(["config.yaml", RECORDED / name / "experiment.yaml"])
    planned = {str(experiment.results / run.metrics(seed)) for run in experiment.runs for seed in run.seeds}
    targets = {target for _, target in _listed(name)}
    assert targets
    assert targets <= planned


# One experiment of each paper, since a dry run takes seconds.
@pytest.mark.parametrize("name", ["gutenberg-fiction", "ptb-authors"])
def test_recorded_runs_can_be_rerun_by_the_listed_commands(new_project, name):
    commands = _listed(name)
    assert len({start for start, _ in commands}) == 1
    project = new_project()
    _copy(_recorded(name), project.root / "results" / "recorded")
    targets = [target for _, target in commands]
    assert set(targets) <= project.jobs(commands[0][0], "--", *targets)
