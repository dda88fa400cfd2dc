"""Principal axes of codes, compared with samples and scipy."""

import numpy as np
import torch
from scipy.stats import multivariate_normal

from textlvm.distributions import DiagonalNormal
from textlvm.sentences.marginal.axes import principal_axes, standard_axes

RNG = np.random.default_rng(0)
CODES = torch.from_numpy(RNG.normal(size=(500, 4)) @ RNG.normal(size=(4, 4)) + 3)


def test_whitening_gives_unit_covariance_and_is_invertible():
    axes = principal_axes(CODES)
    u = axes.whiten(CODES)
    torch.testing.assert_close(u.mean(0), torch.zeros(4).double(), atol=1e-10, rtol=0)
    torch.testing.assert_close(u.T.cov(), torch.eye(4).double(), atol=5e-3, rtol=0)
    torch.testing.assert_close(axes.unwhiten(u), CODES)


def test_log_prob_agrees_with_scipy():
    axes = principal_axes(CODES)
    covariance = CODES.T.cov().numpy()
    covariance += 1e-4 * np.trace(covariance) / 4 * np.eye(4)
    expected = multivariate_normal(CODES.mean(0).numpy(), covariance).logpdf(CODES.numpy())
    np.testing.assert_allclose(axes.log_prob(CODES).numpy(), expected)
    expected = multivariate_normal(np.zeros(4)).logpdf(CODES.numpy())
    np.testing.assert_allclose(standard_axes(4).log_prob(CODES).numpy(), expected)


def test_whitened_posterior_agrees_with_samples():
    posterior = DiagonalNormal(CODES[:1], torch.tensor([[-1.0, 0.0, 0.5, -3.0]]))
    axes = principal_axes(CODES)
    along = axes.whiten_posterior(posterior)
    many = DiagonalNormal(CODES[:1].expand(200_000, 4), posterior.log_scale.double().expand(200_000, 4))
    torch.manual_seed(0)
    u = axes.whiten(many.rsample_with_log_prob()[0])
    torch.testing.assert_close(u.std(0), along.log_scale[0].exp(), rtol=0.01, atol=0)
    torch.testing.assert_close(u.mean(0), along.loc[0], rtol=0.02, atol=0.02)


def test_log_prob_is_finite_for_codes_without_spread():
    axes = principal_axes(torch.zeros(3, 2))
    assert torch.isfinite(axes.log_prob(torch.zeros(1, 2))).all()
