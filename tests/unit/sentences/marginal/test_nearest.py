"""The bound by the nearest training codes."""

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from textlvm.sentences.marginal.nearest import bounds_by_neighbours, nearest


def test_nearest_codes_come_first():
    codes = torch.tensor([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0], [0.9, 0.1]])
    assert nearest(torch.tensor([[1.0, 0.0], [4.0, 4.0]]), codes, 2).tolist() == [[1, 3], [2, 3]]


@given(st.integers(1, 30), st.integers(0, 1000))
@settings(deadline=None)
def test_bound_rises_with_the_number_of_neighbours(codes, seed):
    generator = torch.Generator().manual_seed(seed)
    log_likelihood = 5 * torch.randn(codes, 3, generator=generator, dtype=torch.float64)
    bounds = torch.stack(
        list(bounds_by_neighbours(log_likelihood, codes, tuple(range(1, codes + 1))).values())
    )
    assert (bounds.diff(dim=0) >= 0).all()
    torch.testing.assert_close(bounds[-1], log_likelihood.logsumexp(0) - math.log(codes))
    torch.testing.assert_close(bounds[0], log_likelihood[0] - math.log(codes))
