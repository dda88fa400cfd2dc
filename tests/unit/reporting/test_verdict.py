import math
import random
import statistics

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from textlvm.estimate import deviation
from textlvm.reporting.published import Published
from textlvm.reporting.spread import PooledSpread
from textlvm.reporting.verdict import Measurement, Verdict, compare, reach

NUMBERS = st.floats(-100, 100, allow_nan=False)
WIDTHS = st.floats(0, 10, allow_nan=False)


def measured(value, spread=None, seeds=1, error=None, borrowed=None):
    """A mean over seeds; `error` is half the width of the estimator's interval."""
    low, high = (None, None) if error is None else (value - error, value + error)
    return Measurement(
        value, low, high, spread, None, tuple((seed, value) for seed in range(seeds)), borrowed
    )


def printed(value, digits, spread=None):
    """A number of a paper with this number of decimals."""
    place = ("words", 1, "TRIL", "own", "bookscorpus", "standard", "ce_test")
    return Published(*place, value, digits, spread, bound="", source="paper", where="", note="")


@pytest.mark.parametrize("comparisons", [1, 9])
def test_limit_of_several_comparisons_is_bonferronis(comparisons):
    expected = stats.t.ppf(1 - 0.05 / (2 * comparisons), 20) * 0.04 * math.sqrt(4 / 3)
    assert reach(0.04, 20, 3, comparisons) == pytest.approx(expected)


def test_rule_by_hand():
    """0.005 + sqrt((4.3027 · 0.03)² (1 + 1/3) + (1.96 · 0.04)² + (1.96 · 0.12)²) = 0.294."""
    half = 1.959963984540054 * 0.12
    for difference, verdict in ((0.293, Verdict.WITHIN), (0.295, Verdict.OUTSIDE), (-0.295, Verdict.OUTSIDE)):
        found = compare(measured(10 + difference, 0.03, 3, half), printed(10.0, 2, 0.04))
        assert found.verdict is verdict
        assert found.tolerance == pytest.approx(0.2943, abs=1e-4)
        assert found.difference == pytest.approx(difference)


def test_single_seed_is_within_or_undecided():
    assert compare(measured(20.0), printed(10.0, 2)).verdict is Verdict.UNDECIDED
    assert compare(measured(10.004), printed(10.0, 2)).verdict is Verdict.WITHIN


@pytest.mark.parametrize(
    ("value", "expected"), [(10.397, Verdict.WITHIN), (10.399, Verdict.OUTSIDE), (9.602, Verdict.OUTSIDE)]
)
def test_single_seed_with_borrowed_spread_is_decided(value, expected):
    """0.005 + 2.7764 · 0.1 · sqrt(1 + 1) = 0.3976, with 4 degrees of freedom."""
    found = compare(measured(value, borrowed=PooledSpread(0.1, 4, "X")), printed(10.0, 2))
    assert found.verdict is expected
    assert found.tolerance == pytest.approx(0.3976, abs=1e-4)


def test_measured_spread_is_preferred_to_borrowed_spread():
    mean = measured(10.1, spread=0.01, seeds=3, borrowed=PooledSpread(1.0, 4, "X"))
    found = compare(mean, printed(10.0, 2))
    assert found.tolerance == pytest.approx(0.005 + 4.302652729749462 * 0.01 * math.sqrt(4 / 3))


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("is_borrowed", [False, True])
def test_mean_of_the_printed_value_s_distribution_is_within_in_95_percent(seeds, is_borrowed):
    """Simulation: the printed value and all seeds are from one normal distribution, the digits are exact."""
    generator = random.Random(seeds)
    hits = 0
    for _ in range(4000):
        value, *values = (generator.gauss(0, 1) for _ in range(1 + seeds))
        spread = statistics.stdev(values)
        if is_borrowed:
            mean = measured(generator.gauss(0, 1), borrowed=PooledSpread(spread, seeds - 1, "X"))
        else:
            mean = measured(statistics.fmean(values), spread, seeds)
        hits += compare(mean, printed(value, 20)).verdict is Verdict.WITHIN
    assert abs(hits / 4000 - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 4000)


def test_zero_spread_is_not_an_unknown_spread():
    assert compare(measured(10.1, spread=0.0, seeds=3), printed(10.0, 2)).verdict is Verdict.OUTSIDE


@given(NUMBERS, NUMBERS, st.integers(1, 5))
def test_stand_in_has_no_tolerance(value, published, seeds):
    found = compare(measured(value, seeds=seeds), printed(published, 2), stand_in=True)
    assert found.verdict is Verdict.STAND_IN
    assert found.tolerance is None
    assert found.difference == value - published


@given(NUMBERS, NUMBERS, WIDTHS, WIDTHS, WIDTHS, WIDTHS, st.sampled_from(["spread", "printed", "interval"]))
def test_more_noise_never_turns_within_into_outside(value, published, s, p, e, more, source):
    def verdict(s, p, e):
        found = compare(measured(value, s, 3, e), printed(published, 2, p))
        assert found.verdict in (Verdict.WITHIN, Verdict.OUTSIDE)
        assert (found.verdict is Verdict.WITHIN) == (abs(found.difference) <= found.tolerance)
        return found

    before = verdict(s, p, e)
    after = verdict(
        s + more * (source == "spread"), p + more * (source == "printed"), e + more * (source == "interval")
    )
    assert after.tolerance >= before.tolerance - 1e-9
    assume(abs(abs(before.difference) - before.tolerance) > 1e-6)
    assert not (before.verdict is Verdict.WITHIN and after.verdict is Verdict.OUTSIDE)


def test_squares_of_large_values_do_not_overflow():
    spread = deviation([1e200, 3e200])
    assert spread == pytest.approx(math.sqrt(2) * 1e200)
    assert math.isfinite(compare(measured(2e200, spread, seeds=2), printed(1.0, 0)).tolerance)
