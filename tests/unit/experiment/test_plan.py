import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from textlvm.experiment import plan
from textlvm.runtime.errors import UserError
from textlvm.words import plan as words

CONFIG = {
    "papers": ["words"],
    "words": {
        "corpora": ["gutenberg", "mine"],
        "seeds": [0, 3],
        "vocabulary": {"min_count": 2},
        "split": {"seeds": [0], "repeated": 1},
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
    },
}
RUNS = words.plan(CONFIG["words"], {})


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


def test_planner_with_the_name_of_another_paper_is_rejected():
    """As in the copied folder of a paper."""
    copied = SimpleNamespace(name="mine", folder=Path("papers/mine"), planner=words)
    with pytest.raises(
        UserError, match=r"papers/mine: plan\.py and rules\.smk use the name 'words'; replace"
    ):
        plan.planned({"mine": CONFIG["words"]}, [copied], {})


def test_entry_overrides_only_its_settings_of_the_section():
    tril, k5, unseen = RUNS[:3]
    assert tril.model == CONFIG["words"]["model"]
    assert k5.model == {"family": "state-space", "dim": 8, "samples": 5}
    assert k5.training == tril.training == {"steps": 100}
    assert unseen.training == {"steps": 7}
    assert unseen.evaluation == {"trajectories": 64}


@pytest.mark.parametrize(
    ("original", "corpus", "expected"),
    [
        ("bookscorpus", "bookscorpus", False),
        ("bookscorpus", "ptb", True),
        ("yelp15", "yelp15", False),
        ("yelp15", "yahoo", True),
    ],
)
def test_corpus_other_than_the_original_is_a_stand_in(original, corpus, expected):
    run = replace(RUNS[0], corpus=corpus, original=original)
    (entry,) = plan.titled([run], {corpus: ("A corpus", False)})
    assert entry.stand_in is expected


@pytest.mark.parametrize(("family", "expected"), [("gru", True), ("oracle", False), ("trigram", False)])
def test_models_that_only_count_are_not_trained(family, expected):
    runs = {"standard": {"own": {"table": 1, "row": "A row", "model": {"family": family}}}}
    run, _ = words.plan(CONFIG["words"] | {"runs": runs}, {})
    assert (run.is_trained, run.model_kind) == (expected, family)


@pytest.fixture
def evaluated(tmp_path):
    """Results in which the first run is evaluated with seed 0."""
    run = RUNS[0]
    folder = tmp_path / run.path / "seed0"
    folder.mkdir(parents=True)
    spec = {"name": run.path, "seed": 0, "model": run.model, "training": run.training}
    (folder / "spec.json").write_text(json.dumps(spec))
    (folder / "metrics.json").write_text(json.dumps({"settings": run.evaluation}))
    return tmp_path


def test_run_evaluated_with_current_settings_is_finished(evaluated):
    run = RUNS[0]
    assert run.is_finished(0, evaluated)
    assert not run.is_finished(3, evaluated)
    assert not RUNS[1].is_finished(0, evaluated)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("spec.json", {"model": {"samples": 9}, "training": {"steps": 100}}),
        ("spec.json", {"model": CONFIG["words"]["model"], "training": {"steps": 101}}),
        ("metrics.json", {"settings": {"trajectories": 65}}),
        ("metrics.json", "cut short"),
    ],
)
def test_run_with_other_settings_is_not_finished(evaluated, file, content):
    path = evaluated / RUNS[0].path / "seed0" / file
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    assert not RUNS[0].is_finished(0, evaluated)


def test_run_with_other_data_settings_is_not_finished(evaluated):
    path = evaluated / RUNS[0].path / "seed0" / "spec.json"
    run = RUNS[0]
    assert run.is_finished(0, evaluated), "old records have no settings of the data"
    spec = json.loads(path.read_text())
    path.write_text(json.dumps(spec | {"data": {"vocabulary": {"min_count": 1}}}))
    assert not run.is_finished(0, evaluated)
    path.write_text(json.dumps(spec | {"data": run.data}))
    assert run.is_finished(0, evaluated)


def test_run_with_metrics_of_the_previous_model_is_not_finished(evaluated):
    folder = evaluated / RUNS[0].path / "seed0"
    for name, when in (("metrics.json", 1), ("spec.json", 2)):
        os.utime(folder / name, (when, when))
    assert RUNS[0].is_finished(0, evaluated), "without a checkpoint, times are ignored"
    (folder / "checkpoint").mkdir()
    assert not RUNS[0].is_finished(0, evaluated)
    os.utime(folder / "metrics.json", (3, 3))
    assert RUNS[0].is_finished(0, evaluated)


def fail(results, run, **changes):
    """Write the file that a failed training leaves."""
    folder = results / run.training_path / "seed0" / "checkpoint"
    folder.mkdir(parents=True, exist_ok=True)
    failure = {"model": run.model, "training": run.training, "status": "failed"} | changes
    (folder / "failure.json").write_text(json.dumps(failure))
    return folder / "failure.json"


def test_outcome_is_metrics_or_failure_with_current_settings(evaluated):
    done, failed, waiting = RUNS[:3]
    # Metrics take precedence over an earlier failure.
    fail(evaluated, done)
    assert done.outcome(0, evaluated) == evaluated / done.metrics(0)
    file = fail(evaluated, failed)
    assert failed.outcome(0, evaluated) == file
    assert failed.outcome(3, evaluated) is None
    assert waiting.outcome(0, evaluated) is None
    for other in ({"model": {}}, {"training": {}}):
        fail(evaluated, failed, **other)
        assert failed.outcome(0, evaluated) is None
