import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from textlvm.distributions import DiagonalNormal
from textlvm.sentences.evaluation import aggregated_posterior
from textlvm.sentences.evaluation.likelihood import (
    Bounds,
    matching_samples,
    melbo_of_subsets,
    metrics,
    perplexity,
)

N, D, X = 12, 2, 3


class LinearGaussian:
    """x = W z + noise, with exact likelihoods under N(0, I) and under any mixture of posteriors."""

    def __init__(self, seed, spread=1.0):
        rng = np.random.default_rng(seed)
        self.weights, self.noise = rng.normal(size=(X, D)), 0.6
        self.x = rng.normal(size=(N, X)) @ np.diag([2.0, 1.0, 0.5])
        precision = np.eye(D) + self.weights.T @ self.weights / self.noise**2
        covariance = np.linalg.inv(precision)
        loc = self.x @ self.weights @ covariance / self.noise**2
        # The diagonal of the true posterior times `spread`, because a real encoder is not exact.
        scale = np.broadcast_to(spread * np.sqrt(np.diag(covariance)), loc.shape)
        self.posterior = DiagonalNormal(torch.from_numpy(loc), torch.from_numpy(np.log(scale)))

    def log_likelihood(self, z):
        difference = self.x - z @ self.weights.T
        return -0.5 * (difference**2).sum(1) / self.noise**2 - X * np.log(self.noise * math.sqrt(2 * math.pi))

    def exact(self, mean, covariance):
        """log p(x) (N,) for z ~ N(mean, covariance)."""
        total = self.weights @ covariance @ self.weights.T + self.noise**2 * np.eye(X)
        residual = self.x - self.weights @ mean
        quadratic = np.einsum("ni,ij,nj->n", residual, np.linalg.inv(total), residual)
        return -0.5 * (quadratic + np.linalg.slogdet(2 * math.pi * total)[1])

    def exact_under(self, posterior):
        """log p(x) (N,) under the aggregated posterior."""
        scales = posterior.log_scale.exp().numpy()
        parts = [self.exact(m, np.diag(s**2)) for m, s in zip(posterior.loc.numpy(), scales, strict=True)]
        return np.logaddexp.reduce(parts) - math.log(len(parts))

    def bounds(self, samples, train=None):
        words, test_cost, train_cost = [], [], []
        for _ in range(samples):
            z, log_q = self.posterior.rsample_with_log_prob()
            words.append(self.log_likelihood(z.numpy()))
            test_cost.append((log_q - aggregated_posterior.log_prob(z, self.posterior)).numpy())
            train_cost.append((log_q - aggregated_posterior.log_prob(z, train or self.posterior)).numpy())
        mean, log_scale = self.posterior.loc.numpy(), self.posterior.log_scale.numpy()
        kl = 0.5 * (mean**2 + np.exp(2 * log_scale) - 1 - 2 * log_scale).sum(1)
        return Bounds(
            lengths=np.arange(1, N + 1),
            words=np.mean(words, 0),
            end=np.full(N, -0.25),
            kl=kl,
            test_cost=np.mean(test_cost, 0),
            train_cost=np.mean(train_cost, 0),
        )


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("spread", [0.3, 1.0, 1.5])
def test_every_bound_is_below_the_exact_likelihood_under_its_prior(spread):
    toy = LinearGaussian(1, spread)
    other = LinearGaussian(2, spread).posterior
    bounds = toy.bounds(4000, train=other)
    noise = 0.05
    assert (bounds.elbo <= toy.exact(np.zeros(D), np.eye(D)) + noise).all()
    under_test = toy.exact_under(toy.posterior)
    assert (bounds.melbo <= under_test + noise).all()
    assert (bounds.words - bounds.test_cost <= under_test + noise).all()
    assert (bounds.words - bounds.train_cost <= toy.exact_under(other) + noise).all()


def test_elbo_with_true_posterior_equals_likelihood():
    toy = LinearGaussian(1)
    # Orthogonal columns make the true posterior diagonal.
    toy.weights = np.linalg.qr(toy.weights)[0]
    covariance = np.linalg.inv(np.eye(D) + toy.weights.T @ toy.weights / toy.noise**2)
    loc = toy.x @ toy.weights @ covariance / toy.noise**2
    log_scale = np.broadcast_to(np.log(np.diag(covariance)) / 2, loc.shape).copy()
    toy.posterior = DiagonalNormal(torch.from_numpy(loc), torch.from_numpy(log_scale))
    bounds = toy.bounds(20000)
    assert bounds.elbo == pytest.approx(toy.exact(np.zeros(D), np.eye(D)), abs=0.05)


