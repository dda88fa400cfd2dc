import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from textlvm.corpora import registry
from textlvm.experiment import plan
from textlvm.reporting import published
from textlvm.reporting.runs import read_plan
from textlvm.runtime.errors import UserError

ROOT = Path(__file__).parents[3]
CONFIG = {
    "papers": ["words"],
    "words": {
        "corpora": ["gutenberg", "mine"],
        "seeds": [0, 3],
        "vocabulary": {"min_count": 2},
        "split": {"seed": 0},
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
    corpora = {"gutenberg": ("Gutenberg", True), "mine": ("Mine", True)}
    planned = read_plan(plan.rows(RUNS, 1, corpora))
    assert [(row.row, row.corpus_title, row.stand_in) for row in planned] == [
        ("TRIL", "Gutenberg", True),
        ("TRIL, K=5", "Gutenberg", True),
        ("TRIL", "Mine", True),
        ("TRIL, K=5", "Mine", True),
    ]
    assert planned[0].seeds == (0, 3)
    assert plan.rows(RUNS, 5, corpora) == {"rows": []}


@pytest.mark.parametrize(
    ("paper", "corpus", "expected"),
    [
        ({"dataset": ""}, "bookscorpus", False),
        ({"dataset": ""}, "ptb", True),
        ({"dataset": "yelp15"}, "yelp15", False),
        ({"dataset": "yelp15"}, "yahoo", True),
    ],
)
def test_a_corpus_of_the_papers_stands_in_where_another_was_used(paper, corpus, expected):
    run = replace(RUNS[0], corpus=corpus, **paper)
    (row,) = read_plan(plan.rows([run], 1, {corpus: ("A corpus", False)}))
    assert row.stand_in is expected


@pytest.mark.parametrize(("family", "expected"), [("gru", True), ("oracle", False), ("trigram", False)])
def test_what_only_counts_is_not_trained(family, expected):
    run = replace(RUNS[0], model={"family": family})
    (row,) = read_plan(plan.rows([run], 1, {run.corpus: ("A corpus", False)}))
    assert row.trained is expected


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
    assert run.is_finished(0, measured)
    assert not run.is_finished(3, measured)
    assert not RUNS[1].is_finished(0, measured)


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
    assert not RUNS[0].is_finished(0, measured)


def test_other_data_is_not_finished(measured):
    path = measured / RUNS[0].path / "seed0" / "spec.json"
    now = RUNS[0]
    assert now.is_finished(0, measured), "records of old do not say what they were trained on"
    spec = json.loads(path.read_text())
    path.write_text(json.dumps(spec | {"data": {"vocabulary": {"min_count": 1}}}))
    assert not now.is_finished(0, measured)
    path.write_text(json.dumps(spec | {"data": now.data}))
    assert now.is_finished(0, measured)


def test_metrics_of_the_model_before_are_not_finished(measured):
    folder = measured / RUNS[0].path / "seed0"
    for name, when in (("metrics.json", 1), ("spec.json", 2)):
        os.utime(folder / name, (when, when))
    assert RUNS[0].is_finished(0, measured), "times say nothing of files that were copied here"
    (folder / "checkpoint").mkdir()
    assert not RUNS[0].is_finished(0, measured)
    os.utime(folder / "metrics.json", (3, 3))
    assert RUNS[0].is_finished(0, measured)


PAPER = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
CORPORA = registry.load(ROOT / "workflow" / "corpora.yaml")
SENTENCES = {run.path: run for run in plan.runs(PAPER) if run.paper == "sentences"}
DATA_SETS = {own.dataset: own for own in plan.data_sets(PAPER, CORPORA)}


def test_a_run_of_the_sentences_paper_lies_below_its_data_set():
    run = SENTENCES["sentences/ptb/smim-16"]
    assert (run.dataset, run.corpus, run.split, run.seeds) == ("ptb", "ptb", "standard", (0,))
    assert run.metrics(0) == "sentences/ptb/smim-16/seed0/metrics.json"
    assert run.training_path == run.path


def test_a_data_set_overrides_the_section_and_an_entry_the_data_set():
    run = SENTENCES["sentences/ptb/vae-lstm-13"]
    assert run.model["hidden"] == 512
    assert run.training["learning_rate"] == 0.001
    assert run.training["kl_offset"] == 10000
    assert run.model["latent"] == 13
    assert SENTENCES["sentences/ptb/svae-16"].training["kl_offset"] == 0
    assert SENTENCES["sentences/yahoo/smim-512"].training["optimizer"] == "sgd"


def test_a_split_that_a_corpus_lacks_is_said_of_the_data_set(tmp_path):
    (tmp_path / "train.txt").touch()
    own = {"path": str(tmp_path), "kind": "sentences", "format": "lines"}
    corpora = registry.load(ROOT / "workflow" / "corpora.yaml", {"mine": own})
    section = PAPER["sentences"]
    changed = {**section, "datasets": {**section["datasets"], "ptb": {"corpus": "mine"}}}
    ptb = plan.data_sets({**PAPER, "sentences": changed}, corpora)[0]
    with pytest.raises(UserError) as error:
        plan.sources(ptb, corpora, lambda _: "mine.yaml")
    assert str(error.value) == (
        "mine.yaml: sentences.datasets.ptb: corpus 'mine' has no split 'valid', only 'train': say under "
        "`splits` where the data set's sentences come from, or use another corpus"
    )
    assert list(plan.sources(DATA_SETS["ptb"], corpora, lambda _: "")) == ["train", "valid", "test"]


def test_a_run_measured_elsewhere_is_the_trained_one_with_evaluations_of_its_own():
    there, here = (
        SENTENCES["sentences/everything/smim-everything"],
        SENTENCES["sentences/ptb/smim-everything"],
    )
    assert here.training_path == there.path
    assert (here.model, here.training) == (there.model, there.training)
    assert here.corpus == "ptb"
    assert there.rows == ()
    assert there.corpus == "everything"


def test_a_row_may_show_a_run_once_more_under_another_name():
    rows = SENTENCES["sentences/ptb/smim-16"].rows
    assert [(row.table, row.label, row.metrics) for row in rows] == [
        (2, "sMIM (16)", {}),
        (6, "sMIM (S)", {"latent_entropy": "latent_entropy"}),
        (6, "N(S)", {"latent_entropy": "normal_entropy"}),
        (7, "sMIM (S)", {"bleu1": "bleu1"}),
    ]
    assert SENTENCES["sentences/ptb/ae-16"].label == "AE (S)"


def test_rows_of_sentences_say_what_a_printed_metric_is_compared_with():
    titles = {own.corpus: ("A corpus", False) for own in SENTENCES.values()}
    for table in (2, 7):
        planned = read_plan(plan.rows(SENTENCES.values(), table, titles))
        assert planned
        assert {tuple(row.compared.items()) for row in planned} == {(("bleu1", "bleu1_eos"),)}


def test_table_1_has_the_data_sets_but_for_the_questions():
    titles = {name: (corpus.title, not corpus.paper_corpus) for name, corpus in CORPORA.items()}
    titles["everything"] = ("the union", False)
    planned = read_plan(plan.rows(DATA_SETS.values(), 1, titles))
    assert [row.row for row in planned] == ["PTB", "Yahoo", "Yelp15", "WikiText-103", "Everything"]
    assert planned[0].run_key == ("sentences", "ptb", "ptb", "standard", "data")
    assert DATA_SETS["yahoocqa"].is_of_questions
    assert not any(own.is_of_questions for name, own in DATA_SETS.items() if name != "yahoocqa")


def test_every_printed_row_that_the_paper_trained_or_is_to_be_trained_here_is_planned():
    printed = [row for row in published.read(ROOT / "workflow" / "published.csv") if row.paper == "sentences"]
    everything = (*DATA_SETS.values(), *SENTENCES.values())
    planned = {(row.table, own.dataset, row.label) for own in everything for row in own.rows}
    ours = {(row.table, row.dataset, row.row) for row in printed if row.kind == "own"}
    assert ours <= planned
    quoted = {(row.table, row.dataset, row.row) for row in printed if row.kind == "quoted"}
    assert quoted & planned == {
        (2, "ptb", "VAE-LSTM (13)"),
        (3, "yelp15", "LSTM-LM"),
        (4, "yahoo", "LSTM-LM"),
        (8, "yahoocqa", "AP-BiLSTM"),
    }


def test_prepared_is_what_was_prepared_with_the_settings_of_now(tmp_path):
    own = DATA_SETS["ptb"]
    file = tmp_path / "sentences" / "ptb" / "data" / "statistics.json"
    file.parent.mkdir(parents=True)
    assert not own.is_finished(0, tmp_path)
    file.write_text(json.dumps({"settings": own.settings}))
    assert own.is_finished(0, tmp_path)
    file.write_text(json.dumps({"settings": {**own.settings, "seed": 1}}))
    assert not own.is_finished(0, tmp_path)


def fail(results, run, **changes):
    """Leave what a failed training leaves."""
    folder = results / run.training_path / "seed0" / "checkpoint"
    folder.mkdir(parents=True, exist_ok=True)
    failure = {"model": run.model, "training": run.training, "status": "failed"} | changes
    (folder / "failure.json").write_text(json.dumps(failure))
    return folder / "failure.json"


def test_what_came_out_are_metrics_or_a_failure_with_the_settings_of_now(measured):
    done, failed, waiting = RUNS[:3]
    # That of a measured run is from before.
    fail(measured, done)
    assert done.outcome(0, measured) == measured / done.metrics(0)
    file = fail(measured, failed)
    assert failed.outcome(0, measured) == file
    assert failed.outcome(3, measured) is None
    assert waiting.outcome(0, measured) is None
    for other in ({"model": {}}, {"training": {}}):
        fail(measured, failed, **other)
        assert failed.outcome(0, measured) is None


def test_a_training_that_failed_did_so_for_all_that_measure_it(tmp_path):
    there, here = (
        SENTENCES["sentences/everything/smim-everything"],
        SENTENCES["sentences/ptb/smim-everything"],
    )
    assert here.outcome(0, tmp_path) == there.outcome(0, tmp_path) is None
    file = fail(tmp_path, there)
    assert here.outcome(0, tmp_path) == there.outcome(0, tmp_path) == file


def test_a_data_set_has_an_outcome_when_it_is_prepared(tmp_path):
    own = DATA_SETS["ptb"]
    assert own.outcome(0, tmp_path) is None
    file = tmp_path / own.metrics(0)
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"settings": own.settings}))
    assert own.outcome(0, tmp_path) == file


def test_rows_say_what_their_runs_were_trained_on():
    titles = {name: (corpus.title, not corpus.paper_corpus) for name, corpus in CORPORA.items()}
    rows = read_plan(plan.rows(SENTENCES.values(), 2, titles))
    trained_on = {row.run: row.trained_on for row in rows}
    assert trained_on["smim-everything"] == "everything"
    assert trained_on["smim-16"] == ""
