"""Command lines as users type them, in dry runs on the shipped configuration."""

import itertools
import json
import re

import pytest

SEEDS = (0, 1, 2)
TRIL = "words/gutenberg/standard/tril"
DATASETS = ("ptb", "yahoo", "yelp15", "wikitext-103", "everything", "yahoocqa")


def runs_of(jobs: set[str]) -> set[str]:
    """The words paper's trained runs among the jobs' outputs, `<split>/<run>/seed<k>`."""
    jobs = {job for job in jobs if "/words/" in job}
    return {"/".join(job.split("/")[3:6]) for job in jobs if job.endswith("spec.json")}


def sentences_of(jobs: set[str], file: str) -> set[str]:
    """The sentences paper's runs with this file among the jobs' outputs, `<dataset>/<run>`."""
    jobs = {job.partition("/sentences/")[2] for job in jobs if job.endswith(f"/seed0/{file}")}
    return {"/".join(job.split("/")[:2]) for job in jobs if job}


@pytest.fixture(scope="module")
def everything(project):
    """The jobs of a run without targets."""
    return project.jobs("snakemake --cores 8")


def test_table_with_gpus_plans_exactly_its_runs(project):
    jobs = project.jobs("snakemake --cores 8 --resources gpu=2 results/table1.csv")
    runs = runs_of(jobs)
    assert "results/table1.csv" in jobs
    assert len(runs) == 18 * len(SEEDS)
    assert {run.split("/")[0] for run in runs} == {"standard"}
    # Of the sentences paper, Table 1 describes the data sets; nothing is trained for it.
    assert {f"results/sentences/{name}/data/statistics.json" for name in DATASETS[:5]} <= jobs
    assert not sentences_of(jobs, "spec.json")


def test_one_paper_can_be_selected(project):
    jobs = project.jobs("snakemake --cores 8 --config 'papers=[sentences]'")
    assert not any("words" in job for job in jobs)
    assert "results/table2.csv" in jobs


def test_values_given_by_config_may_contain_numbers(project):
    """Snakemake reads them as text."""
    line = "snakemake --cores 8 --config 'words={seeds: [1], training: {steps: 5}}' papers=[words]"
    jobs = project.jobs(line)
    assert {run.rpartition("/")[2] for run in runs_of(jobs)} == {"seed1"}


def test_targets_of_one_row_plan_only_its_seeds(project):
    jobs = project.jobs(
        "snakemake --cores 8 results/words/gutenberg/standard/tril-k5/seed{0,1,2}/metrics.json"
    )
    assert runs_of(jobs) == {f"standard/tril-k5/seed{seed}" for seed in SEEDS}
    assert not any("table" in job or "sentences" in job for job in jobs)


REMOVING = """
words: {runs: {standard: {tril-k5: null}}}
sentences:
  runs: {yahoo: {smim-32: null}}
  figures: {bounds: {yahoo: [smim-512]}}
  collected:
    table6: {rows: {sMIM (S): {runs: {yahoo: null}}, N(S): null}}
    table7: {rows: {sMIM (S): {runs: {yahoo: ae-32}}}}
"""


def test_null_removes_a_row(project, everything):
    (project.root / "mine.yaml").write_text(REMOVING)
    jobs = project.jobs("snakemake --cores 8 --configfile mine.yaml")
    assert runs_of(everything) - runs_of(jobs) == {f"standard/tril-k5/seed{seed}" for seed in SEEDS}
    for file in ("spec.json", "metrics.json"):
        assert sentences_of(everything, file) - sentences_of(jobs, file) == {"yahoo/smim-32"}
    status = project.run("python -m textlvm.reporting.status --all --configfile mine.yaml")
    assert "standard/tril-k2 " in status
    assert "standard/tril-k5 " not in status


def test_table_of_the_sentences_paper_plans_exactly_its_runs(project):
    jobs = project.jobs("snakemake --cores 8 results/sentences/table8.md")
    trained = {"smim-512": "yahoo", "ae-512": "yahoo", "smim-everything": "everything"}
    trained |= dict.fromkeys(("ap-bilstm", "ap-cnn", "hyperqa"), "yahoocqa")
    assert sentences_of(jobs, "spec.json") == {f"{dataset}/{name}" for name, dataset in trained.items()}
    assert sentences_of(jobs, "metrics.json") == {f"yahoocqa/{name}" for name in trained}