def test_melbo_is_a_bound_only_under_the_aggregated_posterior_of_the_test_set():
    toy = LinearGaussian(1, spread=0.3)
    toy.x[0] = [8.0, -8.0, 8.0]
    # The encoder gives the first sentence a code that is improbable under N(0, I).
    loc = toy.posterior.loc.clone()
    loc[0] = torch.from_numpy(np.linalg.lstsq(toy.weights, toy.x[0], rcond=None)[0])
    toy.posterior = DiagonalNormal(loc, toy.posterior.log_scale)
    bounds = toy.bounds(2000)
    without_first = DiagonalNormal(loc[1:], toy.posterior.log_scale[1:])
    assert bounds.melbo[0] <= toy.exact_under(toy.posterior)[0] + 0.05
    assert bounds.melbo[0] > toy.exact(np.zeros(D), np.eye(D))[0] + 1
    assert bounds.melbo[0] > toy.exact_under(without_first)[0] + 1


def test_test_prior_bound_is_at_least_as_tight_as_melbo():
    for samples in (1, 3):
        bounds = LinearGaussian(3).bounds(samples)
        assert (bounds.melbo <= bounds.words - bounds.test_cost + 1e-9).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_nll_elbo_minus_nll_melbo_is_kld_minus_log_n(seed, n):
    rng = np.random.default_rng(seed)
    values = {name: rng.normal(scale=50, size=n) for name in ("words", "end", "test_cost", "train_cost")}
    result = metrics(Bounds(lengths=rng.integers(1, 90, n), kl=rng.gamma(2, 5, n), **negative(values)))
    difference = result["nll_elbo"] - result["nll_melbo"]
    assert difference == pytest.approx(result["kld"] - math.log(n), rel=1e-12, abs=1e-9)
    with_end = result["nll_elbo_eos"] - result["nll_melbo_eos"]
    assert with_end == pytest.approx(result["kld"] - math.log(n), rel=1e-12, abs=1e-9)


def test_published_perplexity_divides_by_words_plus_one():
    # sMIM (512) on Penn Treebank, Table 2: 67.46 nats per sentence of 21.71 words on average.
    lengths, nll = np.array([21.71]), np.array([67.46])
    assert perplexity(nll, lengths + 1) == pytest.approx(19.53, abs=0.05)
    assert perplexity(nll, lengths) == pytest.approx(22.4, abs=0.05)


def test_metrics_with_and_without_eos():
    n = 2
    zeros = np.zeros(n)
    bounds = Bounds(
        lengths=np.array([2, 4]), words=np.array([-10.0, -20.0]), end=np.array([-1.0, -3.0]), kl=zeros,
        test_cost=zeros, train_cost=np.array([6.0, 0.0]),
    )  # fmt: skip
    result = metrics(bounds)
    assert result["reconstruction"] == 15
    assert result["nll_elbo"] == 15
    assert result["nll_elbo_eos"] == 17
    assert result["nll_train_prior"] == 18
    assert result["ppl_elbo"] == pytest.approx(math.exp(15 / 4))
    assert result["ppl_elbo_per_word"] == pytest.approx(math.exp(15 / 3))
    assert result["ppl_elbo_eos"] == pytest.approx(math.exp(17 / 4))
    assert result["nll_melbo"] == pytest.approx(15 + math.log(2))


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_melbo_of_subsets_agrees_with_simulation(seed):
    rng = np.random.default_rng(seed)
    n, k, trials = 30, 7, 4000
    melbo = rng.normal(-60, 10, n) - math.log(n)
    draws = rng.permuted(np.tile(melbo + math.log(n), (trials, 1)), axis=1)[:, :k]
    nll = -draws.mean(1) + math.log(k)
    mean, deviation = melbo_of_subsets(melbo, np.array([k]))
    assert mean[0] == pytest.approx(nll.mean(), abs=5 * nll.std() / math.sqrt(trials))
    assert deviation[0] == pytest.approx(nll.std(ddof=1), rel=0.08)


def test_melbo_of_whole_test_set_has_zero_deviation_and_extrapolates_logarithmically():
    melbo = np.array([-10.0, -20.0, -60.0])
    mean, deviation = melbo_of_subsets(melbo, np.array([3, 30]))
    assert mean == pytest.approx([30, 30 + math.log(10)])
    assert deviation.tolist() == [0, 0]


def test_matching_samples_agrees_with_the_caption_of_table_2():
    # sMIM (512) compared with GPT-2's perplexity of 35.76; the caption is rounded differently.
    reference = 22.70 * math.log(35.76)
    assert matching_samples(67.46, 3761, reference) == pytest.approx(3.4e9, rel=0.05)
    assert matching_samples(50.0, 100, 50.0) == 100
    assert matching_samples(0.0, 100, 5000.0) == math.inf


def negative(values):
    """Values that are negative and small enough for finite perplexities."""
    return {name: -np.abs(value) / 10 for name, value in values.items()}
