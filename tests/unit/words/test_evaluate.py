"""Metrics of a run against what is known of its words, and the sampler that feeds its training."""

import math
from collections import Counter

import numpy as np
import pytest
import torch
from test_objective import model_with, quadrature

from textlvm.corpora.splits import WordSplit
from textlvm.words.baseline import GRUBaseline
from textlvm.words.cross_entropy import exact_log_probs
from textlvm.words.evaluate import autoregressive_metrics, oracle_metrics, sample_metrics
from textlvm.words.letters import encode
from textlvm.words.samples import generate
from textlvm.words.train import WordSampler

SPLIT = WordSplit(["a", "of", "the", "word"], np.array([5, 0, 3, 2]), np.array([4, 1, 0, 5]))


def shares(words, chosen):
    return np.array([sum(word == one for word in words) for one in chosen]) / len(words)


def close(observed, expected, n):
    return (np.abs(observed - expected) < 5 * np.sqrt(expected / n)).all()


def test_training_words_come_as_often_as_their_tokens():
    torch.manual_seed(0)
    sampler = WordSampler(SPLIT, 20_000, torch.device("cpu"))
    batch = sampler()
    lengths = torch.bincount(batch.per_word(torch.ones(len(batch.letters))).long(), minlength=6) / 20_000
    # The words have different lengths; "of" never occurs in training.
    assert lengths[3] == 0
    assert close(lengths[[2, 4, 5]].numpy(), np.array([0.5, 0.3, 0.2]), 20_000)


def test_the_oracle_knows_its_own_entropy():
    metrics, words = oracle_metrics(SPLIT, 5_000, np.random.default_rng(0))
    entropy = -sum(p * math.log(p) for p in (0.5, 0.3, 0.2))
    assert metrics["ce_train"].value == pytest.approx(entropy)
    assert metrics["entropy_test"].value == pytest.approx(-sum(p * math.log(p) for p in (0.4, 0.1, 0.5)))
    assert "ce_test" not in metrics, "a test word that training lacks has no probability"
    assert close(shares(words, ["a", "the", "word"]), np.array([0.5, 0.3, 0.2]), 5_000)


def test_a_baselines_samples_follow_its_probabilities():
    torch.manual_seed(3)
    model = GRUBaseline(8).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    chosen = sorted({word for word in generate(model, 2_000) if word and 2 <= len(word) <= 3})[:20]
    expected = np.exp(exact_log_probs(model, encode(chosen)))
    torch.manual_seed(4)
    assert close(shares(generate(model, 40_000), chosen), expected + 1e-4, 40_000)


def test_a_state_space_models_samples_follow_its_probabilities():
    model = model_with(seed=3, scale=0.4, dim=1, delta=0.3)
    with torch.no_grad():
        model.emission.weight.mul_(3)
    torch.manual_seed(0)
    words = generate(model, 40_000)
    common = Counter(word for word in words if word and len(word) == 2)
    chosen = [word for word, _ in common.most_common(5)]
    expected = np.array([math.exp(quadrature(model, word)) for word in chosen])
    torch.manual_seed(1)
    assert close(shares(generate(model, 40_000), chosen), expected, 40_000)


def test_word_entropy_is_that_of_the_models_own_words():
    torch.manual_seed(2)
    model = GRUBaseline(8)
    metrics, words = autoregressive_metrics(model, SPLIT, encode(SPLIT.words), 3_000, lambda name: None)
    surprise = -exact_log_probs(model, encode([word for word in words if word is not None]))
    assert metrics["word_entropy"].value == pytest.approx(surprise.mean())
    assert metrics["word_entropy"].low < surprise.mean() < metrics["word_entropy"].high


def test_a_model_that_finishes_no_word_has_no_word_entropy():
    model = GRUBaseline(4)
    with torch.no_grad():
        model.output.weight.zero_()
        model.output.bias[0] = -1e9
    metrics, words = autoregressive_metrics(model, SPLIT, encode(SPLIT.words), 10, lambda name: None)
    assert words == [None] * 10
    assert "word_entropy" not in metrics
    assert set(sample_metrics(words, SPLIT, {})) == {"unique", "distinct", "in_vocabulary"}
