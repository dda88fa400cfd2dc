import json

import pytest

from textlvm.corpora import registry
from textlvm.experiment.experiment import load_files
from textlvm.experiment.serialization import from_json, to_json
from textlvm.reporting import published
from textlvm.runtime.validation import Problem
from textlvm.sentences import plan as sentences
from unit.overlay import PAPER, ROOT

EXPERIMENT = load_files([PAPER])
SENTENCES = {run.path: run for run in EXPERIMENT.runs if run.paper == "sentences"}
DATA_SETS = sentences.data_sets(EXPERIMENT.planned)
# The same model, trained on a union and evaluated on one of its data sets.
TRAINED = SENTENCES["sentences/everything/smim-everything"]
EVALUATED = SENTENCES["sentences/ptb/smim-everything"]


def test_run_folder_is_inside_its_data_set_folder():
    run = SENTENCES["sentences/ptb/smim-16"]
    assert (run.dataset, run.corpus, run.split, run.seeds) == ("ptb", "ptb", "standard", (0,))
    assert run.metrics(0) == "sentences/ptb/smim-16/seed0/metrics.json"
    assert run.training_path == run.path


def test_data_set_overrides_section_and_run_overrides_data_set():
    run = SENTENCES["sentences/ptb/vae-lstm-13"]
    assert run.model["hidden"] == 512
    assert run.training["learning_rate"] == 0.001
    assert run.training["kl_offset"] == 10000
    assert run.model["latent"] == 13
    assert SENTENCES["sentences/ptb/svae-16"].training["kl_offset"] == 0
    assert SENTENCES["sentences/yahoo/smim-512"].training["optimizer"] == "sgd"


def test_seeds_of_an_entry_replace_those_of_the_paper_also_where_the_run_is_evaluated(tmp_path):
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(
        "sentences: {runs: {ptb: {svae-16: {seeds: [1, 2]}}, everything: {smim-everything: {seeds: [3]}}}}"
    )
    seeds = {run.path: run.seeds for run in load_files([PAPER, overlay]).runs}
    assert seeds["sentences/ptb/svae-16"] == (1, 2)
    assert seeds[EVALUATED.path] == seeds[TRAINED.path] == (3,)
    assert seeds["sentences/ptb/smim-16"] == (0,)


def test_error_for_missing_split_names_the_data_set(tmp_path):
    (tmp_path / "train.txt").touch()
    entry = {"path": str(tmp_path), "kind": "sentences", "format": "lines"}
    corpora = registry.load(ROOT / "workflow" / "corpora.yaml", {"mine": entry})
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


def test_run_with_trained_on_has_model_and_training_of_the_trained_run():
    assert EVALUATED.training_path == TRAINED.path
    assert (EVALUATED.model, EVALUATED.training) == (TRAINED.model, TRAINED.training)
    assert EVALUATED.corpus == "ptb"
    assert TRAINED.rows == ()
    assert TRAINED.corpus == "everything"


def test_run_may_belong_to_several_rows():
    rows = SENTENCES["sentences/ptb/smim-16"].rows
    assert [(row.table, row.label, row.metrics) for row in rows] == [
        (2, "sMIM (16)", {}),
        (6, "sMIM (S)", {"latent_entropy": "latent_entropy"}),
        (6, "N(S)", {"latent_entropy": "normal_entropy"}),
        (7, "sMIM (S)", {"bleu1": "bleu1"}),
    ]
    assert SENTENCES["sentences/ptb/ae-16"].label == "AE (S)"


def test_table_1_has_all_data_sets_except_yahoocqa():
    planned = [entry for entry in EXPERIMENT.of_table(1) if entry.paper == "sentences"]
    assert [entry.label for entry in planned] == ["PTB", "Yahoo", "Yelp15", "WikiText-103", "Everything"]
    assert planned[0].key == ("sentences", "ptb", "ptb", "standard", "data")
    assert DATA_SETS["yahoocqa"].is_of_questions
    assert not any(data_set.is_of_questions for name, data_set in DATA_SETS.items() if name != "yahoocqa")


def test_every_own_row_and_the_selected_quoted_rows_are_planned():
    printed = [row for row in published.read(EXPERIMENT.papers) if row.paper == "sentences"]
    everything = (*DATA_SETS.values(), *SENTENCES.values())
    planned = {(row.table, entry.dataset, row.label) for entry in everything for row in entry.rows}
    own = {(row.table, row.dataset, row.row) for row in printed if row.kind == "own"}
    assert own <= planned
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


def test_pretrained_model_is_not_trained():
    run = SENTENCES["sentences/ptb/gpt2"]
    assert not run.is_trained
    assert run.model["hub"] == "openai-community/gpt2-xl"
    assert all(other.is_trained for other in SENTENCES.values() if "gpt2" not in other.path)


def test_data_set_is_finished_only_with_current_settings(tmp_path):
    ptb = DATA_SETS["ptb"]
    file = tmp_path / "sentences" / "ptb" / "data" / "statistics.json"
    file.parent.mkdir(parents=True)
    assert not ptb.is_finished(0, tmp_path)
    file.write_text(json.dumps({"settings": ptb.settings}))
    assert ptb.is_finished(0, tmp_path)
    file.write_text(json.dumps({"settings": {**ptb.settings, "seed": 1}}))
    assert not ptb.is_finished(0, tmp_path)


def test_failed_training_is_the_outcome_of_all_runs_that_evaluate_it(tmp_path):
    assert EVALUATED.outcome(0, tmp_path) == TRAINED.outcome(0, tmp_path) is None
    file = tmp_path / TRAINED.training_path / "seed0" / "checkpoint" / "failure.json"
    file.parent.mkdir(parents=True)
    failure = {"model": TRAINED.model, "training": TRAINED.training, "status": "failed"}
    file.write_text(json.dumps(failure))
    assert EVALUATED.outcome(0, tmp_path) == TRAINED.outcome(0, tmp_path) == file


def test_outcome_of_prepared_data_set_is_its_statistics_file(tmp_path):
    ptb = DATA_SETS["ptb"]
    assert ptb.outcome(0, tmp_path) is None
    file = tmp_path / ptb.metrics(0)
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"settings": ptb.settings}))
    assert ptb.outcome(0, tmp_path) == file


def test_serialized_run_contains_trained_on():
    ptb = [run for run in SENTENCES.values() if run.dataset == "ptb"]
    trained_on = {run.name: from_json(to_json(run)).trained_on for run in ptb}
    assert trained_on["smim-everything"] == "everything"
    assert trained_on["smim-16"] == ""


def test_figure_labels_are_those_of_table_rows():
    figures = {figure.number: figure for figure in EXPERIMENT.figures if figure.paper == "sentences"}
    assert dict(zip(figures[3].sources, figures[3].labels, strict=True)) == {
        f"sentences/ptb/{name}/seed0/histograms.json": label
        for name, label in (("smim-512", "sMIM (512)"), ("svae-16", "sVAE (16)"))
    }
    assert figures[4].labels == ("PTB", "Yahoo", "Yelp15", "WikiText-103")
    assert figures[5].labels[0] == "sMIM (512), PTB"
