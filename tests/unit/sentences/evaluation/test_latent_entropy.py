import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textlvm.runtime.errors import UserError
from textlvm.sentences.evaluation.latent_entropy import nearest_neighbour_entropy, standard_normal_entropy


def by_definition(codes, k):
    """Kraskov et al. (2004), Eq. (20), with loops; psi(n) is a harmonic number minus Euler's constant."""
    n, d = codes.shape
    epsilons = []
    for i in range(n):
        distances = sorted(float(np.max(np.abs(codes[i] - codes[j]))) for j in range(n) if j != i)
        epsilons.append(2 * distances[k - 1])

    def psi(m):
        return sum(1 / j for j in range(1, m)) - 0.5772156649015329

    return -psi(k) + psi(n) + d * sum(map(math.log, epsilons)) / n


@pytest.mark.parametrize(("d", "tolerance"), [(1, 0.05), (2, 0.06), (4, 0.1), (8, 0.2), (16, 1.5), (32, 6.0)])
def test_entropy_of_gaussian_agrees_with_closed_form(d, tolerance):
    rng = np.random.default_rng(d)
    mixing = np.diag(rng.uniform(0.5, 2, d)) + 0.2 * rng.normal(size=(d, d)) / math.sqrt(d)
    codes = rng.normal(size=(4000, d))
    assert nearest_neighbour_entropy(codes) == pytest.approx(standard_normal_entropy(d), abs=tolerance)
    exact = standard_normal_entropy(d) + np.linalg.slogdet(mixing)[1]
    assert nearest_neighbour_entropy(codes @ mixing.T) == pytest.approx(exact, abs=2 * tolerance)


def test_estimate_is_too_high_in_many_dimensions():
    codes = np.random.default_rng(0).normal(size=(1000, 64))
    assert nearest_neighbour_entropy(codes) > standard_normal_entropy(64) + 10


@settings(max_examples=15, deadline=None)
@given(st.integers(5, 60), st.integers(1, 6), st.integers(1, 4), st.integers(0, 999), st.integers(3, 64))
def test_estimate_agrees_with_definition_for_any_block_size(n, d, k, seed, block):
    codes = np.random.default_rng(seed).normal(size=(n, d))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textlvm.sentences.evaluation.latent_entropy.BLOCK", block)
        assert nearest_neighbour_entropy(codes, k) == pytest.approx(by_definition(codes, k), abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(-100, 100), st.integers(1, 8))
def test_scaling_adds_log_scale_and_shifting_changes_nothing(scale, shift, d):
    codes = np.random.default_rng(1).normal(size=(200, d))
    before, after = nearest_neighbour_entropy(codes), nearest_neighbour_entropy(scale * codes + shift)
    assert after - before == pytest.approx(d * math.log(scale), abs=1e-3)


def test_uniform_distribution_on_unit_square_has_entropy_zero():
    codes = np.random.default_rng(0).uniform(size=(4000, 2))
    assert nearest_neighbour_entropy(codes) == pytest.approx(0, abs=0.06)


def test_equal_codes_count_once():
    codes = np.random.default_rng(0).normal(size=(100, 3))
    assert nearest_neighbour_entropy(np.repeat(codes, 5, axis=0)) == nearest_neighbour_entropy(
        np.unique(codes, axis=0)
    )


def test_too_few_distinct_codes_are_rejected():
    with pytest.raises(UserError, match="more than 3 distinct codes, not 3"):
        nearest_neighbour_entropy(np.array([[0.0], [1.0], [2.0], [2.0]]))


def test_normal_entropy_agrees_with_table_6():
    for d, printed in ((32, 45.4), (128, 181.62), (512, 726.49)):
        assert standard_normal_entropy(d) == pytest.approx(printed, abs=0.05)
