import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from textlvm.distributions import DiagonalNormal, draw, standard_normal_log_prob


@given(st.integers(0, 100), st.integers(1, 6))
@settings(deadline=None)
def test_log_density_equals_torch_distributions(seed, dim):
    torch.manual_seed(seed)
    loc, log_scale, x = torch.randn(3, 4, dim, dtype=torch.float64).unbind()
    ours = DiagonalNormal(loc, log_scale)
    theirs = torch.distributions.Normal(loc, log_scale.exp())
    torch.testing.assert_close(ours.log_prob(x), theirs.log_prob(x).sum(-1))
    sample, log_prob = ours.rsample_with_log_prob()
    torch.testing.assert_close(log_prob, theirs.log_prob(sample).sum(-1))
    torch.testing.assert_close(
        standard_normal_log_prob(x), torch.distributions.Normal(0.0, 1.0).log_prob(x).sum(-1)
    )


@given(st.integers(0, 100), st.integers(1, 6))
@settings(deadline=None)
def test_kl_divergence_equals_torch_distributions(seed, dim):
    torch.manual_seed(seed)
    loc, log_scale = torch.randn(2, 4, dim, dtype=torch.float64).unbind()
    ours = DiagonalNormal(loc, log_scale)
    theirs = torch.distributions.kl_divergence(
        torch.distributions.Normal(loc, log_scale.exp()), torch.distributions.Normal(0.0, 1.0)
    )
    torch.testing.assert_close(ours.kl_by_dimension(), theirs)
    torch.testing.assert_close(ours.kl_to_standard_normal(), theirs.sum(-1))


def test_draw_follows_the_weights_and_never_returns_a_zero():
    torch.manual_seed(0)
    weights = torch.tensor([0.0, 1.0, 0.0, 3.0, 0.0])
    counts = torch.bincount(draw(weights.expand(40_000, 5)), minlength=5)
    assert counts[[0, 2, 4]].sum() == 0
    assert abs(float(counts[1]) / 40_000 - 0.25) < 4.5 * (0.25 * 0.75 / 40_000) ** 0.5


def test_draw_at_the_total_returns_the_last_nonzero_weight(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda *shape, **kwargs: torch.ones(*shape))
    assert draw(torch.tensor([[0.5, 0.5, 0.0]])).tolist() == [1]
