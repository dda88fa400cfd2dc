"""The losses compared with torch.distributions, and their differences."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from textlvm.distributions import DiagonalNormal, standard_normal_log_prob
from textlvm.sentences.models.losses import kl_weight, mim, negative_elbo, reconstruction


@pytest.fixture
def posterior():
    torch.manual_seed(0)
    return DiagonalNormal(*torch.randn(2, 6, 3, dtype=torch.float64))


def test_mim_agrees_with_algorithm_1(posterior):
    z, log_posterior = posterior.rsample_with_log_prob()
    log_likelihood = torch.randn(6, dtype=torch.float64)
    expected = 0.0
    for i in range(6):
        log_q = Normal(posterior.loc[i], posterior.log_scale[i].exp()).log_prob(z[i]).sum()
        log_anchor = Normal(0.0, 1.0).log_prob(z[i]).sum()
        expected -= (log_likelihood[i] + 0.5 * (log_q + log_anchor)) / 6
    torch.testing.assert_close(mim(log_likelihood, log_posterior, standard_normal_log_prob(z)), expected)


def test_sampled_kl_term_has_the_closed_form_as_expectation(posterior):
    draws = 40_000
    repeated = (v.expand(draws, 6, 3).flatten(0, 1) for v in (posterior.loc, posterior.log_scale))
    many = DiagonalNormal(*repeated)
    z, log_posterior = many.rsample_with_log_prob()
    none = torch.zeros(len(z), dtype=torch.float64)
    closed = negative_elbo(none[:6], posterior.kl_to_standard_normal())
    sampled = negative_elbo(none, log_posterior - standard_normal_log_prob(z))
    exact = kl_divergence(Normal(posterior.loc, posterior.log_scale.exp()), Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(closed, exact)
    assert float(sampled) == pytest.approx(float(closed), rel=0.01)
    half = negative_elbo(none[:6], posterior.kl_to_standard_normal(), weight=0.5)
    torch.testing.assert_close(half, 0.5 * closed)


def test_negative_elbo_with_weight_zero_is_the_reconstruction(posterior):
    z, log_posterior = posterior.rsample_with_log_prob()
    log_likelihood = torch.randn(6, dtype=torch.float64)
    torch.testing.assert_close(
        negative_elbo(log_likelihood, log_posterior - standard_normal_log_prob(z), weight=0.0),
        reconstruction(log_likelihood),
    )


def test_difference_of_negative_elbo_and_mim(posterior):
    """The MIM loss decreases with log q(z|x), and the negative ELBO increases."""
    z, log_posterior = posterior.rsample_with_log_prob()
    log_likelihood, log_anchor = torch.randn(6, dtype=torch.float64), standard_normal_log_prob(z)
    difference = negative_elbo(log_likelihood, log_posterior - log_anchor) - mim(
        log_likelihood, log_posterior, log_anchor
    )
    torch.testing.assert_close(difference, (1.5 * log_posterior - 0.5 * log_anchor).mean())


def test_linear_kl_weight_reaches_one_at_its_offset():
    weights = [kl_weight(step, "linear", 4, 0.1) for step in range(1, 8)]
    assert weights == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert kl_weight(1, "linear", 0, 0.1) == 1.0


@pytest.mark.parametrize("offset", [0, 10_000])
def test_logistic_kl_weight_is_one_half_at_its_offset(offset):
    steps = [1, 2, 1001, 10_001, 12_001, 10_000_000]
    expected = [1 / (1 + math.exp(-0.0025 * (step - 1 - offset))) for step in steps]
    assert [kl_weight(step, "logistic", offset, 0.0025) for step in steps] == pytest.approx(expected)
    assert kl_weight(offset + 1, "logistic", offset, 0.0025) == 0.5
    assert kl_weight(1, "logistic", 10**9, 0.0025) == 0.0
