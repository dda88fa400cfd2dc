"""Proposals compared with closed forms: the conditional of a Gaussian, the exact posterior, the ELBO."""

import math

import numpy as np
import torch
from scipy.stats import multivariate_normal
from torch.distributions import Normal

from textlvm.distributions import DiagonalNormal, standard_normal_log_prob
from textlvm.sentences.marginal.axes import principal_axes
from textlvm.sentences.marginal.importance import bounds_by_samples
from textlvm.sentences.marginal.proposals import conditional, encoder

RNG = np.random.default_rng(0)
CODES = torch.from_numpy(RNG.normal(size=(300, 3)) @ RNG.normal(size=(3, 3)) + 1)


def test_conditional_agrees_with_the_conditional_gaussian():
    """The expected distribution is computed with precision matrices."""
    axes, noise = principal_axes(CODES), 0.7
    covariance = (axes.basis * axes.scale.square()) @ axes.basis.T
    variance = noise**2 * float(covariance.trace()) / 3
    posterior = torch.linalg.inv(torch.linalg.inv(covariance) + torch.eye(3) / variance)
    mean = axes.mean + (posterior / variance) @ (CODES[0] - axes.mean)
    torch.manual_seed(0)
    z, log_prob = conditional(CODES[:1].expand(100_000, 3), axes, noise)()
    expected = multivariate_normal(mean.numpy(), posterior.numpy())
    np.testing.assert_allclose(log_prob[:50].numpy(), expected.logpdf(z[:50].numpy()))
    torch.testing.assert_close(z.mean(0), mean, atol=0.02, rtol=0)
    torch.testing.assert_close(z.T.cov(), posterior, atol=0.02, rtol=0.02)


def test_conditional_is_the_mean_without_noise_and_the_prior_with_large_noise():
    axes = principal_axes(CODES)
    z, _ = conditional(CODES, axes, 1e-6)()
    torch.testing.assert_close(z, CODES, atol=1e-4, rtol=0)
    z, log_prob = conditional(CODES, axes, 1e6)()
    torch.testing.assert_close(log_prob, axes.log_prob(z))


def linear_gaussian(prior_sd, sd):
    """z ~ N(0, prior_sd^2), x ~ N(z, sd^2): x, its exact log p(x), the prior, log p(x|z)."""
    x = torch.tensor([-1.0, 0.5, 4.0], dtype=torch.float64)
    prior = principal_axes(torch.tensor([[-1.0], [1.0]]) * prior_sd / math.sqrt(2 * (1 + 1e-4)))
    exact = Normal(0.0, math.sqrt(prior_sd**2 + sd**2)).log_prob(x)
    return x, exact, prior, lambda z: Normal(z.squeeze(1), sd).log_prob(x)


def test_exact_posterior_gives_the_likelihood_with_one_code():
    """With the noise of the likelihood, the proposal is the exact posterior, and all weights are equal."""
    x, exact, prior, log_likelihood = linear_gaussian(2.0, 0.5)
    for _ in range(3):
        z, log_proposal = conditional(x[:, None], prior, 0.25)()
        torch.testing.assert_close(log_likelihood(z) + prior.log_prob(z) - log_proposal, exact)


def test_bound_with_another_noise_rises_to_the_likelihood():
    x, exact, prior, log_likelihood = linear_gaussian(2.0, 0.5)
    torch.manual_seed(0)
    weights = []
    for _ in range(20_000):
        z, log_proposal = conditional(x[:, None], prior, 0.4)()
        weights.append(log_likelihood(z) + prior.log_prob(z) - log_proposal)
    bounds = torch.stack(list(bounds_by_samples(torch.stack(weights), (1, 10, 100)).values()))
    assert (bounds.diff(dim=0) > 0).all()
    assert (bounds[0] < exact).all()
    torch.testing.assert_close(bounds[2], exact, atol=0.02, rtol=0)


def test_encoder_proposal_gives_the_elbo_with_one_code():
    posterior = DiagonalNormal(torch.tensor([[0.3, -0.2]]), torch.tensor([[-1.0, -2.0]]))
    many = DiagonalNormal(posterior.loc.expand(200_000, 2), posterior.log_scale.expand(200_000, 2))
    torch.manual_seed(0)
    z, log_proposal = encoder(many)()
    assert z.dtype == log_proposal.dtype == torch.float64
    cost = (log_proposal - standard_normal_log_prob(z)).mean()
    torch.testing.assert_close(cost, posterior.kl_to_standard_normal()[0].double(), atol=0.01, rtol=0)
