"""Snakemake's scheduler is woken only when a job has finished."""

import pytest

import tiny

RUNS = f"results/words/{tiny.CORPUS}/standard/{{trigram,oracle}}/seed0"


@pytest.fixture(scope="module")
def project(new_project):
    project = new_project()
    tiny.write(project.root, tiny.words)
    return project


def rounds_and_jobs(project, options=""):
    """How often the scheduler looked for jobs that can start, and the number of finished jobs."""
    output = project.run(f"snakemake --cores 1 --forceall --verbose {options} -- {RUNS}/metrics.json")
    return output.count("Resources before job selection"), output.count("Finished jobid")


def test_scheduler_makes_at_most_one_round_for_each_job(project):
    rounds, jobs = rounds_and_jobs(project)
    assert jobs >= 6
    assert rounds <= jobs


def test_given_limit_of_started_jobs_remains(project):
    rounds, jobs = rounds_and_jobs(project, "--max-jobs-per-timespan 200/1s")
    assert rounds > jobs
