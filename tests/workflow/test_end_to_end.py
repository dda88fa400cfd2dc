"""The rules of the words paper on a small text: runs of each kind, and what reruns after a change."""

import csv
import hashlib
import json
import os
import re
import zipfile

import pytest

import reports
import tiny

CORPUS, RUNS = tiny.CORPUS, tiny.WORDS_RUNS


def folder(run, split="standard"):
    return f"results/words/{CORPUS}/{split}/{run}/seed0"


@pytest.fixture(scope="module")
def project(new_project):
    """A project in which the command of README and then all the rest have been run."""
    project = new_project()
    tiny.write(project.root, tiny.words)
    project.run("snakemake --cores 2 --resources gpu=2 results/table1.csv")
    project.run("snakemake --cores 2")
    return project


def cells(project, table):
    with (project.root / table).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def change(project, edit):
    tiny.change(project.root, "words", edit)


def test_tables_have_values_for_all_planned_rows(project):
    for split, names in RUNS.items():
        table = cells(project, "results/table1.csv" if split == "standard" else "results/table2.csv")
        for name in names:
            mine = [cell for cell in table if cell["run"] == name and cell["split"] == split]
            assert {"ce_train", "unique"} <= {cell["metric"] for cell in mine if cell["value"]}, name
            assert {cell["corpus_title"] for cell in mine} == {"Python topics"}


def test_tidy_table_contains_both_papers(project):
    table = cells(project, "results/table1.csv")
    assert {cell["paper"] for cell in table} == {"words", "sentences"}
    assert {cell["verdict"] for cell in table if cell["paper"] == "sentences"} == {"not run"}


def test_tables_and_figures_are_written_in_all_formats(project):
    results = project.root / "results" / "words" / CORPUS
    for n in (1, 2):
        assert "BASELINE-8D" in (results / f"table{n}.md").read_text(encoding="utf-8")
        assert "BASELINE-8D" in (results / f"table{n}.tex").read_text(encoding="utf-8")
        assert (results / f"figure{n}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (results / f"figure{n}.svg").read_text(encoding="utf-8")


def test_claims_have_measured_and_published_outcomes(project):
    claims = {claim["id"]: claim for claim in cells(project, "results/claims.csv")}
    samples = claims["two-samples-lower-ce"]
    assert (samples["outcome"], samples["published_outcome"]) == ("undecided", "fails")
    assert samples["effect"]
    assert samples["missing"].startswith("one seed")
    assert (samples["corpus"], samples["stand_in"]) == (CORPUS, "true")
    # A run without training needs no second seed.
    assert claims["oracle-not-optimal-on-test"]["outcome"] == "holds"
    assert claims["five-samples-lower-ce"]["missing"] == "not in the plan: TRIL, K=5; 2×TRIL, K=5; 2×TRIL"
    text = (project.root / "results/claims.md").read_text(encoding="utf-8")
    assert samples["claim"] in text


def test_report_contains_tables_figures_and_claims(project):
    project.run("snakemake --report results/report.html")
    report = reports.read(project.root / "results/report.html")
    assert report.categories == {
        "Schmidt & Hofmann (2018)": {
            "Tables": [f"results/words/{CORPUS}/table{n}.html" for n in (1, 2)],
            "Figures": [f"results/words/{CORPUS}/figure{n}.svg" for n in (1, 2)],
        },
        "Claims": {"Other": ["results/claims.html"]},
    }
    table = f"results/words/{CORPUS}/table1.html"
    assert report.results[table]["labels"] == {"result": "Table \u20071", "data": "Python topics"}
    assert "Table 1 of Schmidt" in report.results[table]["caption"]
    assert ">BASELINE-8D</td>" in report.text(table)
    assert "<svg" in report.text(f"results/words/{CORPUS}/figure2.svg")
    assert "Livne" not in report.page


def test_status_shows_all_runs_as_done(project):
    text = project.run("python -m textlvm.reporting.status --all")
    # The unseen words have a second draw.
    runs = sum(map(len, RUNS.values())) + len(RUNS["unseen"])
    assert text.startswith(f"{runs} of {runs} done in all\n")
    assert re.search(r"standard/tril-k2 +0  done +20/20 +\d", text)


def test_spec_and_metrics_record_name_and_settings(project):
    spec = json.loads((project.root / folder("tril-k2") / "spec.json").read_text())
    metrics = json.loads((project.root / folder("tril-k2") / "metrics.json").read_text())
    assert spec["name"] == f"words/{CORPUS}/standard/tril-k2"
    assert spec["model"]["samples"] == 2
    assert spec["training"]["steps"] == metrics["settings"]["entropy_trajectories"] == 20


def test_archive_contains_results_code_and_provenance(project):
    with zipfile.ZipFile(project.root / "results/ro-crate.zip") as archive:
        files = set(archive.namelist())
        entities = {
            entity["@id"]: entity for entity in json.loads(archive.read("ro-crate-metadata.json"))["@graph"]
        }
        configuration = json.loads(archive.read("configuration.json"))
        record = json.loads(archive.read(f"{folder('tril-k2')}/provenance.json"))
    runs = {folder(name, split) for split, names in RUNS.items() for name in names}
    assert {f"{run}/metrics.json" for run in runs} | {"results/table1.csv", "workflow/inputs.smk"} <= files
    assert configuration["papers"] == ["words"]
    assert record["configuration"]["model"]["samples"] == 2
    # The project is not in a git repository here.
    assert record["training"]["git"] is record["evaluation"]["git"] is None
    assert record["training"]["packages"]["torch"] == record["evaluation"]["packages"]["torch"]
    assert record["training"]["cost"]["steps"] == 20
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted((project.root / "my texts").iterdir())
    ]
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert record["corpora"] == {"my texts": digest}
    assert (
        entities[f"#words/{CORPUS}/standard/tril-k2/seed0/training"]["endTime"] == record["training"]["ended"]
    )
    assert entities[f"#corpora/{CORPUS}/my_texts"]["sha256"] == digest


