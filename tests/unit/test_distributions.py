import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from textlvm.distributions import DiagonalNormal, standard_normal_log_prob


@given(st.integers(0, 100), st.integers(1, 6))
@settings(deadline=None)
def test_density_is_that_of_torch_distributions(seed, dim):
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
