"""A row whose training fails does not stop other rows; tables show the reason until it succeeds."""

import csv

import pytest

import tiny

pytestmark = pytest.mark.faults


def change(project, training):
    """Set the training settings of one row."""

    def edit(words):
        words["runs"]["standard"]["tril"]["training"] = training

    tiny.change(project.root, "words", edit)


def rows(project):
    """Verdict and reason of each run of the words paper in the partial Table 1."""
    project.run("snakemake --cores 1 tables")
    with (project.root / "results/partial/table1.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for cell in csv.DictReader(file) if cell["paper"] == "words" and cell["run"]]
    return {cell["run"]: (cell["verdict"], cell["reason"]) for cell in cells if cell["metric"] == "ce_train"}


def test_failed_row_is_marked_until_its_training_succeeds(new_project):
    project = new_project()
    tiny.write(project.root, tiny.words)
    tiny.change(project.root, "words", tiny.few_words)
    change(project, {"learning_rate": 1e18, "clip": None})
    result = project.call("snakemake --cores 1 results/table1.csv")
    assert result.returncode == 1
    assert "error: words.runs.standard.tril, seed 0: the loss became" in result.stdout + result.stderr
    assert "the target `tables` shows the results so far and why a training failed" in result.stderr
    found = rows(project)
    assert found["tril"][0] == "failed"
    assert found["tril"][1].startswith("failed with seed 0: the loss became ")
    assert ", whose batch has '" in found["tril"][1]
    assert {found[name][0] for name in ("baseline-8d", "oracle")} == {"stand-in"}
    # The failure belongs to its settings.
    change(project, {"learning_rate": 1e18})
    assert rows(project)["tril"] == ("not run", "")
    change(project, {"learning_rate": 1e18, "clip": None})
    assert rows(project)["tril"][0] == "failed"
    change(project, {"learning_rate": 0.01})
    project.run("snakemake --cores 1 results/table1.csv")
    assert rows(project)["tril"][0] == "stand-in"
    assert not list(project.root.rglob("failure.json"))