def test_tables_6_and_7_share_trainings(project):
    entropies, bleu = (project.jobs(f"snakemake --cores 8 results/sentences/table{n}.md") for n in (6, 7))
    assert sentences_of(entropies, "spec.json") < sentences_of(bleu, "spec.json")
    assert len(sentences_of(bleu, "spec.json")) == 3 * 6


def test_default_target_contains_all_tables_figures_and_the_page(project, everything):
    draws = {"unseen", *(f"unseen-{draw}" for draw in range(1, 10))}
    assert {run.split("/")[0] for run in runs_of(everything)} == {"standard", *draws}
    # All seeds on the standard split and on three of ten draws of the unseen words; one on the other draws.
    assert len(runs_of(everything)) == 18 * len(SEEDS) + 4 * (3 * len(SEEDS) + 7)
    assert {f"results/words/gutenberg/{name}" for name in ("table1.csv", "table2.csv")} <= everything
    assert {f"results/words/gutenberg/figure{n}.png" for n in (1, 2)} <= everything
    assert {f"results/sentences/table{n}.csv" for n in range(1, 9)} <= everything
    assert {f"results/sentences/table{n}.md" for n in range(9, 23)} <= everything
    assert {f"results/sentences/figure{n}.png" for n in range(3, 9)} <= everything
    assert len(sentences_of(everything, "spec.json")) == 42
    assert len(sentences_of(everything, "metrics.json")) == 48
    assert {f"results/table{n}.csv" for n in range(1, 9)} <= everything
    # The page depends on everything except the tables of single papers, since it reads the tidy ones.
    left = everything - project.jobs("snakemake --cores 1 results/index.html")
    assert {job for job in left if not re.search(r"/table\d\.csv$", job)} == {"all", "results/ro-crate.zip"}
    assert {"results/index.html", "results/claims.csv"} <= everything


def test_cluster_profile_plans_the_same_jobs(project, everything):
    assert project.jobs("snakemake --profile workflow/profiles/slurm") == everything


def test_demo_plans_all_rows_on_generated_corpora(project):
    jobs = project.jobs("snakemake --profile workflow/profiles/demo")
    assert len(runs_of({job.replace("results/demo/", "results/") for job in jobs})) == 22
    # All except GPT-2 and GPT-2 Large, whose weights would be downloaded.
    assert len(sentences_of(jobs, "spec.json")) == 40
    downloads = {job for job in jobs if job.startswith("resources/downloads/")}
    assert downloads == {
        "resources/downloads/documentation/documentation.txt",
        "resources/downloads/documentation-sentences/sentences.txt",
    }
    assert all(job == "all" or job.startswith(("results/demo/", "resources/")) for job in jobs)


def gpus_of(output, rule):
    """The number of GPUs that a training requests and passes to its step."""
    job = output.partition(f"rule {rule}:")[2]
    # Without the option, the step would use a GPU of the machine although none was requested.
    declared = re.search(r" gpu=(\d+),", job)[1]
    assert re.search(r" --gpus (\d+) ", job)[1] == declared
    return int(declared)


@pytest.mark.parametrize(
    ("limit", "words", "sentences"),
    [
        ("", 0, 1),
        ("--resources gpu=0", 0, 0),
        ("--set-resources sentences_train:gpu=0 words_train:gpu=1", 1, 0),
    ],
)
def test_only_trainings_of_sentences_request_a_gpu_by_default(project, limit, words, sentences):
    targets = [f"results/{run}/seed0/spec.json" for run in ("sentences/ptb/smim-16", TRIL)]
    output = project.run(f"snakemake --cores 8 {limit} --dry-run --printshellcmds --", *targets)
    assert (gpus_of(output, "words_train"), gpus_of(output, "sentences_train")) == (words, sentences)