def test_files_of_a_folder_are_counted_without_copies(project):
    parts = [path.name for path in (project.root / "resources" / "counts" / CORPUS / "shares").iterdir()]
    assert parts == ["1.tsv"]
    assert not (project.root / "resources" / "downloads" / CORPUS).exists()


def test_touched_files_and_changed_resources_rerun_nothing(restored):
    for path in restored.root.rglob("*"):
        excluded = {"results", "resources", ".snakemake"} & set(path.relative_to(restored.root).parts)
        if path.is_file() and not excluded:
            path.touch()
    source = restored.root / "workflow/textlvm/words/letters.py"
    text = source.read_text(encoding="utf-8")
    text = re.sub(r'\A""".*?"""', '"""Another docstring."""', text, flags=re.DOTALL)
    source.write_text(f"{text}\n\n# A comment.\n", encoding="utf-8")
    assert restored.jobs("snakemake --cores 2") == set()
    resources = "--resources gpu=0 --set-threads words_train=2 --set-resources words_train:mem_mb=9"
    assert restored.jobs(f"snakemake --cores 2 {resources}") == set()


def test_changed_code_of_tables_reruns_only_tables(restored):
    path = restored.root / "workflow/textlvm/reporting/published.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nMEANINGFUL = 1\n", encoding="utf-8")
    tables = {f"results/table{n}.csv" for n in (1, 2)} | {
        f"results/words/{CORPUS}/table{n}.csv" for n in (1, 2)
    }
    figures = {f"results/words/{CORPUS}/figure{n}.png" for n in (1, 2)}
    tables |= {"results/claims.csv", "results/readings.csv", "results/index.html", "results/ro-crate.zip"}
    # The figures may be remade, too: they read metrics with the same code.
    assert tables <= restored.jobs("snakemake --cores 2") <= tables | figures | {"all"}


def test_changed_code_of_the_objective_retrains_all_runs(restored):
    path = restored.root / "workflow/textlvm/words/objective.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nMEANINGFUL = 1\n", encoding="utf-8")
    jobs = restored.jobs("snakemake --cores 2")
    trained = {f"{folder(name, split)}/spec.json" for split, names in RUNS.items() for name in names}
    assert trained <= jobs
    assert not any(job.endswith((".arpa", "words.tsv", "vocabulary.tsv")) for job in jobs)


DEPENDENTS = {
    "results/table1.csv",
    "results/claims.csv",
    f"results/words/{CORPUS}/table1.csv",
    f"results/words/{CORPUS}/figure1.png",
    "results/readings.csv",
    "results/index.html",
    "results/ro-crate.zip",
    "all",
}


CHANGES = {
    "tril": {"training": {"steps": 30}},
    "real-nvp": {"evaluation": {"bootstrap": 6}},
    "tril-k3": {"table": 1, "row": "TRIL, K=3", "model": {"samples": 3}},
}


