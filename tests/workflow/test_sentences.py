"""The rules of the sentences paper on a small text: runs of each kind, and what reruns after a change."""

import csv
import json

import pytest

import reports
import tiny

RUNS = tiny.SENTENCES_RUNS
TRAINED = {
    f"{dataset}/{name}"
    for dataset, entries in RUNS.items()
    for name, entry in entries.items()
    if "trained_on" not in entry
}
TABLES = (1, 2, 3, 4, 6, 7, 8)


@pytest.fixture(scope="module")
def project(new_project):
    """A project in which everything has been run."""
    project = new_project()
    tiny.write(project.root, tiny.sentences)
    project.run("snakemake --cores 2")
    return project


def change(project, edit):
    tiny.change(project.root, "sentences", edit)


def edit_code(project, module):
    path = project.root / "workflow" / "textlvm" / f"{module}.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nMEANINGFUL = 1\n", encoding="utf-8")


def cells(project, table, folder="results"):
    with (project.root / folder / f"table{table}.csv").open(encoding="utf-8", newline="") as file:
        return [cell for cell in csv.DictReader(file) if cell["paper"] == "sentences"]


def of_runs(jobs, file):
    """The runs for which jobs create this file, as `<dataset>/<run>`."""
    return {"/".join(job.split("/")[2:4]) for job in jobs if job.endswith(f"/{file}")}


def test_all_planned_rows_have_values(project):
    for dataset, table in (("ptb", 2), ("yelp15", 3), ("yahoo", 4), ("yahoocqa", 8)):
        filled = {cell["row"] for cell in cells(project, table) if cell["value"]}
        assert filled == {entry["row"] for entry in RUNS[dataset].values() if "row" in entry}
    assert {cell["row"] for cell in cells(project, 1) if cell["value"]} == {
        "PTB",
        "Yahoo",
        "Yelp15",
        "Everything",
    }


def test_verdicts_distinguish_quoted_rows_from_those_not_run(project):
    verdicts = {cell["row"]: cell["verdict"] for cell in cells(project, 2)}
    assert verdicts["GPT-2 full†"] == "published only"
    assert verdicts["sMIM (512)"] == "not run"


def test_collected_row_takes_its_value_from_a_run(project):
    entropies = {(c["dataset"], c["row"]): c for c in cells(project, 6) if c["value"]}
    assert set(entropies) == {(d, row) for d in ("ptb", "yahoo") for row in ("sMIM (S)", "N(S)")}
    metrics = json.loads((project.root / "results/sentences/ptb/smim/seed0/metrics.json").read_text())[
        "metrics"
    ]
    for row, metric in (("sMIM (S)", "latent_entropy"), ("N(S)", "normal_entropy")):
        assert float(entropies["ptb", row]["value"]) == metrics[metric]["value"]
    assert {cell["metric"] for cell in cells(project, 6)} == {"latent_entropy"}
    text = (project.root / "results/sentences/table6.md").read_text(encoding="utf-8")
    assert "| Penn Treebank" in text
    assert "N(S) (nats)" in text


def test_printed_bleu_is_compared_with_the_configured_reading(project):
    measured = [cell for table in (2, 7) for cell in cells(project, table) if cell["value"]]
    compared = [cell for cell in measured if cell["metric"] == "bleu1"]
    assert {cell["reading"] for cell in compared} == {"bleu1_eos"}
    (ae,) = [cell for cell in compared if cell["table"] == "7"]
    path = project.root / "results/sentences/ptb/ae/seed0/metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8"))["metrics"]
    assert float(ae["value"]) == metrics["bleu1_eos"]["value"]


def test_run_trained_on_the_union_is_evaluated_on_its_parts(project):
    folder = project.root / "results" / "sentences"
    metrics = json.loads((folder / "ptb" / "smim-all" / "seed0" / "metrics.json").read_text())
    assert (metrics["dataset"], metrics["run"]) == ("ptb", "smim-all")
    assert not (folder / "ptb" / "smim-all" / "seed0" / "model.safetensors").exists()
    assert (folder / "everything" / "smim-all" / "seed0" / "model.safetensors").exists()


