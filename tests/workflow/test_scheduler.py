"""Snakemake's scheduler is woken only when a job has finished."""

import pytest

import tiny

RUNS = f"results/words/{tiny.CORPUS}/standard/{{trigram,oracle}}/seed0"
PRINT_LIMIT = """
onsuccess:
    limit = workflow.scheduler.job_rate_limiter
    print("started jobs at most:", limit and limit.max_jobs)
"""


@pytest.fixture(scope="module")
def project(new_project):
    project = new_project()
    tiny.write(project.root, tiny.words)
    with (project.root / "Snakefile").open("a") as file:
        file.write(PRINT_LIMIT)
    return project


def run(project, options=""):
    return project.run(f"snakemake --cores 1 --forceall --verbose {options} -- {RUNS}/metrics.json")


def test_scheduler_makes_at_most_one_round_for_each_job(project):
    output = run(project)
    jobs = output.count("Finished jobid")
    assert jobs >= 6
    assert output.count("Resources before job selection") <= jobs
    assert "started jobs at most: None" in output


def test_given_limit_of_started_jobs_remains(project):
    assert "started jobs at most: 200" in run(project, "--max-jobs-per-timespan 200/1s")
