"""The entry point of training: files, resumption, and decreasing loss."""

import argparse
import dataclasses
import json
import re

import numpy as np
import pytest
from safetensors.torch import load_file

from textlvm.reporting.runs import read_result
from textlvm.runtime.errors import UserError
from textlvm.sentences import train
from textlvm.sentences.data.questions import Question, write_questions
from textlvm.sentences.data.vocabulary import SPECIALS, Vocabulary, write_vocabulary
from textlvm.sentences.models.autoencoder import build
from textlvm.training import checkpoint
from textlvm.training.seeds import derive


class Interrupted(Exception):
    pass


@pytest.fixture
def interrupt(monkeypatch):
    """A function that makes trainings raise `Interrupted` after the checkpoint of one of these steps."""
    save = checkpoint.Checkpoint.save

    def after(*steps):
        def save_and_stop(self, step, *state):
            save(self, step, *state)
            if step in steps:
                raise Interrupted

        monkeypatch.setattr(checkpoint.Checkpoint, "save", save_and_stop)

    return after


def assert_equal_files(out, other):
    for name in ("curve.jsonl", "model.safetensors"):
        assert (out / name).read_bytes() == (other / name).read_bytes()


@pytest.fixture
def folder(tmp_path):
    """A data set of counting sentences, in which each word determines the next, with questions."""
    folder = tmp_path / "data"
    folder.mkdir()
    words = tuple(f"w{i}" for i in range(12))
    write_vocabulary(folder / "vocabulary.tsv", Vocabulary((*SPECIALS, *words), (0,) * 16))
    rng = np.random.default_rng(0)
    for split, size in (("train", 240), ("valid", 40)):
        starts, lengths = rng.integers(0, 12, size=size), rng.integers(2, 7, size=size)
        tokens = [4 + (s + np.arange(n)) % 12 for s, n in zip(starts, lengths, strict=True)]
        np.save(folder / f"{split}.tokens.npy", np.concatenate(tokens).astype(np.int32))
        np.save(folder / f"{split}.offsets.npy", np.cumsum([0, *lengths]))
    questions = [
        Question(f"w{i}\tw{j}", (f"w{j}", f"w{(j + 5) % 12}"), 0) for i in range(12) for j in range(12)
    ]
    write_questions(folder / "questions.json", {"train": questions, "valid": questions[::7]})
    described = {"dataset": "x", "corpus": "counting", "split": "standard"}
    (folder / "statistics.json").write_text(json.dumps(described))
    return folder


def options(folder, out, model, training):
    spec = {"model": dataclasses.asdict(model), "training": dataclasses.asdict(training)}
    return argparse.Namespace(
        data=folder, name="sentences/x/y", seed=1, spec=spec, checkpoint=out / "checkpoint", out=out, gpus=1
    )


