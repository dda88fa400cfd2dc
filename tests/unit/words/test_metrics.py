"""Metrics of a run compared with known values."""

import math

import numpy as np
import pytest
import torch
from quadrature import model_with, quadrature, smooth_model
from specs import BASE

from textlvm.corpora.splits import WordSplit
from textlvm.words import ngram
from textlvm.words.baseline import GRUBaseline
from textlvm.words.cross_entropy import exact_log_probs, frequencies
from textlvm.words.letters import encode
from textlvm.words.metrics import (
    argmax_metrics,
    exact_metrics,
    mean_of_drawn,
    oracle_metrics,
    sample_metrics,
    state_space_metrics,
)
from textlvm.words.model import build
from textlvm.words.samples import generate
from textlvm.words.spec import EvaluationSpec

SPLIT = WordSplit(["a", "of", "the", "word"], np.array([5, 0, 3, 2]), np.array([4, 1, 0, 5]))
SETTINGS = EvaluationSpec(
    trajectories=1024,
    bootstrap=20,
    samples=3_000,
    entropy_trajectories=200,
    entropy_draws=10,
    entropy_reference_draws=20,
    importance_words=50,
    importance_draws=20,
)


def no_seed(measurement):
    """A `Seed` that does nothing."""


def shares(words, chosen):
    return np.array([sum(word == one for word in words) for one in chosen]) / len(words)


def close(observed, expected, n):
    return (np.abs(observed - expected) < 5 * np.sqrt(expected / n)).all()


def test_oracle_metrics_are_entropies_and_samples_of_the_counts():
    measured = oracle_metrics(SPLIT, 5_000, np.random.default_rng(0))
    metrics, words = measured.metrics, measured.words
    entropy = -sum(p * math.log(p) for p in (0.5, 0.3, 0.2))
    assert metrics["ce_train"].value == pytest.approx(entropy)
    assert metrics["entropy_test"].value == pytest.approx(-sum(p * math.log(p) for p in (0.4, 0.1, 0.5)))
    assert "ce_test" not in metrics, "a test word that is not in training has probability zero"
    assert close(shares(words, ["a", "the", "word"]), np.array([0.5, 0.3, 0.2]), 5_000)


def test_baseline_samples_follow_its_probabilities():
    torch.manual_seed(3)
    model = GRUBaseline(8).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    chosen = sorted({word for word in generate(model, 2_000) if word and 2 <= len(word) <= 3})[:20]
    expected = np.exp(exact_log_probs(model, encode(chosen)))
    torch.manual_seed(4)
    assert close(shares(generate(model, 40_000), chosen), expected + 1e-4, 40_000)


def test_state_space_samples_follow_quadrature():
    model = model_with(seed=3, scale=0.4, dim=1, delta=0.3)
    with torch.no_grad():
        model.emission.weight.mul_(3)
    torch.manual_seed(0)
    words = generate(model, 40_000)
    common = [word for word, _ in sorted(((w, words.count(w)) for w in set(words) if w), key=lambda x: -x[1])]
    chosen = [word for word in common if len(word) == 2][:5]
    expected = np.array([math.exp(quadrature(model, word)) for word in chosen])
    torch.manual_seed(1)
    assert close(shares(generate(model, 40_000), chosen), expected, 40_000)


def autoregressive(model):
    return exact_metrics(model, SPLIT, encode(SPLIT.words), SETTINGS, np.random.default_rng(0), no_seed)


def test_word_entropy_is_the_mean_surprise_of_generated_words():
    torch.manual_seed(2)
    model = GRUBaseline(8)
    measured = autoregressive(model)
    metrics = measured.metrics
    surprise = -exact_log_probs(model, encode([word for word in measured.words if word is not None]))
    assert metrics["word_entropy"].value == pytest.approx(surprise.mean())
    assert metrics["word_entropy"].low < surprise.mean() < metrics["word_entropy"].high


def test_model_without_finished_words_has_no_word_entropy():
    model = GRUBaseline(4)
    with torch.no_grad():
        model.output.weight.zero_()
        model.output.bias[0] = -1e9
    measured = autoregressive(model)
    assert measured.words == [None] * SETTINGS.samples
    assert "word_entropy" not in measured.metrics
    assert set(sample_metrics(measured.words, SPLIT, {})) == {"unique", "distinct", "in_vocabulary"}


