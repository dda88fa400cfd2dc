"""The sentences paper on a GPU: results equal those of the CPU, and runs are trained and evaluated."""

import argparse
import copy
import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from sentence_specs import EVALUATION, MODEL, TRAINING
from textlvm.sentences import evaluate, train
from textlvm.sentences.data.batches import pack
from textlvm.sentences.data.prepare import prepare
from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.evaluation.measures import latent_variable_model
from textlvm.sentences.evaluation.spec import EvaluationSpec
from textlvm.sentences.models.autoencoder import SentenceModel, build
from textlvm.sentences.models.language_model import LanguageModel
from textlvm.sentences.models.objectives import densities, loss
from textlvm.training import checkpoint

VOCABULARY = 300
LARGER = dataclasses.replace(MODEL, latent=16, hidden=64, embedding=32)
NOISY = dataclasses.replace(
    TRAINING,
    learning_rate=0.003,
    batch=20,
    epochs=3,
    max_length=30,
    encoder_unk=0.1,
    decoder_unk=0.1,
    log_every=5,
    checkpoint_every=10,
)
SETTINGS = EVALUATION | {"batch": 64, "max_length": 30, "train_codes": 200}


def sentences(n, seed=0):
    """Random sentences of 0 to 25 words."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 26, size=n)
    tokens = rng.integers(4, VOCABULARY, size=lengths.sum()).astype(np.int32)
    return SentenceSet(tokens, np.concatenate([[0], lengths.cumsum()]))


def on_both(model, gpu):
    """The model on the CPU and a copy on the GPU."""
    return model, copy.deepcopy(model).to(gpu)


def value_and_gradients(model, value):
    names, parameters = zip(*model.named_parameters(), strict=True)
    gradients = torch.autograd.grad(value, parameters, allow_unused=True)
    found = {name: gradient for name, gradient in zip(names, gradients, strict=True) if gradient is not None}
    return {"loss": value.detach()} | found


def assert_same(found, expected, rtol, atol):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(
            found[name].cpu(), value, rtol=rtol, atol=atol, msg=lambda text, name=name: f"{name}: {text}"
        )


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("objective", ["smim", "svae", "ae"])
def test_losses_and_gradients_equal_the_cpu(objective, cell, gpu, monkeypatch):
    torch.manual_seed(0)
    spec = dataclasses.replace(LARGER, objective=objective, cell=cell)
    batch = pack(list(sentences(30)))
    noise = torch.randn(30, LARGER.latent, dtype=torch.float64)
    monkeypatch.setattr(torch, "randn_like", lambda like: noise.to(like))
    both = []
    for model in on_both(SentenceModel(spec, VOCABULARY).double(), gpu):
        at = densities(model, batch.to(model.mean.weight.device), objective)
        both.append(value_and_gradients(model, loss(objective, at)))
    assert_same(both[1], both[0], rtol=1e-9, atol=1e-10)


def test_language_model_equals_the_cpu(gpu):
    torch.manual_seed(0)
    spec = dataclasses.replace(LARGER, objective="lm", cell="lstm")
    batch = pack(list(sentences(30)))
    both = []
    for model in on_both(LanguageModel(spec, VOCABULARY).double(), gpu):
        words, end = model.log_likelihood(batch.to(next(model.parameters()).device))
        both.append(value_and_gradients(model, -(words + end).mean()))
    assert_same(both[1], both[0], rtol=1e-9, atol=1e-10)


def test_bfloat16_loss_is_close_to_single_precision(gpu):
    torch.manual_seed(0)
    model = SentenceModel(dataclasses.replace(LARGER, objective="ae"), VOCABULARY).to(gpu)
    batch = pack(list(sentences(60))).to(gpu)
    exact = loss("ae", densities(model, batch, "ae"))
    with torch.autocast("cuda", torch.bfloat16):
        rounded = loss("ae", densities(model, batch, "ae"))
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, exact, rtol=1e-2, atol=0)
    assert not torch.equal(rounded, exact)


def test_evaluation_equals_the_cpu(gpu):
    """Compares the first evaluation; later ones draw codes from a different position of the random stream."""
    torch.manual_seed(0)
    settings = EvaluationSpec(**SETTINGS)
    found = []
    for model in on_both(build(LARGER, VOCABULARY), gpu):
        torch.manual_seed(1)
        model.eval()
        with torch.no_grad():
            rng = np.random.default_rng(2)
            found.append(latent_variable_model(model, sentences(90, 3), sentences(200, 4), settings, rng))
    expected, metrics = found[0].metrics, found[1].metrics
    assert metrics.keys() == expected.keys()
    for name, values in expected.items():
        if not name.startswith("bleu"):
            # BLEU needs sampled words, which come from the device's generator; codes come from the CPU's.
            np.testing.assert_allclose(metrics[name][0], values[0], rtol=1e-4, err_msg=name)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A prepared data set of sentences in which each word determines the next."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    words = [f"{first}{second}" for first in "bcdfg" for second in "aeiou"]
    lines = []
    for start, length in zip(rng.integers(25, size=500), rng.integers(2, 9, size=500), strict=True):
        lines.append(" ".join(words[(start + step) % 25] for step in range(length)))
    (folder / "corpus.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sizes = {"train": 400, "valid": 50, "test": 50}
    settings = {
        "corpus": "counting",
        "format": "lines",
        "splits": {split: {"of": "train", "draw": size} for split, size in sizes.items()},
    }
    prepare("counting", settings, {"train": folder / "corpus.txt"}, folder / "prepared")
    return folder / "prepared"


def trained(data, out, **changes):
    """Train one run into `out` and return its curve."""
    spec = dataclasses.replace(NOISY, **changes)
    options = argparse.Namespace(
        data=data,
        name="sentences/counting/smim",
        seed=1,
        spec={"model": dataclasses.asdict(LARGER), "training": dataclasses.asdict(spec)},
        checkpoint=out / "checkpoint",
        out=out,
        gpus=1,
    )
    train.main(options)
    return [json.loads(line) for line in (out / "curve.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_run_is_trained_and_evaluated(precision, data, tmp_path, gpu):
    run = tmp_path / "seed1"
    curve = trained(data, run, precision=precision, epochs=8)
    validation = [entry["validation_loss"] for entry in curve if "validation_loss" in entry]
    assert min(validation) < 0.8 * validation[0]
    name = torch.cuda.get_device_name()
    cost = json.loads((run / "cost.json").read_text())
    assert cost["device"] == name
    assert cost["precision"] == {"auto": "bfloat16"}.get(precision, precision)
    assert json.loads((run / "training.json").read_text())["gpu"]["name"] == name
    shared = {"run": run, "data": data, "gpus": 1, "corpora": []}
    settings = SETTINGS | {"precision": precision}
    evaluate.main(
        argparse.Namespace(**shared, settings=settings, member=None, questions=None, out=run / "metrics.json")
    )
    metrics = json.loads((run / "metrics.json").read_text())["metrics"]
    assert metrics["nll_melbo"]["value"] < 40


def test_interrupted_training_resumes_from_the_checkpoint(data, tmp_path, monkeypatch, gpu):
    """On a GPU the order of summation varies, so weights are equal only up to rounding."""
    whole = trained(data, tmp_path / "whole")
    save = checkpoint.Checkpoint.save

    class Stop(Exception):
        pass

    def save_and_stop(self, step, *state):
        save(self, step, *state)
        if step == 30:
            raise Stop

    monkeypatch.setattr(checkpoint.Checkpoint, "save", save_and_stop)
    with pytest.raises(Stop):
        trained(data, tmp_path / "cut")
    monkeypatch.setattr(checkpoint.Checkpoint, "save", save)
    cut = trained(data, tmp_path / "cut")
    trained(data, tmp_path / "again")
    assert len(cut) == len(whole)
    expected, found, repeated = (
        load_file(tmp_path / name / "model.safetensors") for name in ("whole", "cut", "again")
    )
    for name, values in expected.items():
        for other in (found, repeated):
            torch.testing.assert_close(other[name], values, rtol=0, atol=1e-3)
    for one, other in zip(cut, whole, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-3)