def curve(out):
    return [json.loads(line) for line in (out / "curve.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("objective", "cell"),
    [("smim", "gru"), ("svae", "lstm"), ("ae", "gru"), ("lm", "lstm"), ("answers", "gru")],
)
def test_training_lowers_the_loss_and_writes_its_files(
    objective, cell, folder, tmp_path, model_spec, training_spec
):
    training = training_spec(batch=20, epochs=12, learning_rate=0.03, decoder_unk=0.1, clip=5.0)
    out = tmp_path / "run"
    train.main(options(folder, out, model_spec(objective=objective, cell=cell), training))
    entries = curve(out)
    validation = [entry["validation_loss"] for entry in entries if "validation_loss" in entry]
    assert len(validation) == 12
    assert min(validation) < 0.8 * validation[0]
    assert entries[-1]["done"]
    assert sorted(path.name for path in out.iterdir()) == [
        *("checkpoint", "cost.json", "curve.jsonl", "model.safetensors", "spec.json", "training.json")
    ]
    assert sorted(path.name for path in (out / "checkpoint").iterdir()) == ["lock", "progress.json"]
    cost = json.loads((out / "cost.json").read_text())
    assert cost["parameters"] == sum(v.numel() for v in load_file(out / "model.safetensors").values())
    assert cost["steps"] == entries[-1]["step"]
    assert cost["precision"] == "float32"
    spec = json.loads((out / "spec.json").read_text())
    assert (spec["name"], spec["seed"]) == ("sentences/x/y", 1)


@pytest.mark.parametrize("order", ["random", "pools"])
def test_interrupted_training_ends_bit_identical(
    order, folder, tmp_path, model_spec, training_spec, interrupt
):
    model = model_spec(dropout=0.5, encoder_dropout=0.3)
    training = training_spec(
        **{"batch": 20, "order": order, "epochs": 10, "max_length": 4, "kl_offset": 30},
        **{"encoder_unk": 0.2, "decoder_unk": 0.2, "optimizer": "sgd", "learning_rate": 40.0, "patience": 1},
    )
    train.main(options(folder, tmp_path / "whole", model, training))
    interrupt(8, 26)
    for _ in range(2):
        with pytest.raises(Interrupted):
            train.main(options(folder, tmp_path / "cut", model, training))
    train.main(options(folder, tmp_path / "cut", model, training))
    assert len({entry["learning_rate"] for entry in curve(tmp_path / "whole")}) > 1
    assert_equal_files(tmp_path / "cut", tmp_path / "whole")


@pytest.mark.parametrize("stop", [30, 36, 37, 38])
def test_training_interrupted_near_the_end_of_pretraining_ends_bit_identical(
    stop, folder, tmp_path, model_spec, training_spec, interrupt
):
    """The pretraining has three epochs of twelve steps."""
    model = model_spec(objective="svae", dropout=0.5)
    training = training_spec(batch=20, epochs=6, pretrain=3, free_bits=2.0, kl="closed", checkpoint_every=1)
    train.main(options(folder, tmp_path / "whole", model, training))
    interrupt(stop)
    with pytest.raises(Interrupted):
        train.main(options(folder, tmp_path / "cut", model, training))
    train.main(options(folder, tmp_path / "cut", model, training))
    measured = [entry for entry in curve(tmp_path / "whole") if "validation_reconstruction" in entry]
    assert [entry["step"] for entry in measured] == [12, 24, 36, 48, 60, 72]
    assert ["validation_loss" in entry for entry in measured] == [False] * 3 + [True] * 3
    assert_equal_files(tmp_path / "cut", tmp_path / "whole")


@pytest.mark.parametrize("objective", ["smim", "lm", "answers"])
def test_failure_message_quotes_a_sentence_of_the_batch(
    objective, folder, tmp_path, model_spec, training_spec
):
    """The weights overflow in the first steps; failure.json contains the run and its settings."""
    model = model_spec(objective=objective)
    training = training_spec(optimizer="sgd", learning_rate=1e45, clip=None, max_length=3, log_every=1)
    with pytest.raises(UserError, match=r"sentences\.runs\.x\.y, seed 1: .* at step \d+, whose batch has 'w"):
        train.main(options(folder, tmp_path, model, training))
    failure = json.loads((tmp_path / "checkpoint" / "failure.json").read_text())
    spec = json.loads((tmp_path / "spec.json").read_text())
    assert (failure["model"], failure["training"]) == (spec["model"], spec["training"])
    result = read_result(tmp_path / "checkpoint" / "failure.json")
    assert result.key == ("sentences", "x", "counting", "standard", "y")
    step = int(re.search(r"at step (\d+)", result.reason)[1])
    # The batch is a function of the step; the message quotes the uncut sentence.
    seed = derive("sentences/x/y/batches", 1)
    inputs = train.objective(build(model, 16), model, training, folder, seed).inputs(step)
    first = " ".join(f"w{code - 4}" for code in inputs[0])
    assert f"whose batch has '{first}'" in result.reason


def test_budget_is_the_smaller_of_epochs_and_steps(training_spec):
    spec = train.budget(training_spec(epochs=3), epoch=7)
    assert (spec.steps, spec.monitor_every) == (21, 7)
    spec = train.budget(training_spec(epochs=3, steps=20, monitor_every=4), epoch=7)
    assert (spec.steps, spec.monitor_every) == (20, 4)


@pytest.mark.parametrize("changes", [{"epochs": 3}, {"epochs": 9, "steps": 21}])
def test_pretraining_of_all_steps_is_rejected(changes, training_spec):
    with pytest.raises(UserError, match=r"takes 21 steps, but the training ends after 21: lower it"):
        train.budget(training_spec(pretrain=3, **changes), epoch=7)


def test_unknown_optimizer_is_rejected(training_spec):
    with pytest.raises(UserError, match=r"unknown optimizer 'adma'.*adam"):
        train.optimizer(training_spec(optimizer="adma"), None)