def test_target_tables_trains_nothing(project):
    jobs = project.jobs("snakemake --cores 1 tables")
    assert jobs == {
        "tables",
        *(f"results/partial/table{n}.csv" for n in range(1, 9)),
        *(f"results/partial/words/gutenberg/table{n}.csv" for n in (1, 2)),
        *(f"results/partial/sentences/table{n}.csv" for n in range(1, 9)),
        "results/partial/claims.csv",
        "results/partial/readings.csv",
        "results/partial/index.html",
    }


def test_invalid_configuration_gives_one_error_message(project, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("words: {corpora: [gutemberg]}")
    result = project.call("snakemake --dry-run --configfile", str(file))
    message = "words.corpora lists 'gutemberg'; did you mean 'gutenberg', 'gutenberg-counts'?\n"
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert result.stderr.endswith(f"mine.yaml: {message}")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stdout
    assert 'File "' not in result.stdout


def test_unknown_name_in_a_target_gives_one_error_message(project):
    target = "results/sentences/ptb/smim-61/seed0/metrics.json"
    result = project.call(f"snakemake --dry-run --resources gpu=1 --forcerun {target}")
    assert (result.returncode, result.stderr) == (
        1,
        f"error: {target}: there is no 'smim-61' in sentences.runs.ptb of config.yaml; "
        "did you mean 'smim-16', 'smim-512', 'smim-128'?\n",
    )
    assert "Traceback" not in result.stdout


def test_every_rule_has_a_docstring(project):
    files = [project.root / "Snakefile", *(project.root / "workflow" / "rules").glob("*.smk")]
    for file in files:
        lines = file.read_text(encoding="utf-8").splitlines()
        for line, below in itertools.pairwise(lines):
            if line.startswith("rule "):
                assert below.strip().startswith('"""'), f"{file.name}: {line}"


def test_corpus_of_sentences_can_be_used_for_the_words_paper(project):
    (project.root / "mine.yaml").write_text("words: {corpora: [ptb]}\n")
    targets = [f"results/words/ptb/{name}" for name in ("table1.md", "figure1.png", "figure2.png")]
    jobs = project.jobs("snakemake --cores 8 --configfile mine.yaml", "--", *targets)
    assert "standard/tril/seed0" in runs_of(jobs)
    assert not sentences_of(jobs, "spec.json")


def test_number_of_counting_jobs_is_independent_of_the_number_of_files(project, tmp_path):
    for i in range(200):
        path = tmp_path / "books" / f"shelf {i % 3}" / f"第{i}册.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Tick, tock.")
    file = tmp_path / "mine.yaml"
    file.write_text(f"corpora: {{mine: {{path: {tmp_path / 'books'}, kind: text}}}}\n")
    jobs = project.jobs(f"snakemake --cores 1 --configfile {file}", "--", "resources/counts/mine.tsv")
    assert jobs == {"resources/counts/mine.tsv", "resources/counts/mine/shares/1.tsv"}


def test_plan_can_be_longer_than_an_argument(new_project, tmp_path):
    project, names = new_project(), [f"corpus-{i}" for i in range(8)]
    (tmp_path / "a.txt").write_text("Tick, tock.")
    corpora = {name: {"path": str(tmp_path), "kind": "text"} for name in names}
    (project.root / "mine.json").write_text(
        json.dumps({"papers": ["words"], "corpora": corpora, "words": {"corpora": names}})
    )
    command = "snakemake --cores 1 --configfile mine.json --printshellcmds -- results/partial/readings.csv"
    (plan,) = re.findall(r"<<<(.*)", project.run(command))
    # The limit of Linux.
    assert len(plan) > 131_072
    assert (project.root / "results/partial/readings.csv").exists()


def test_changed_size_of_a_corpus_file_downloads_it_again(new_project):
    project = new_project()
    file = "resources/downloads/gutenberg-fiction-counts/gutenberg_fiction.txt.gz"
    project.run("snakemake --cores 1", "--", file)
    registry = project.root / "workflow" / "corpora.yaml"
    text = registry.read_text()
    size = "      bytes: 502405\n"
    assert text.count(size) == 1
    registry.write_text(text.replace(size, f"{size}      urls: [https://a.org/b]\n"))
    assert project.jobs("snakemake --cores 1", "--", file) == set()
    registry.write_text(text.replace(size, "      bytes: 502406\n"))
    assert project.jobs("snakemake --cores 1", "--", file) == {file}
