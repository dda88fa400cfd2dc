"""A row of a pretrained model: without the model, the table says what to supply."""

import csv

import pytest

import tiny

METRICS = "results/sentences/ptb/gpt2/seed0/metrics.json"


@pytest.fixture(scope="module")
def project(new_project):
    project = new_project()
    tiny.write(project.root, tiny.sentences)
    model = {"objective": "lm", "family": "pretrained", "path": "weights"}
    tiny.change(
        project.root,
        "sentences",
        lambda section: section["runs"]["ptb"].update(gpt2={"row": "GPT-2 full†", "model": model}),
    )
    return project


def test_table_gives_the_reason_of_the_failed_row(project):
    project.run(f"snakemake --cores 1 {METRICS}")
    project.run("snakemake --cores 1 results/partial/table2.csv")
    with (project.root / "results/partial/table2.csv").open(encoding="utf-8", newline="") as file:
        found = {cell["row"]: cell for cell in csv.DictReader(file) if cell["metric"] == "ppl"}
    assert found["GPT-2 full†"]["verdict"] == "failed"
    assert found["GPT-2 full†"]["reason"].startswith("failed with seed 0: ")
    assert found["GPT-2 full†"]["reason"].endswith("Snakemake again")
    assert found["HR-VAE (256)"]["verdict"] == "published only"


def test_row_is_evaluated_again_when_its_files_exist(project):
    assert METRICS not in project.jobs(f"snakemake --cores 1 {METRICS}")
    (project.root / "weights").mkdir()
    (project.root / "weights" / "config.json").write_text("{}", encoding="utf-8")
    jobs = project.jobs(f"snakemake --cores 1 {METRICS}")
    assert METRICS in jobs
    assert not any(job.endswith("spec.json") for job in jobs)