def test_state_space_metrics_include_every_reading():
    torch.manual_seed(0)
    model = build(BASE)
    measured = state_space_metrics(
        model, SPLIT, encode(SPLIT.words), SETTINGS, np.random.default_rng(0), no_seed
    )
    metrics = measured.metrics
    for name in ("h_gap", "h_gap_first"):
        nats, bits = metrics[name], metrics[f"{name}_bits"]
        assert (nats.unit, bits.unit) == ("nats", "bits")
        for part in ("value", "low", "high"):
            assert getattr(bits, part) == pytest.approx(getattr(nats, part) / math.log(2))
    assert metrics["h_gap"].value == pytest.approx(
        float(measured.gap.gap[measured.gap.alive].double().mean())
    )
    assert metrics["h_gap_first"].value == pytest.approx(float(measured.gap.gap[0].double().mean()))
    for name in ("ce_train_corrected", "ce_test_corrected", "ce_test_importance"):
        estimate = metrics[name]
        assert estimate.low < estimate.value < estimate.high
    assert 0 < metrics["importance_effective"].value <= 1


@pytest.mark.parametrize("n", [20, 400])
def test_error_of_the_mean_of_drawn_words(n):
    """The standard deviation of the mean over repetitions, for words drawn about once or many times."""
    rng = np.random.default_rng(0)
    frequency = rng.dirichlet(np.ones(30))
    true, errors = rng.normal(size=30), rng.uniform(0.5, 2, 30)
    means, variances = [], []
    for _ in range(4_000):
        drawn, counts = np.unique(rng.choice(30, n, p=frequency), return_counts=True)
        values = true[drawn] + errors[drawn] * rng.normal(size=len(drawn))
        mean, error = mean_of_drawn(counts, values, errors[drawn])
        means.append(mean)
        variances.append(error**2)
    assert np.mean(means) == pytest.approx(frequency @ true, abs=0.03)
    assert np.mean(variances) == pytest.approx(np.var(means), rel=0.1)


def test_importance_sampled_cross_entropy_equals_quadrature():
    model = smooth_model()
    words = ["", "a", "to", "it", "on"]
    split = WordSplit(words, np.array([1, 2, 1, 1, 1]), np.array([4, 3, 2, 1, 0]))
    exact = -frequencies(split.test) @ np.array([quadrature(model, word) for word in words])
    settings = EvaluationSpec(1024, 5, 10, 10, 5, 5, importance_words=400, importance_draws=2_000)
    measured = state_space_metrics(model, split, encode(words), settings, np.random.default_rng(0), no_seed)
    estimate = measured.metrics["ce_test_importance"]
    assert estimate.high - estimate.low < 0.2
    # Between three and four standard errors.
    assert abs(estimate.value - exact) < estimate.high - estimate.low


def test_gru_has_exact_and_free_running_readings():
    torch.manual_seed(2)
    measured = autoregressive(GRUBaseline(8))
    metrics = measured.metrics
    assert metrics["ce_test"].low is None
    reading = metrics["ce_test_free_running"]
    assert reading.low < reading.value < reading.high
    assert measured.curves["ce_over_k"] == []
    assert measured.curves["ce_free_running_over_k"][-1] == pytest.approx(
        [SETTINGS.trajectories, metrics["ce_train_free_running"].value, reading.value]
    )
    # The generated words do not depend on K: they are drawn first.
    torch.manual_seed(2)
    assert measured.words == generate(GRUBaseline(8), SETTINGS.samples)


def test_argmax_metrics_use_the_most_probable_letters():
    model = model_with(seed=5, scale=0.5, dim=2)
    with torch.no_grad():
        model.emission.weight.mul_(5)
        model.emission.bias[0] += 3
    scorers = {f"2gram_{weight}": ngram.scorer(SPLIT, 2, weight) for weight in ngram.WEIGHTS}
    torch.manual_seed(6)
    metrics = argmax_metrics(model, SPLIT, 500, scorers)
    torch.manual_seed(6)
    codes = model.free_running(500, 31).argmax(-1).T
    words = {"".join(chr(96 + c) for c in row[: row.index(0)]) for row in codes.tolist() if 0 in row}
    unfinished = sum(0 not in row for row in codes.tolist())
    assert metrics["distinct_argmax"].value == pytest.approx((len(words) + unfinished) / 500)
    assert metrics["distinct_argmax"].value > 1 / 500
    assert {"perplexity_2gram_tokens_argmax", "nats_2gram_types_argmax"} <= set(metrics)
