import json
from pathlib import Path

import pytest

from textlvm import plan
from textlvm.errors import UserError
from textlvm.reporting.runs import read_plan

CONFIG = {
    "words": {
        "corpora": ["gutenberg", "mine"],
        "seeds": [0, 3],
        "model": {"family": "state-space", "dim": 8, "samples": 1},
        "training": {"steps": 100},
        "evaluation": {"trajectories": 64},
        "runs": {
            "standard": {
                "tril": {"table": 1, "row": "TRIL"},
                "tril-k5": {"table": 1, "row": "TRIL, K=5", "model": {"samples": 5}},
            },
            "unseen": {"tril": {"table": 2, "row": "TRIL", "training": {"steps": 7}}},
        },
    }
}
RUNS = plan.runs(CONFIG)


def test_every_entry_is_a_run_on_every_corpus():
    assert [run.path for run in RUNS] == [
        "words/gutenberg/standard/tril",
        "words/gutenberg/standard/tril-k5",
        "words/gutenberg/unseen/tril",
        "words/mine/standard/tril",
        "words/mine/standard/tril-k5",
        "words/mine/unseen/tril",
    ]
    assert all(run.seeds == (0, 3) for run in RUNS)


def test_an_entry_overrides_the_section_and_nothing_else():
    tril, k5, unseen = RUNS[:3]
    assert tril.model == CONFIG["words"]["model"]
    assert k5.model == {"family": "state-space", "dim": 8, "samples": 5}
    assert k5.training == tril.training == {"steps": 100}
    assert unseen.training == {"steps": 7}
    assert unseen.evaluation == {"trajectories": 64}


def test_rows_are_those_of_the_table_and_readable_by_the_tables():
    corpora = {"gutenberg": ("Gutenberg", True), "mine": ("Mine", False)}
    planned = read_plan(plan.rows(RUNS, 1, corpora))
    assert [(row.row, row.corpus_title, row.stand_in) for row in planned] == [
        ("TRIL", "Gutenberg", True),
        ("TRIL, K=5", "Gutenberg", True),
        ("TRIL", "Mine", False),
        ("TRIL, K=5", "Mine", False),
    ]
    assert planned[0].seeds == (0, 3)
    assert plan.rows(RUNS, 5, corpora) == {"rows": []}


@pytest.fixture
def measured(tmp_path):
    """Results in which the first run is measured with seed 0."""
    run = RUNS[0]
    folder = tmp_path / run.path / "seed0"
    folder.mkdir(parents=True)
    spec = {"name": run.path, "seed": 0, "model": run.model, "training": run.training}
    (folder / "spec.json").write_text(json.dumps(spec))
    (folder / "metrics.json").write_text(json.dumps({"settings": run.evaluation}))
    return tmp_path


def test_finished_is_what_was_measured_with_the_settings_of_now(measured):
    run = RUNS[0]
    assert plan.finished(run, 0, measured)
    assert not plan.finished(run, 3, measured)
    assert not plan.finished(RUNS[1], 0, measured)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("spec.json", {"model": {"samples": 9}, "training": {"steps": 100}}),
        ("spec.json", {"model": CONFIG["words"]["model"], "training": {"steps": 101}}),
        ("metrics.json", {"settings": {"trajectories": 65}}),
        ("metrics.json", "cut short"),
    ],
)
def test_other_settings_are_not_finished(measured, file, content):
    path = measured / RUNS[0].path / "seed0" / file
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    assert not plan.finished(RUNS[0], 0, measured)


def complaint(target: str) -> str | None:
    try:
        plan.check_target(target, "results/mine", RUNS, lambda key: f"{key[-1]}.yaml")
    except UserError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    "target",
    [
        "results/mine/table8.csv",
        "results/mine/partial/table1.csv",
        "results/mine/words/mine/table2.md",
        "results/mine/partial/words/mine/table2.md",
        "results/mine/words/gutenberg/figure1.png",
        "results/mine/words/gutenberg/standard/words.tsv",
        "results/mine/words/gutenberg/unseen/tril/seed3/metrics.json",
        str(Path("results/mine/words/mine/standard/tril/seed0/metrics.json").absolute()),
        # Not ours to judge.
        "tables",
        "--cores",
        "",
        "results/mine",
        "results/table9.csv",
        "elsewhere/table9.csv",
        "results/mine/logs/table9.log",
        "results/mine/tabel1.csv",
    ],
)
def test_what_is_planned_or_not_ours_passes(target):
    assert complaint(target) is None


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("table9.csv", "there is no table 9; those that can be built are 1, 2, 3, 4, 5, 6, 7, 8"),
        ("partial/table0.csv", "there is no table 0; those that can be built are 1, 2, 3, 4, 5, 6, 7, 8"),
        ("words/mine/table3.md", "there is no table 3; those that can be built are 1, 2"),
        (
            "words/gutemberg/table1.md",
            "there is no 'gutemberg' in words.corpora of corpora.yaml; did you mean 'gutenberg'?",
        ),
        (
            "words/mine/standrad/words.tsv",
            "there is no 'standrad' in words.runs of runs.yaml; did you mean 'standard'?",
        ),
        (
            "words/mine/standard/tril-k6/seed0/metrics.json",
            "there is no 'tril-k6' in words.runs.standard of standard.yaml; did you mean 'tril-k5', 'tril'?",
        ),
        # A run of the other split.
        (
            "words/mine/unseen/tril-k5/seed0/metrics.json",
            "there is no 'tril-k5' in words.runs.unseen of unseen.yaml; did you mean 'tril'?",
        ),
        (
            "words/mine/standard/tril/seed2/metrics.json",
            "there is no 'seed2' in words.seeds of seeds.yaml; did you mean 'seed3', 'seed0'?",
        ),
    ],
)
def test_a_name_that_is_not_planned_is_refused(target, expected):
    assert complaint(f"results/mine/{target}") == f"results/mine/{target}: {expected}"
