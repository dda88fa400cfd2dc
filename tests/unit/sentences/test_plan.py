import json

import pytest

from textlvm.corpora import registry
from textlvm.experiment.experiment import load_files
from textlvm.experiment.relations import Problem
from textlvm.experiment.serialization import from_json, to_json
from textlvm.reporting import published
from textlvm.sentences import plan as sentences
from unit.overlay import PAPER, ROOT

EXPERIMENT = load_files([PAPER])
SENTENCES = {run.path: run for run in EXPERIMENT.runs if run.paper == "sentences"}
DATA_SETS = sentences.data_sets(EXPERIMENT.planned)


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
    section = EXPERIMENT.config["sentences"]
    changed = {**section, "datasets": {**section["datasets"], "ptb": {"corpus": "mine"}}}
    with pytest.raises(Problem) as error:
        sentences.plan(changed, corpora)
    assert error.value.key == ("sentences", "datasets", "ptb")
    assert str(error.value) == (
        "sentences.datasets.ptb: corpus 'mine' has no split 'valid', only 'train': say under "
        "`splits` where the data set's sentences come from, or use another corpus"
    )
    assert list(DATA_SETS["ptb"].sources) == ["train", "valid", "test"]


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


def test_table_1_has_the_data_sets_but_for_the_questions():
    planned = [entry for entry in EXPERIMENT.of_table(1) if entry.paper == "sentences"]
    assert [entry.label for entry in planned] == ["PTB", "Yahoo", "Yelp15", "WikiText-103", "Everything"]
    assert planned[0].key == ("sentences", "ptb", "ptb", "standard", "data")
    assert DATA_SETS["yahoocqa"].is_of_questions
    assert not any(own.is_of_questions for name, own in DATA_SETS.items() if name != "yahoocqa")


def test_every_printed_row_that_the_paper_trained_or_is_to_be_trained_here_is_planned():
    printed = [row for row in published.read(EXPERIMENT.papers) if row.paper == "sentences"]
    everything = (*DATA_SETS.values(), *SENTENCES.values())
    planned = {(row.table, own.dataset, row.label) for own in everything for row in own.rows}
    ours = {(row.table, row.dataset, row.row) for row in printed if row.kind == "own"}
    assert ours <= planned
    quoted = {(row.table, row.dataset, row.row) for row in printed if row.kind == "quoted"}
    assert quoted & planned == {
        (2, "ptb", "VAE-LSTM (13)"),
        (2, "ptb", "HR-VAE (256)"),
        (2, "ptb", "iVAE_MI (32)"),
        (2, "ptb", "GPT-2 full†"),
        (3, "yelp15", "LSTM-LM"),
        (4, "yahoo", "LSTM-LM"),
        (5, "wikitext-103", "GPT-2 Large†"),
        (8, "yahoocqa", "AP-CNN"),
        (8, "yahoocqa", "AP-BiLSTM"),
        (8, "yahoocqa", "HyperQA"),
    }


def test_a_model_of_others_is_not_trained():
    run = SENTENCES["sentences/ptb/gpt2"]
    assert not run.is_trained
    assert run.model["hub"] == "openai-community/gpt2-xl"
    assert all(other.is_trained for other in SENTENCES.values() if "gpt2" not in other.path)


def test_prepared_is_what_was_prepared_with_the_settings_of_now(tmp_path):
    own = DATA_SETS["ptb"]
    file = tmp_path / "sentences" / "ptb" / "data" / "statistics.json"
    file.parent.mkdir(parents=True)
    assert not own.is_finished(0, tmp_path)
    file.write_text(json.dumps({"settings": own.settings}))
    assert own.is_finished(0, tmp_path)
    file.write_text(json.dumps({"settings": {**own.settings, "seed": 1}}))
    assert not own.is_finished(0, tmp_path)


def test_a_training_that_failed_did_so_for_all_that_measure_it(tmp_path):
    there, here = (
        SENTENCES["sentences/everything/smim-everything"],
        SENTENCES["sentences/ptb/smim-everything"],
    )
    assert here.outcome(0, tmp_path) == there.outcome(0, tmp_path) is None
    file = tmp_path / there.training_path / "seed0" / "checkpoint" / "failure.json"
    file.parent.mkdir(parents=True)
    failure = {"model": there.model, "training": there.training, "status": "failed"}
    file.write_text(json.dumps(failure))
    assert here.outcome(0, tmp_path) == there.outcome(0, tmp_path) == file


def test_a_data_set_has_an_outcome_when_it_is_prepared(tmp_path):
    own = DATA_SETS["ptb"]
    assert own.outcome(0, tmp_path) is None
    file = tmp_path / own.metrics(0)
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"settings": own.settings}))
    assert own.outcome(0, tmp_path) == file


def test_rows_say_what_their_runs_were_trained_on():
    ptb = [run for run in SENTENCES.values() if run.dataset == "ptb"]
    trained_on = {run.name: from_json(to_json(run)).trained_on for run in ptb}
    assert trained_on["smim-everything"] == "everything"
    assert trained_on["smim-16"] == ""


def test_a_figure_calls_its_runs_and_data_sets_by_the_labels_of_their_rows():
    figures = {figure.number: figure for figure in EXPERIMENT.figures if figure.paper == "sentences"}
    assert dict(zip(figures[3].sources, figures[3].labels, strict=True)) == {
        f"sentences/ptb/{name}/seed0/histograms.json": label
        for name, label in (("smim-512", "sMIM (512)"), ("svae-16", "sVAE (16)"))
    }
    assert figures[4].labels == ("PTB", "Yahoo", "Yelp15", "WikiText-103")
    assert figures[5].labels[0] == "sMIM (512), PTB"
