"""Priors over codes: normalization, samples, fit and choice of hyperparameters."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from textlvm.distributions import DiagonalNormal
from textlvm.runtime.errors import UserError
from textlvm.sentences.evaluation import aggregated_posterior
from textlvm.sentences.marginal import priors
from textlvm.sentences.marginal.axes import Axes, principal_axes, standard_axes
from textlvm.sentences.marginal.flow import masked_autoregressive_flow


@pytest.fixture
def codes():
    """Two elongated clusters in the plane."""
    rng = np.random.default_rng(0)
    centres = rng.choice([-3.0, 3.0], size=800)
    points = np.stack([centres, centres / 2], 1) + rng.normal(size=(800, 2)) * [0.5, 0.2]
    return torch.from_numpy(points)


@pytest.fixture
def fitted(codes):
    train, valid = codes[:400], codes[400:]
    posteriors = DiagonalNormal(train, torch.full_like(train, math.log(0.01)))
    axes = principal_axes(train)
    torch.manual_seed(0)
    return {
        prior.name: prior
        for prior in (
            priors.gaussian("normal", standard_axes(2)),
            priors.gaussian("gaussian", axes),
            priors.mixture(train, valid, axes, (1, 2, 8), seed=0),
            priors.aggregated(posteriors, valid, axes, (0.0, 0.05, 0.2, 1.0)),
            masked_autoregressive_flow(train, valid, axes, steps=300),
        )
    }


NAMES = ["normal", "gaussian", "mixture", "aggregated", "flow"]


@pytest.mark.parametrize("name", NAMES)
def test_density_integrates_to_one(name, fitted):
    """The integral is a Riemann sum over the plane."""
    axis = torch.linspace(-14, 14, 281, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    total = fitted[name].log_prob(grid).exp().sum() * (axis[1] - axis[0]) ** 2
    assert float(total) == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize("name", NAMES)
def test_samples_follow_the_density(name, fitted):
    """The mean log density of samples is the negative entropy, computed by a Riemann sum."""
    torch.manual_seed(0)
    prior = fitted[name]
    axis = torch.linspace(-14, 14, 281, dtype=torch.float64)
    log_prob = prior.log_prob(torch.cartesian_prod(axis, axis))
    entropy = -float((log_prob.exp() * log_prob).sum() * (axis[1] - axis[0]) ** 2)
    samples = prior.sample(10_000)
    assert samples.shape == (10_000, 2)
    assert -float(prior.log_prob(samples).mean()) == pytest.approx(entropy, abs=0.05)


def test_gaussian_has_mean_and_covariance_of_the_codes(codes, fitted):
    train = codes[:400].numpy()
    covariance = np.cov(train.T)
    covariance += 1e-4 * np.trace(covariance) / 2 * np.eye(2)
    expected = multivariate_normal(train.mean(0), covariance).logpdf(codes[:5].numpy())
    np.testing.assert_allclose(fitted["gaussian"].log_prob(codes[:5]).numpy(), expected)


def test_flexible_priors_give_unseen_codes_a_greater_density(codes, fitted):
    density = {name: float(prior.log_prob(codes[400:]).mean()) for name, prior in fitted.items()}
    assert density["normal"] < density["gaussian"] < density["aggregated"]
    assert density["gaussian"] < density["mixture"]
    assert density["gaussian"] + 0.3 < density["flow"]
    assert fitted["mixture"].chosen >= 2
    assert fitted["aggregated"].chosen in (0.05, 0.2)


def test_mixture_with_more_components_than_codes_is_rejected(codes):
    axes = principal_axes(codes[:5])
    assert priors.mixture(codes[:5], codes[5:], axes, (2, 8), seed=0).chosen == 2
    with pytest.raises(UserError, match="5 training codes, fewer than each number of components"):
        priors.mixture(codes[:5], codes[5:], axes, (8, 16), seed=0)


@pytest.fixture
def posteriors():
    """Posteriors in three dimensions with different variances and correlated means."""
    rng = np.random.default_rng(1)
    loc = torch.from_numpy(rng.normal(size=(30, 3)) @ rng.normal(size=(3, 3)))
    return DiagonalNormal(loc, torch.from_numpy(rng.normal(size=(30, 3)) - 1))


@pytest.mark.parametrize("width", [0.0, 0.3, 1.0])
def test_widening_keeps_mean_and_covariance(width, posteriors):
    """The posteriors are isotropic, so they have no correlations between axes, which would be ignored."""
    isotropic = DiagonalNormal(posteriors.loc, posteriors.log_scale[:, :1].expand(-1, 3))
    codes = DiagonalNormal(isotropic.loc.repeat(2000, 1), isotropic.log_scale.repeat(2000, 1))
    torch.manual_seed(0)
    axes = principal_axes(codes.rsample_with_log_prob()[0])
    samples = priors.aggregated(isotropic, isotropic.loc, axes, [width]).sample(100_000)
    expected = axes.basis @ torch.diag(axes.scale.square()) @ axes.basis.T
    torch.testing.assert_close(samples.mean(0), axes.mean, atol=0.03, rtol=0)
    torch.testing.assert_close(samples.T.cov(), expected, atol=0.15, rtol=0.02)


def test_width_zero_is_the_aggregated_posterior(posteriors):
    """The axes are the coordinate axes of the codes, along which posteriors are independent."""
    axes = Axes(
        torch.tensor([1.0, 2.0, 3.0]).double(), torch.eye(3).double(), torch.tensor([2.0, 1, 3]).double()
    )
    z = posteriors.loc + 0.1
    found = priors.aggregated(posteriors, z, axes, [0.0]).log_prob(z)
    torch.testing.assert_close(found, aggregated_posterior.log_prob(z, posteriors))


def test_width_one_is_the_gaussian(posteriors):
    axes = principal_axes(posteriors.loc)
    z = posteriors.loc + 0.1
    found = priors.aggregated(posteriors, z, axes, [1.0]).log_prob(z)
    torch.testing.assert_close(found, axes.log_prob(z))


def test_flow_keeps_the_weights_with_the_best_validation_density(codes):
    """The flow overfits twenty training codes, so the last step is not the best one."""
    train, valid = codes[:20], codes[400:]
    axes = principal_axes(train)
    torch.manual_seed(0)
    short = masked_autoregressive_flow(train, valid, axes, steps=50)
    torch.manual_seed(0)
    long = masked_autoregressive_flow(train, valid, axes, steps=600)
    assert long.chosen < 600
    assert float(long.log_prob(valid).mean()) >= float(short.log_prob(valid).mean()) - 1e-6
