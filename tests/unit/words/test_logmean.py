import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textlvm.words.logmean import effective_draws, log_mean


@given(st.lists(st.floats(-30, 3), min_size=2, max_size=12))
def test_estimate_equals_the_leave_one_out_jackknife(values):
    n = len(values)
    x = np.exp(np.array(values))
    without = np.array([math.log(np.delete(x, i).mean()) for i in range(n)])
    estimate, error = log_mean(torch.tensor([values], dtype=torch.float64))
    assert float(estimate[0]) == pytest.approx(n * math.log(x.mean()) - (n - 1) * without.mean(), abs=1e-6)
    assert float(error[0]) == pytest.approx(math.sqrt((n - 1) * without.var()), abs=1e-6)


def test_bias_is_removed_and_error_matches_repetitions():
    torch.manual_seed(0)
    draws = torch.randn(20_000, 40, dtype=torch.float64)
    # E exp(x) = exp(1/2)
    estimate, error = log_mean(draws)
    plain = draws.logsumexp(1) - math.log(40)
    assert abs(float(estimate.mean()) - 0.5) < 0.25 * abs(float(plain.mean()) - 0.5)
    assert float(error.square().mean().sqrt()) == pytest.approx(float(estimate.std()), rel=0.15)


def test_dominant_draw_gives_finite_results():
    estimate, error = log_mean(torch.tensor([[0.0, -2000.0, -2000.0], [-3000.0, -3000.0, -3000.0]]))
    assert torch.isfinite(estimate).all()
    assert float(error[0]) > 1
    assert float(estimate[1]) == pytest.approx(-3000)
    assert float(error[1]) == pytest.approx(0, abs=1e-9)


def test_effective_draws_of_equal_and_of_degenerate_weights():
    weights = torch.tensor([[-5.0, -5.0, -5.0, -5.0], [0.0, -900.0, -900.0, -900.0]])
    torch.testing.assert_close(effective_draws(weights), torch.tensor([4.0, 1.0], dtype=torch.float64))