def test_tables_figures_and_texts_are_written(project):
    folder = project.root / "results" / "sentences"
    for n in TABLES:
        assert (folder / f"table{n}.md").read_text(encoding="utf-8").startswith(f"# Table {n} of Livne")
        assert "\\begin{table}" in (folder / f"table{n}.tex").read_text(encoding="utf-8")
    for n in range(3, 9):
        assert (folder / f"figure{n}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (folder / f"figure{n}.svg").read_text(encoding="utf-8")
    for n in (12, 15, 21):
        assert (folder / f"table{n}.md").read_text(encoding="utf-8").startswith(f"# Table {n}")
        assert json.loads((folder / f"table{n}.json").read_text())["table"] == n


def test_claim_about_a_figure_reads_the_files_of_its_runs(project):
    claims = {
        c["id"]: c for c in csv.DictReader((project.root / "results/claims.csv").open(encoding="utf-8"))
    }
    separated = claims["smim-separates-sentences"]
    assert separated["missing"] == "not in the plan: sMIM (512)"
    assert "results/sentences/ptb/svae/seed0/metrics.json" in separated["runs"]
    identity = claims["bounds-differ-by-kld-and-log-n/ptb"]
    assert identity["missing"] == "not in the plan: sVAE (128); sVAE (512)"


def test_report_contains_tables_figures_and_texts(project):
    project.run("snakemake --report results/report.html")
    report = reports.read(project.root / "results/report.html")
    assert report.categories["Livne, Swersky & Fleet (2020)"] == {
        "Tables": [f"results/sentences/table{n}.html" for n in TABLES],
        "Figures": [f"results/sentences/figure{n}.svg" for n in range(3, 9)],
        "Texts": [f"results/sentences/table{n}.html" for n in (12, 15, 21)],
    }
    labels = {path: result["labels"]["data"] for path, result in report.results.items()}
    assert labels["results/sentences/figure4.svg"] == "PTB, Yelp15, Yahoo"
    assert labels["results/sentences/table6.html"] == "Penn Treebank, Yahoo Answers"
    assert "<h1>Table 12: Reconstruction, Python topics</h1>" in report.text("results/sentences/table12.html")
    assert (
        "(2020): NLL by MELBO as a function of the number of test sentences"
        in report.results["results/sentences/figure5.svg"]["caption"]
    )
    assert "Schmidt" not in report.page


def test_status_shows_all_runs_as_done(project):
    text = project.run("python -m textlvm.reporting.status")
    runs = sum(map(len, RUNS.values()))
    assert text.startswith(f"{runs} of {runs} done in all\n")


def test_integers_written_as_floats_rerun_nothing(restored):
    def edit(section):
        section["seeds"] = [0.0]
        section["training"] |= {"steps": 4.0, "learning_rate": 5, "encoder_unk": 0.0}
        section["evaluation"] |= {"repeats": 2.0}
        section["qualitative"] |= {"perturbation": 10.0, "reconstruct": [0.0, 1, 2.0]}

    change(restored, edit)
    assert restored.jobs("snakemake --cores 2") == set()


def test_number_of_distinct_test_sentences_does_not_prepare_the_data_set_again(restored):
    line = "snakemake --dry-run --printshellcmds --forcerun sentences_prepare -- results/sentences/ptb/data"
    assert "--distinct 4 " in restored.run(f"{line}/statistics.json")
    change(restored, lambda section: section["evaluation"].update(entropy_neighbours=5))
    assert "--distinct 6 " in restored.run(f"{line}/statistics.json")
    jobs = restored.jobs("snakemake --cores 2")
    assert not any(job.endswith(("statistics.json", "spec.json")) for job in jobs)
    assert "ptb/smim" in of_runs(jobs, "metrics.json")


def test_changed_setting_of_a_run_reruns_the_run_and_its_outputs(restored):
    change(restored, lambda section: section["runs"]["yelp15"]["smim"].update(training={"clip": 1.0}))
    jobs = restored.jobs("snakemake --cores 2")
    assert of_runs(jobs, "spec.json") == of_runs(jobs, "metrics.json") == {"yelp15/smim"}
    rest = {job.removeprefix("results/") for job in jobs if "/seed0/" not in job}
    assert rest == {
        *("table3.csv", "sentences/table3.csv", "sentences/figure7.png"),
        *("claims.csv", "readings.csv", "index.html", "ro-crate.zip", "all"),
    }


def test_changed_setting_of_a_data_set_retrains_only_its_runs(restored):
    change(restored, lambda section: section["datasets"]["ptb"].update(model={"hidden": 9}))
    jobs = restored.jobs("snakemake --cores 2")
    assert of_runs(jobs, "spec.json") == {"ptb/svae", "ptb/smim", "ptb/ae"}


def test_changed_code_of_the_evaluation_retrains_nothing(restored):
    edit_code(restored, "sentences/evaluation/bleu")
    jobs = restored.jobs("snakemake --cores 2")
    assert not of_runs(jobs, "spec.json")
    assert of_runs(jobs, "metrics.json") == {f"{d}/{name}" for d, runs in RUNS.items() for name in runs} - {
        "everything/smim-all"
    }


def test_changed_code_of_the_losses_retrains_all_runs(restored):
    edit_code(restored, "sentences/models/losses")
    jobs = restored.jobs("snakemake --cores 2")
    assert of_runs(jobs, "spec.json") == TRAINED
    assert not any(job.endswith("statistics.json") for job in jobs)


def test_partial_tables_mark_missing_and_outdated_runs_as_not_run(restored):
    missing = restored.root / "results/sentences/ptb/svae/seed0/metrics.json"
    content = missing.read_bytes()
    missing.unlink()
    change(restored, lambda section: section["datasets"]["yelp15"].update(seed=1))
    restored.run("snakemake --cores 2 tables")
    verdicts = {c["row"]: c["verdict"] for c in cells(restored, 2, "results/partial")}
    assert verdicts["sVAE (16)"] == "not run"
    assert verdicts["sMIM (16)"] != "not run"
    sizes = [c for c in cells(restored, 1, "results/partial") if c["metric"] == "train"]
    verdicts = {c["row"]: c["verdict"] for c in sizes}
    assert (verdicts["Yelp15"], verdicts["PTB"]) == ("not run", "stand-in")
    assert (restored.root / "results/partial/sentences/table2.md").exists()
    missing.write_bytes(content)
