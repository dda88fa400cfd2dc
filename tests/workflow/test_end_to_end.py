"""The real rules on real text: one run of each kind, then what reruns after which change."""

import csv
import json
import pydoc_data.topics
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CORPUS = "topics"
SMALL = {
    "training": {"steps": 20, "batch": 16, "log_every": 10, "monitor_every": 10, "checkpoint_every": 10},
    "evaluation": {
        "trajectories": 256,
        "bootstrap": 5,
        "samples": 200,
        "entropy_trajectories": 20,
        "entropy_draws": 5,
        "entropy_reference_draws": 10,
    },
}
RUNS = {
    "standard": ("tril", "tril-k2", "real-nvp", "baseline-8d", "oracle"),
    "unseen": ("baseline-8d",),
}


def experiment():
    """config.yaml with few runs, small budgets and the language reference as the user's own corpus."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    words = config["words"]
    config["papers"] = ["words"]
    config["corpora"] = {CORPUS: {"path": "my texts", "kind": "text", "title": "Python topics"}}
    words |= {
        "corpora": [CORPUS],
        "seeds": [0],
        "figures": {"training_run": "tril-k2", "baseline": "baseline-8d"},
    }
    words["vocabulary"]["min_count"] = 5
    words["runs"] = {
        split: {name: words["runs"][split][name] for name in names} for split, names in RUNS.items()
    }
    for section, values in SMALL.items():
        words[section] |= values
    return config


def folder(run, split="standard"):
    return f"results/words/{CORPUS}/{split}/{run}/seed0"


@pytest.fixture(scope="module")
def project(new_project):
    """A project in which the command of the README has been run, then all the rest."""
    project = new_project()
    texts = list(pydoc_data.topics.topics.values())
    (project.root / "my texts").mkdir()
    for i in range(2):
        (project.root / "my texts" / f"part {i}.txt").write_text("\n".join(texts[i::2]), encoding="utf-8")
    (project.root / "config.yaml").write_text(yaml.safe_dump(experiment(), sort_keys=False), encoding="utf-8")
    project.run("snakemake --cores 2 --resources gpu=2 results/table1.csv")
    project.run("snakemake --cores 2")
    return project


def cells(project, table):
    with (project.root / table).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def change(project, edit):
    """Edit the experiment in place."""
    file = project.root / "config.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    edit(config["words"])
    file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def test_tables_have_every_planned_row_with_its_value(project):
    for split, names in RUNS.items():
        table = cells(project, "results/table1.csv" if split == "standard" else "results/table2.csv")
        for name in names:
            mine = [cell for cell in table if cell["run"] == name and cell["split"] == split]
            assert {"ce_train", "unique"} <= {cell["metric"] for cell in mine if cell["value"]}, name
            assert {cell["corpus_title"] for cell in mine} == {"Python topics"}


def test_a_tidy_table_holds_both_papers(project):
    table = cells(project, "results/table1.csv")
    assert {cell["paper"] for cell in table} == {"words", "sentences"}
    assert {cell["verdict"] for cell in table if cell["paper"] == "sentences"} == {"not run"}


def test_tables_and_figures_stand_in_the_papers_shape(project):
    results = project.root / "results" / "words" / CORPUS
    for n in (1, 2):
        assert "BASELINE-8D" in (results / f"table{n}.md").read_text(encoding="utf-8")
        assert "BASELINE-8D" in (results / f"table{n}.tex").read_text(encoding="utf-8")
        assert (results / f"figure{n}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (results / f"figure{n}.svg").read_text(encoding="utf-8")


def test_a_run_says_what_it_is(project):
    spec = json.loads((project.root / folder("tril-k2") / "spec.json").read_text())
    metrics = json.loads((project.root / folder("tril-k2") / "metrics.json").read_text())
    assert spec["name"] == f"words/{CORPUS}/standard/tril-k2"
    assert spec["model"]["samples"] == 2
    assert spec["training"]["steps"] == metrics["settings"]["entropy_trajectories"] == 20


def test_the_files_of_a_corpus_are_counted_apart_and_added_up(project):
    parts = sorted(path.name for path in (project.root / "resources" / "counts" / CORPUS).iterdir())
    assert parts == ["part_0.txt.tsv", "part_1.txt.tsv"]


def test_a_second_call_does_nothing(project):
    assert project.jobs("snakemake --cores 2") == set()


def test_touching_everything_does_nothing(project):
    for path in project.root.rglob("*"):
        if path.is_file() and not {"results", "resources", ".snakemake"} & set(
            path.relative_to(project.root).parts
        ):
            path.touch()
    assert project.jobs("snakemake --cores 2") == set()


def test_comments_format_and_docstrings_of_code_do_nothing(restored):
    source = "workflow/textlvm/words/letters.py"
    path = restored.root / source
    text = path.read_text(encoding="utf-8")
    text = re.sub(r'\A""".*?"""', '"""Other words."""', text, flags=re.DOTALL)
    path.write_text(f"{text}\n\n# A remark.\n", encoding="utf-8")
    assert restored.jobs("snakemake --cores 2") == set()


def test_resources_and_threads_do_nothing(project):
    line = "snakemake --cores 2 --set-threads words_train=2 --set-resources words_train:mem_mb=9"
    assert project.jobs(line) == set()


def test_a_change_of_code_reruns_what_uses_it(restored):
    path = restored.root / "workflow/textlvm/reporting/verdict.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nMEANINGFUL = 1\n", encoding="utf-8")
    tables = {f"results/table{n}.csv" for n in (1, 2)} | {
        f"results/words/{CORPUS}/table{n}.csv" for n in (1, 2)
    }
    figures = {f"results/words/{CORPUS}/figure{n}.png" for n in (1, 2)}
    # The figures read metrics with the tables' code.
    assert tables <= restored.jobs("snakemake --cores 2") <= tables | figures | {"all"}


def test_a_change_of_the_objective_retrains_every_run(restored):
    path = restored.root / "workflow/textlvm/words/objective.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nMEANINGFUL = 1\n", encoding="utf-8")
    jobs = restored.jobs("snakemake --cores 2")
    trained = {f"{folder(name, split)}/spec.json" for split, names in RUNS.items() for name in names}
    assert trained <= jobs
    assert not any(job.endswith((".arpa", "words.tsv", "vocabulary.tsv")) for job in jobs)


DEPENDENTS = {
    "results/table1.csv",
    f"results/words/{CORPUS}/table1.csv",
    f"results/words/{CORPUS}/figure1.png",
    "all",
}


def test_a_runs_setting_reruns_that_run_and_what_depends_on_it(restored):
    change(restored, lambda words: words["runs"]["standard"]["tril"].update(training={"steps": 30}))
    run = {f"{folder('tril')}/spec.json", f"{folder('tril')}/metrics.json"}
    assert restored.jobs("snakemake --cores 2") == run | DEPENDENTS


def test_a_setting_of_the_evaluation_trains_nothing(restored):
    change(restored, lambda words: words["runs"]["standard"]["tril"].update(evaluation={"bootstrap": 6}))
    assert restored.jobs("snakemake --cores 2") == {f"{folder('tril')}/metrics.json"} | DEPENDENTS


def test_a_new_run_is_all_that_runs(restored):
    new = {"table": 1, "row": "TRIL, K=3", "model": {"samples": 3}}
    change(restored, lambda words: words["runs"]["standard"].update({"tril-k3": new}))
    run = {f"{folder('tril-k3')}/spec.json", f"{folder('tril-k3')}/metrics.json"}
    assert restored.jobs("snakemake --cores 2") == run | DEPENDENTS


def test_one_command_reruns_a_single_row(project):
    line = f"snakemake --cores 8 --forcerun {folder('tril')}/model.safetensors"
    run = {f"{folder('tril')}/spec.json", f"{folder('tril')}/metrics.json"}
    assert project.jobs(line) == run | DEPENDENTS
    assert project.jobs(f"{line} -- results/table1.csv") == run | {"results/table1.csv"}


def test_tables_of_what_is_there_say_not_run_of_the_rest(restored):
    missing = restored.root / folder("tril-k2") / "metrics.json"
    content = missing.read_bytes()
    missing.unlink()
    change(restored, lambda words: words["runs"]["standard"]["oracle"].update(evaluation={"samples": 99}))
    restored.run("snakemake --cores 2 tables")
    verdicts = {name: set() for name in RUNS["standard"]}
    for cell in cells(restored, "results/partial/table1.csv"):
        if cell["paper"] == "words" and cell["run"] in verdicts and cell["metric"] == "ce_train":
            verdicts[cell["run"]].add(cell["verdict"])
    assert verdicts["tril-k2"] == {"not run"}
    # It is measured, but not with the settings of now.
    assert verdicts["oracle"] == {"not run"}
    assert "not run" not in verdicts["tril"]
    text = (restored.root / f"results/partial/words/{CORPUS}/table1.md").read_text(encoding="utf-8")
    assert "TRIL, K=2" in text
    missing.write_bytes(content)
    assert "results/partial/table1.csv" in restored.jobs("snakemake --cores 2 tables")
