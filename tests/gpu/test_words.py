"""The words paper on a GPU: results equal those of the CPU."""

import argparse
import copy
import dataclasses
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from specs import BASE, LETTERS, MODELS, TRAINING, gradients

from textlvm.corpora.splits import WordSplit, write_words
from textlvm.words import train
from textlvm.words.engine import log_likelihood
from textlvm.words.letters import encode, pack
from textlvm.words.marginal import WordSums
from textlvm.words.model import build
from textlvm.words.noise import draw_noise
from textlvm.words.objective import step_bounds

CHANGES = {name: MODELS[name] for name in ("tril", "2xtril-k2-bidi", "forward", "diag", "nvp-kept-k2")} | {
    "spline": {"transition": "spline"},
    "resampled": {"samples": 5, "resampling": True},
}


def random_words(n=200):
    """Distinct words of 1 to 12 letters."""
    rng = np.random.default_rng(0)
    return sorted({"".join(rng.choice(list(LETTERS), rng.integers(1, 13))) for _ in range(n)})


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("estimator", ["full", "path"])
def test_bounds_and_gradients_equal_the_cpu(changes, estimator, gpu):
    torch.manual_seed(0)
    model = build(replace(BASE, **changes)).double()
    words = encode(random_words())
    batch = pack(words, torch.arange(len(words)))
    noise = draw_noise(model, batch)
    expected = step_bounds(model, batch, noise, estimator).sum()
    other = copy.deepcopy(model).to(gpu)
    moved = type(noise)(*(None if part is None else part.to(gpu) for part in noise))
    found = step_bounds(other, batch.to(gpu), moved, estimator).sum()
    torch.testing.assert_close(found.cpu(), expected, rtol=1e-10, atol=0)
    reference = gradients(model, expected)
    for name, gradient in gradients(other, found).items():
        torch.testing.assert_close(gradient.cpu(), reference[name], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("family", ["gru", "hmm"])
def test_exact_likelihoods_equal_the_cpu(family, gpu):
    torch.manual_seed(0)
    model = build(replace(BASE, family=family)).double()
    words = encode(random_words())
    batch = pack(words, torch.arange(len(words)))
    other = copy.deepcopy(model).to(gpu)
    found = log_likelihood(other, batch.to(gpu))
    torch.testing.assert_close(found.cpu(), model.log_probs(batch).sum(), rtol=1e-10, atol=0)


@pytest.mark.parametrize("sharpness", [1.0, 20.0])
@pytest.mark.parametrize("size", [1, 127, 300])
def test_sums_of_word_probabilities_equal_the_cpu(size, sharpness, gpu):
    """Includes sums below the float range, which are computed again from logarithms."""
    torch.manual_seed(0)
    words = encode(random_words())
    log_probs = (sharpness * torch.randn(words.codes.shape[1], 27, size)).log_softmax(1)
    expected = WordSums(words, torch.device("cpu"), compiled=False)(log_probs)
    found = WordSums(words, gpu)(log_probs.to(gpu))
    torch.testing.assert_close(found.cpu(), expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("family", ["state-space", "gru"])
def test_training_reduces_the_loss(family, tmp_path, gpu):
    words = random_words()
    rng = np.random.default_rng(0)
    table = tmp_path / "words.tsv"
    write_words(table, WordSplit(words, *rng.integers(1, 50, size=(2, len(words)))))
    model = replace(BASE, family=family)
    spec = replace(TRAINING, steps=150, batch=64, learning_rate=0.02, schedule="cosine")
    spec = replace(spec, log_every=25, monitor_every=50, checkpoint_every=50)
    out = tmp_path / "seed0"
    train.main(
        argparse.Namespace(
            words=table,
            name="words/made-up/standard/run",
            seed=0,
            spec={"model": dataclasses.asdict(model), "training": dataclasses.asdict(spec)},
            checkpoint=out / "checkpoint",
            out=out,
            gpus=1,
        )
    )
    curve = [json.loads(line) for line in (out / "curve.jsonl").read_text().splitlines()]
    assert curve[-1]["loss"] < 0.95 * curve[0]["loss"]
    assert json.loads((out / "cost.json").read_text())["device"] == torch.cuda.get_device_name()
