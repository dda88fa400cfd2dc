"""Densities over codes: normalised, fitted to training codes, chosen on validation codes."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from textlvm.distributions import DiagonalNormal
from textlvm.sentences.marginal import priors


@pytest.fixture
def codes():
    """Two clusters in the plane, stretched."""
    rng = np.random.default_rng(0)
    centres = rng.choice([-3.0, 3.0], size=800)
    points = np.stack([centres, centres / 2], 1) + rng.normal(size=(800, 2)) * [0.5, 0.2]
    return torch.from_numpy(points)


@pytest.fixture
def fitted(codes):
    train, valid = codes[:400], codes[400:]
    posteriors = DiagonalNormal(train, torch.full_like(train, math.log(0.01)))
    return {
        prior.name: prior
        for prior in (
            priors.anchor(2),
            priors.gaussian(train),
            priors.mixture(train, valid, (1, 2, 8), seed=0),
            priors.aggregated(posteriors, train.std(0), valid, (0.0, 0.05, 0.2, 1.0)),
        )
    }


NAMES = ["normal", "gaussian", "mixture", "aggregated"]


@pytest.mark.parametrize("name", NAMES)
def test_a_prior_is_a_density(name, fitted):
    """By a Riemann sum over the plane."""
    axis = torch.linspace(-14, 14, 281, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    total = fitted[name].log_prob(grid).exp().sum() * (axis[1] - axis[0]) ** 2
    assert float(total) == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize("name", NAMES)
def test_samples_follow_the_density(name, fitted):
    """The mean log density of samples is minus the entropy, by the same sum."""
    torch.manual_seed(0)
    prior = fitted[name]
    axis = torch.linspace(-14, 14, 281, dtype=torch.float64)
    log_prob = prior.log_prob(torch.cartesian_prod(axis, axis))
    entropy = -float((log_prob.exp() * log_prob).sum() * (axis[1] - axis[0]) ** 2)
    samples = prior.sample(10_000)
    assert samples.shape == (10_000, 2)
    assert -float(prior.log_prob(samples).mean()) == pytest.approx(entropy, abs=0.05)


def test_the_gaussian_is_that_of_the_codes_moments(codes, fitted):
    train = codes[:400].numpy()
    covariance = np.cov(train.T)
    covariance += 1e-3 * np.trace(covariance) / 2 * np.eye(2)
    expected = multivariate_normal(train.mean(0), covariance).logpdf(codes[:5].numpy())
    np.testing.assert_allclose(fitted["gaussian"].log_prob(codes[:5]).numpy(), expected)


def test_a_prior_that_fits_better_gives_unseen_codes_a_greater_density(codes, fitted):
    density = {name: float(prior.log_prob(codes[400:]).mean()) for name, prior in fitted.items()}
    assert density["normal"] < density["gaussian"] < density["aggregated"]
    assert density["gaussian"] < density["mixture"]
    assert fitted["mixture"].chosen >= 2
    assert fitted["aggregated"].chosen in (0.05, 0.2)
