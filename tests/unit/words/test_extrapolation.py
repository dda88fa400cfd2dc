"""Cross entropies at infinite K against known limits."""

import math
import string

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textlvm.words.cross_entropy import cross_entropy, frequencies, monte_carlo_marginals
from textlvm.words.extrapolation import _limit, extrapolate
from textlvm.words.letters import END, encode

LETTERS = string.ascii_lowercase
LIKELY = 0.5 ** np.arange(1, len(LETTERS) + 1)
OTHERWISE = LIKELY / 20
EXACT = np.log((LIKELY + (1 - LIKELY) * OTHERWISE) / 27)
FREQUENCY = frequencies(2.0 ** (-0.4 * np.arange(len(LETTERS))))


class Spiky(torch.nn.Module):
    """Words of one letter, which has a probability of 1/27 along few trajectories, far less along others.

    The letters' shares of such trajectories and their frequencies fall geometrically, so that the bias of
    Eq. (12) is nearly a power of K.
    """

    def __init__(self):
        super().__init__()
        self.device = torch.nn.Parameter(torch.zeros(()))

    def free_running(self, n, length):
        log_probs = torch.full((length, n, 27), -math.inf, dtype=torch.float64)
        likely, otherwise = torch.from_numpy(LIKELY), torch.from_numpy(OTHERWISE)
        drawn = torch.rand(n, len(LETTERS), dtype=torch.float64) < likely
        log_probs[0, :, 1:] = torch.where(drawn, 0.0, otherwise.log()) - math.log(27)
        log_probs[1, :, END] = 0
        return log_probs.float()


def marginals(trajectories):
    return monte_carlo_marginals(Spiky(), encode(list(LETTERS)), trajectories, ())


def test_the_corrected_cross_entropy_is_that_of_the_exact_probabilities():
    exact = cross_entropy(FREQUENCY, EXACT)
    torch.manual_seed(0)
    runs = [marginals(4096) for _ in range(250)]
    raw = np.array([cross_entropy(FREQUENCY, run.log_probs()) for run in runs]) - exact
    estimates, errors = zip(*(run.corrected(FREQUENCY) for run in runs), strict=True)
    corrected = np.array(estimates) - exact
    deviation = corrected.std(ddof=1)
    bias_error = deviation / math.sqrt(len(runs))
    assert raw.mean() > 10 * bias_error, "without a bias the test would show nothing"
    assert abs(corrected.mean()) < 4 * bias_error
    assert abs(corrected.mean()) < raw.mean() / 4
    assert np.mean(errors) == pytest.approx(deviation, rel=0.5)


@given(st.floats(0.1, 1), st.floats(0.01, 5))
def test_a_power_of_k_is_extrapolated_exactly(exponent, height):
    curve = [7 + height * 2.0 ** (exponent * halvings) for halvings in range(7)]
    assert _limit(curve) == pytest.approx(7, abs=1e-8 * height)


def test_faster_than_the_jackknife_and_slower_than_a_limit_are_not_believed():
    fast = [7 + 2.0 ** (3 * halvings) for halvings in range(7)]
    assert _limit(fast) == pytest.approx(fast[0] - (fast[1] - fast[0]))
    assert _limit([7 + 0.5 * halvings for halvings in range(7)]) is None
    # A gain of chance below zero: the last two values are all that counts.
    assert _limit([7.0, 7.01, 6.9, 7.3]) == pytest.approx(6.99)


def test_probabilities_that_do_not_vary_have_no_bias():
    log_probs = np.log(np.array([0.5, 0.25]))
    groups = np.repeat(log_probs[:, None] + math.log(128), 64, 1)
    value, error = extrapolate(groups, 128, np.array([0.5, 0.5]))
    assert value == pytest.approx(1.5 * math.log(2))
    assert error < 1e-9


def test_a_word_that_does_not_occur_counts_nothing():
    rng = np.random.default_rng(0)
    groups = rng.normal(size=(2, 16))
    expected = extrapolate(groups[:1], 128, np.array([1.0]))
    assert extrapolate(groups, 128, np.array([1.0, 0.0])) == expected


def test_too_few_groups_have_no_limit():
    assert extrapolate(np.zeros((1, 7)), 128, np.array([1.0])) is None
    assert marginals(512).corrected(FREQUENCY) is None
