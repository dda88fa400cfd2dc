"""Cross entropies extrapolated to infinite K, compared with known limits."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textlvm.words.cross_entropy import Marginals, cross_entropy, frequencies
from textlvm.words.extrapolation import _curve, _limit, extrapolate

LIKELY = np.repeat(0.5 ** np.arange(1, 27), 40)
"""For each of 1,040 words, the share of trajectories along which its probability is 1."""
OTHERWISE = LIKELY / 20
"""Its probability along the other trajectories."""
EXACT = np.log(LIKELY + (1 - LIKELY) * OTHERWISE)
FREQUENCY = frequencies(LIKELY**0.4)
"""Shares and frequencies fall geometrically, so that the bias of Eq. (12) is nearly a power of K."""


def sampled(rng, groups=64, size=128):
    """log sum_k P(w|h^k) over groups of trajectories, independent from word to word: (V, G)."""
    often = rng.binomial(size, LIKELY[:, None], (len(LIKELY), groups))
    return np.log(often + (size - often) * OTHERWISE[:, None])


def test_extrapolation_removes_the_bias():
    exact = cross_entropy(FREQUENCY, EXACT)
    rng = np.random.default_rng(0)
    runs = [sampled(rng) for _ in range(40)]
    log_probs = (np.logaddexp.reduce(run, axis=1) - math.log(64 * 128) for run in runs)
    raw = np.mean([cross_entropy(FREQUENCY, values) for values in log_probs]) - exact
    estimates, errors = zip(*(extrapolate(run, 128, FREQUENCY) for run in runs), strict=True)
    corrected = np.array(estimates) - exact
    deviation = corrected.std(ddof=1)
    assert raw > 10 * deviation / math.sqrt(len(runs)), "the test needs a bias to remove"
    assert abs(corrected.mean()) < raw / 5
    covered = np.mean(np.abs(corrected) < 1.96 * np.array(errors))
    assert covered >= 0.8
    assert np.mean(errors) < 3 * deviation


@given(st.floats(0.1, 1), st.floats(0.01, 5))
def test_power_law_is_extrapolated_exactly(exponent, height):
    curve = [7 + height * 2.0 ** (exponent * halvings) for halvings in range(7)]
    assert _limit(curve, 4) == pytest.approx(7, abs=1e-8 * height)


def test_decay_rate_is_bounded():
    fast = [7 + 2.0 ** (3 * halvings) for halvings in range(7)]
    assert _limit(fast, 4) == pytest.approx(fast[0] - (fast[1] - fast[0]))
    assert _limit([7 + 0.5 * halvings for halvings in range(7)], 4) is None
    # A negative gain is noise: only the values at the two largest K are used.
    assert _limit([7.0, 7.01, 6.9, 7.3], 4) == pytest.approx(6.99)


def test_error_includes_the_deviation_from_a_power_law():
    curve = [7 + 0.5 ** (7 - halvings) for halvings in range(7)]
    bent = [value + 0.002 * halvings**2 for halvings, value in enumerate(curve)]
    assert _limit(curve, 4) == pytest.approx(_limit(curve, 6))
    difference = abs(_limit(bent, 4) - _limit(bent, 6))
    assert difference > 1e-4
    groups = sampled(np.random.default_rng(1))
    _, error = extrapolate(groups, 128, FREQUENCY)
    measured = _curve(torch.from_numpy(groups), 128, torch.from_numpy(FREQUENCY))
    assert error >= abs(_limit(measured, 4) - _limit(measured, 6))


def test_constant_probabilities_have_no_bias():
    log_probs = np.log(np.array([0.5, 0.25]))
    groups = np.repeat(log_probs[:, None] + math.log(128), 64, 1)
    value, error = extrapolate(groups, 128, np.array([0.5, 0.5]))
    assert value == pytest.approx(1.5 * math.log(2))
    assert error < 1e-9


def test_words_with_frequency_zero_are_ignored():
    rng = np.random.default_rng(0)
    groups = rng.normal(size=(2, 16))
    expected = extrapolate(groups[:1], 128, np.array([1.0]))
    assert extrapolate(groups, 128, np.array([1.0, 0.0])) == expected


def test_too_few_groups_give_no_estimate():
    assert extrapolate(np.zeros((1, 7)), 128, np.array([1.0])) is None


def test_groups_of_a_different_size_are_ignored():
    groups = sampled(np.random.default_rng(2), groups=9)
    sizes = np.array([128] * 8 + [200])
    expected = extrapolate(groups[:, :8], 128, FREQUENCY)
    assert Marginals(groups, sizes, ()).corrected(FREQUENCY) == expected