def test_changed_or_added_run_reruns_the_run_and_its_outputs(restored):
    def edit(words):
        for name, entry in CHANGES.items():
            words["runs"]["standard"].setdefault(name, {}).update(entry)

    change(restored, edit)
    trained = {f"{folder(name)}/spec.json" for name in ("tril", "tril-k3")}
    evaluated = {f"{folder(name)}/metrics.json" for name in CHANGES}
    assert restored.jobs("snakemake --cores 2") == trained | evaluated | DEPENDENTS


def test_forcerun_of_a_model_reruns_its_row(project):
    run = {f"{folder('tril')}/spec.json", f"{folder('tril')}/metrics.json"}
    line = f"snakemake --cores 8 --forcerun {folder('tril')}/model.safetensors"
    assert project.jobs(line) == run | DEPENDENTS


def test_partial_tables_mark_missing_and_outdated_runs_as_not_run(restored):
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
    # Its metrics were computed with other settings.
    assert verdicts["oracle"] == {"not run"}
    assert "not run" not in verdicts["tril"]
    text = (restored.root / f"results/partial/words/{CORPUS}/table1.md").read_text(encoding="utf-8")
    assert "TRIL, K=2" in text
    claims = {claim["id"]: claim for claim in cells(restored, "results/partial/claims.csv")}
    assert claims["two-samples-lower-ce"]["missing"] == "not run: TRIL, K=2"
    missing.write_bytes(content)
    assert "results/partial/table1.csv" in restored.jobs("snakemake --cores 2 tables")


def modification_times(project):
    """The modification times of the project's files, without those of Snakemake and bytecode."""
    files = (path for path in project.root.rglob("*") if path.is_file())
    return {
        path: path.stat().st_mtime_ns
        for path in files
        if not {".snakemake", "__pycache__"} & {*path.relative_to(project.root).parts}
    }


def test_removed_metrics_are_computed_again_with_the_same_content(project):
    metrics = project.root / folder("tril-k2") / "metrics.json"
    before = metrics.read_bytes()
    metrics.unlink()
    files = modification_times(project)
    assert project.jobs("snakemake --cores 2") == {f"{folder('tril-k2')}/metrics.json"} | DEPENDENTS
    # A dry run changes no file.
    assert modification_times(project) == files
    project.run("snakemake --cores 2")
    assert metrics.read_bytes() == before
    assert project.jobs("snakemake --cores 2") == set()
    # A second time: now there is a record of the first rerun.
    metrics.unlink()
    assert f"{folder('tril-k2')}/metrics.json" in project.jobs("snakemake --cores 2")
    metrics.write_bytes(before)
    assert project.jobs("snakemake --cores 2") == set()
    project.run("snakemake --cores 2")


def test_damaged_spec_is_reported_with_the_command_that_retrains(project):
    spec = project.root / folder("tril-k2") / "spec.json"
    before = spec.read_bytes()
    spec.write_text("{")
    output = project.run("snakemake --cores 2 --dry-run")
    assert f"train them again with --forcerun {folder('tril-k2')}/spec.json" in output
    assert f"{folder('tril-k2')}/spec.json" in project.jobs(
        f"snakemake --cores 2 --forcerun {folder('tril-k2')}/spec.json"
    )
    spec.write_bytes(before)
    assert "--forcerun" not in project.run("snakemake --cores 2 --dry-run")


def test_commit_reruns_nothing_and_changes_no_metric(project, monkeypatch):
    # If the tests run in a git hook, these variables refer to its repository.
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    before = {
        name: (project.root / folder("oracle") / name).read_bytes()
        for name in ("metrics.json", "samples.txt")
    }
    project.run("git init --quiet && git add Snakefile config.yaml workflow envs")
    identity = "-c user.name=A -c user.email=a@example.org -c commit.gpgsign=false"
    project.run(f"git {identity} commit --quiet --message Begin")
    assert project.jobs("snakemake --cores 2") == set()
    target = f"{folder('oracle')}/metrics.json"
    project.run(f"snakemake --cores 2 --forcerun {target} -- {target}")
    assert before == {name: (project.root / folder("oracle") / name).read_bytes() for name in before}
    record = json.loads((project.root / folder("oracle") / "provenance.json").read_text())
    assert len(record["evaluation"]["git"]["commit"]) == 40
    # The page and the archive still contain the provenance of the previous evaluation.
    assert project.jobs("snakemake --cores 2") == {"results/index.html", "results/ro-crate.zip", "all"}
