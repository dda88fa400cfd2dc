"""The importance-weighted bound compared with a closed form, quadrature, enumeration and the ELBO."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from textlvm.distributions import DiagonalNormal, standard_normal_log_prob
from textlvm.sentences.data.batches import pack
from textlvm.sentences.data.vocabulary import PAD, SOS, SPECIALS, UNK
from textlvm.sentences.marginal.axes import standard_axes
from textlvm.sentences.marginal.importance import bounds_by_samples
from textlvm.sentences.marginal.proposals import conditional
from textlvm.sentences.models.autoencoder import SentenceModel


def linear_gaussian(width, samples, seed=0):
    """z ~ N(0, 1), x ~ N(2 z + 1, 0.5^2): log weights for three x with an inexact proposal, and log p(x)."""
    torch.manual_seed(seed)
    x = torch.tensor([-1.0, 0.5, 4.0], dtype=torch.float64)
    posterior = DiagonalNormal(0.4 * (x - 1)[:, None], torch.full((3, 1), math.log(0.1)))
    proposal = DiagonalNormal(posterior.loc, torch.full((3, 1), math.log(math.hypot(0.1, width))))
    repeated = DiagonalNormal(proposal.loc.expand(samples, 3, 1), proposal.log_scale.expand(samples, 3, 1))
    z, log_proposal = repeated.rsample_with_log_prob()
    log_likelihood = Normal(2 * z.squeeze(2) + 1, 0.5).log_prob(x)
    log_weights = log_likelihood + standard_normal_log_prob(z) - log_proposal
    return log_weights, Normal(1.0, math.sqrt(4 + 0.25)).log_prob(x), posterior


def test_bound_with_many_codes_agrees_with_closed_form():
    log_weights, exact, _ = linear_gaussian(width=0.5, samples=200_000)
    torch.testing.assert_close(bounds_by_samples(log_weights, (200_000,))[200_000], exact, atol=0.01, rtol=0)


def test_bound_rises_with_the_number_of_codes():
    log_weights, exact, _ = linear_gaussian(width=0.0, samples=100_000)
    bounds = torch.stack(list(bounds_by_samples(log_weights, (1, 10, 100, 1000)).values()))
    assert (bounds.diff(dim=0) > 0).all()
    assert (bounds < exact).all()


def test_bound_with_one_code_is_the_elbo():
    log_weights, _, posterior = linear_gaussian(width=0.0, samples=100_000)
    x = torch.tensor([-1.0, 0.5, 4.0], dtype=torch.float64)
    mean, variance = posterior.loc.squeeze(1), 0.1**2
    reconstruction = Normal(2 * mean + 1, 0.5).log_prob(x) - 4 * variance / (2 * 0.25)
    elbo = reconstruction - posterior.kl_to_standard_normal()
    torch.testing.assert_close(bounds_by_samples(log_weights, (1,))[1], elbo, atol=0.01, rtol=0)


def test_more_codes_than_sampled_are_rejected():
    with pytest.raises(ValueError, match="more than the 5"):
        bounds_by_samples(torch.zeros(5, 2), (10,))


@pytest.fixture
def model(model_spec):
    """A model with one latent dimension and two words, whose likelihood depends strongly on the code."""
    torch.manual_seed(1)
    model = SentenceModel(model_spec(latent=1), len(SPECIALS) + 2).double()
    with torch.no_grad():
        model.initial.weight.mul_(3)
        model.output.weight.mul_(3)
        model.output.bias[[PAD, UNK, SOS]] = -1e4
    return model


@torch.no_grad()
def by_quadrature(model, sentences):
    """log of the integral of p(x|z) N(z; 0, 1) for words and <eos>, and for words."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    z = torch.from_numpy(nodes)[:, None]
    log_weights = torch.from_numpy(np.log(weights / weights.sum()))
    result = []
    for sentence in sentences:
        words, end = model.log_likelihood(pack([sentence] * len(z)), z)
        result.append([(words + end + log_weights).logsumexp(0), (words + log_weights).logsumexp(0)])
    return torch.tensor(result)


@torch.no_grad()
def by_importance(model, sentences, samples):
    """The same by the importance-weighted bound."""
    result = []
    for sentence in sentences:
        posterior = model.encode(pack([sentence]))
        z, log_proposal = conditional(posterior.loc.expand(samples, 1), standard_axes(1), 2.0)()
        words, end = model.log_likelihood(pack([sentence] * samples), z)
        rest = standard_normal_log_prob(z) - log_proposal
        both = torch.stack([words + end + rest, words + rest], 1)
        result.append(bounds_by_samples(both, (samples,))[samples])
    return torch.stack(result)


def test_bound_agrees_with_quadrature_and_likelihoods_sum_to_one(model):
    first = len(SPECIALS)
    sentences = [
        np.array(words, dtype=np.int32)
        for length in range(4)
        for words in itertools.product((first, first + 1), repeat=length)
    ]
    exact = by_quadrature(model, sentences)
    torch.testing.assert_close(by_importance(model, sentences, 6000), exact, atol=0.05, rtol=0)
    # A sentence has fewer than three words or begins with one of the sequences of three words.
    ended = [exact[i, 0].exp() for i, s in enumerate(sentences) if len(s) < 3]
    continued = [exact[i, 1].exp() for i, s in enumerate(sentences) if len(s) == 3]
    assert float(sum(ended) + sum(continued)) == pytest.approx(1.0, abs=1e-6)
