"""The losses against torch.distributions, and what sets them apart."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from textlvm.distributions import DiagonalNormal, standard_normal_log_prob
from textlvm.sentences.losses import kl_weight, mim, negative_elbo, reconstruction


@pytest.fixture
def posterior():
    torch.manual_seed(0)
    return DiagonalNormal(*torch.randn(2, 6, 3, dtype=torch.float64))


def test_mim_is_algorithm_1(posterior):
    z, log_posterior = posterior.rsample_with_log_prob()
    log_likelihood = torch.randn(6, dtype=torch.float64)
    by_hand = 0.0
    for i in range(6):
        log_q = Normal(posterior.loc[i], posterior.log_scale[i].exp()).log_prob(z[i]).sum()
        log_anchor = Normal(0.0, 1.0).log_prob(z[i]).sum()
        by_hand -= (log_likelihood[i] + 0.5 * (log_q + log_anchor)) / 6
    torch.testing.assert_close(mim(log_likelihood, log_posterior, standard_normal_log_prob(z)), by_hand)


def test_the_elbo_has_the_kl_term_in_expectation(posterior):
    draws = 40_000
    repeated = (v.expand(draws, 6, 3).flatten(0, 1) for v in (posterior.loc, posterior.log_scale))
    many = DiagonalNormal(*repeated)
    z, log_posterior = many.rsample_with_log_prob()
    none = torch.zeros(len(z), dtype=torch.float64)
    kl = kl_divergence(Normal(posterior.loc, posterior.log_scale.exp()), Normal(0.0, 1.0)).sum(1).mean()
    estimate = negative_elbo(none, log_posterior, standard_normal_log_prob(z))
    assert float(estimate) == pytest.approx(float(kl), rel=0.01)
    half = negative_elbo(none, log_posterior, standard_normal_log_prob(z), weight=0.5)
    torch.testing.assert_close(half, 0.5 * estimate)


def test_without_its_kl_term_the_elbo_is_the_reconstruction(posterior):
    z, log_posterior = posterior.rsample_with_log_prob()
    log_likelihood = torch.randn(6, dtype=torch.float64)
    torch.testing.assert_close(
        negative_elbo(log_likelihood, log_posterior, standard_normal_log_prob(z), weight=0.0),
        reconstruction(log_likelihood),
    )


def test_mim_and_elbo_differ_by_three_halves_and_a_half(posterior):
    """What MIM rewards as log q(z|x), the ELBO punishes."""
    z, log_posterior = posterior.rsample_with_log_prob()
    log_likelihood, log_anchor = torch.randn(6, dtype=torch.float64), standard_normal_log_prob(z)
    difference = negative_elbo(log_likelihood, log_posterior, log_anchor) - mim(
        log_likelihood, log_posterior, log_anchor
    )
    torch.testing.assert_close(difference, (1.5 * log_posterior - 0.5 * log_anchor).mean())


def test_the_kl_weight_reaches_one_after_the_annealing():
    weights = [kl_weight(step, 4) for step in range(1, 8)]
    assert weights == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert kl_weight(1, 0) == 1.0
