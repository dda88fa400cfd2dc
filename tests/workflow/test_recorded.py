"""The tables of results/recorded are what the workflow makes of the metrics beside them."""

import re
import shutil
from pathlib import Path

import pytest

RECORDED = Path(__file__).parents[2] / "results" / "recorded"
EXPERIMENTS = sorted({path.relative_to(RECORDED).parts[0] for path in RECORDED.glob("*/**/metrics.json")})


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_recorded_tables_are_those_of_the_recorded_metrics(new_project, name):
    project = new_project()
    folder = project.root / "results" / "recorded" / name
    shutil.copytree(RECORDED / name, folder, ignore=shutil.ignore_patterns("partial"))
    tables = sorted(path.relative_to(RECORDED / name) for path in (RECORDED / name / "partial").rglob("*.*"))
    # Without a target everything would be made.
    assert tables
    targets = [f"results/recorded/{name}/{table}" for table in tables]
    project.run(f"snakemake --cores 1 --configfile results/recorded/{name}/experiment.yaml", "--", *targets)
    for table in tables:
        assert (folder / table).read_bytes() == (RECORDED / name / table).read_bytes(), table


def test_something_is_recorded():
    assert EXPERIMENTS


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_recorded_run_can_be_run_again_by_the_command_beside_it(new_project, name):
    page = (RECORDED / "runs.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)[1]
    commands = re.findall(r"`(snakemake .*?) -- (\S+)`", section)
    assert len({start for start, _ in commands}) == 1
    project = new_project()
    shutil.copytree(RECORDED / name, project.root / "results" / "recorded" / name)
    targets = [target for _, target in commands]
    # All at once, since a dry run takes seconds.
    assert set(targets) <= project.jobs(commands[0][0], "--", *targets)
