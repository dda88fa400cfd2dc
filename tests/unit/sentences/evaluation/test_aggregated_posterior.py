import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from textlvm.distributions import DiagonalNormal
from textlvm.sentences.evaluation import aggregated_posterior


def mixture(n, d, seed=0, log_scale=-1.0):
    generator = torch.Generator().manual_seed(seed)
    loc = torch.randn(n, d, generator=generator)
    return DiagonalNormal(loc, log_scale + 0.3 * torch.randn(n, d, generator=generator))


def term_by_term(z, posteriors):
    terms = [
        torch.distributions.Normal(loc.double(), log_scale.double().exp()).log_prob(z.double()).sum(-1)
        for loc, log_scale in zip(posteriors.loc, posteriors.log_scale, strict=True)
    ]
    return torch.stack(terms).logsumexp(0) - math.log(len(terms))


@settings(max_examples=25)
@given(st.integers(1, 70), st.integers(1, 40), st.integers(1, 9), st.integers(1, 64), st.integers(0, 99))
def test_density_is_the_mean_over_components_for_any_block_size(n, m, d, block, seed):
    posteriors = mixture(m, d, seed)
    z = mixture(n, d, seed + 1).loc
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aggregated_posterior, "BLOCK", block)
        result = aggregated_posterior.log_prob(z, posteriors)
    assert result.tolist() == pytest.approx(term_by_term(z, posteriors).tolist(), abs=1e-6)


def test_narrow_posteriors_lose_no_precision():
    # The smallest variance a model can learn is e^-10.
    posteriors = mixture(50, 512, log_scale=-5.0)
    z = posteriors.rsample_with_log_prob()[0]
    result = aggregated_posterior.log_prob(z, posteriors)
    assert result.tolist() == pytest.approx(term_by_term(z, posteriors).tolist(), abs=1e-5)


def test_density_integrates_to_one():
    posteriors = mixture(5, 1)
    grid = torch.linspace(-12, 12, 20001, dtype=torch.float64)
    density = aggregated_posterior.log_prob(grid[:, None], posteriors).exp()
    assert float(torch.trapezoid(density, grid)) == pytest.approx(1, abs=1e-9)


def test_mixture_is_at_least_its_largest_weighted_component():
    posteriors = mixture(40, 6)
    z, log_q = posteriors.rsample_with_log_prob()
    slack = aggregated_posterior.log_prob(z, posteriors) - (log_q.double() - math.log(40))
    assert float(slack.min()) > -1e-5
