import math
import random
import statistics

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from textlvm.estimate import Estimate, exact
from textlvm.reporting.published import Published
from textlvm.reporting.spread import PooledSpread
from textlvm.reporting.verdict import Mean, Verdict, compare, pool, reach

NUMBERS = st.floats(-100, 100, allow_nan=False)
WIDTHS = st.floats(0, 10, allow_nan=False)


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
        mean = Mean(10 + difference, 10 + difference - half, 10 + difference + half, 0.03, 3)
        found = compare(mean, printed(10.0, 2, 0.04))
        assert found.verdict is verdict
        assert found.tolerance == pytest.approx(0.2943, abs=1e-4)
        assert found.difference == pytest.approx(difference)


def test_single_seed_is_within_or_undecided():
    far = Mean(20.0, None, None, None, 1)
    assert compare(far, printed(10.0, 2)).verdict is Verdict.UNDECIDED
    near = Mean(10.004, None, None, None, 1)
    assert compare(near, printed(10.0, 2)).verdict is Verdict.WITHIN


@pytest.mark.parametrize(
    ("value", "expected"), [(10.397, Verdict.WITHIN), (10.399, Verdict.OUTSIDE), (9.602, Verdict.OUTSIDE)]
)
def test_single_seed_with_borrowed_spread_is_decided(value, expected):
    """0.005 + 2.7764 · 0.1 · sqrt(1 + 1) = 0.3976, with 4 degrees of freedom."""
    borrowed = PooledSpread(0.1, 4, "X")
    found = compare(Mean(value, None, None, None, 1), printed(10.0, 2), borrowed=borrowed)
    assert found.verdict is expected
    assert found.tolerance == pytest.approx(0.3976, abs=1e-4)


def test_measured_spread_is_preferred_to_borrowed_spread():
    mean = Mean(10.1, None, None, spread=0.01, seeds=3)
    borrowed = PooledSpread(1.0, 4, "X")
    found = compare(mean, printed(10.0, 2), borrowed=borrowed)
    assert found.tolerance == pytest.approx(0.005 + 4.302652729749462 * 0.01 * math.sqrt(4 / 3))


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("is_borrowed", [False, True])
def test_mean_of_the_printed_value_s_distribution_is_within_in_95_percent(seeds, is_borrowed):
    """Simulation: the printed value and all seeds are from one normal distribution, the digits are exact."""
    generator = random.Random(seeds)
    hits = 0
    for _ in range(4000):
        value, *values = (generator.gauss(0, 1) for _ in range(1 + seeds))
        mean, borrowed = pool([exact(own, "nats") for own in values]), None
        if is_borrowed:
            borrowed = PooledSpread(mean.spread, seeds - 1, "X")
            mean = Mean(generator.gauss(0, 1), None, None, None, 1)
        hits += compare(mean, printed(value, 20), borrowed=borrowed).verdict is Verdict.WITHIN
    assert abs(hits / 4000 - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 4000)


def test_zero_spread_is_not_an_unknown_spread():
    mean = Mean(10.1, None, None, spread=0.0, seeds=3)
    assert compare(mean, printed(10.0, 2)).verdict is Verdict.OUTSIDE


@given(NUMBERS, NUMBERS, st.integers(1, 5))
def test_stand_in_has_no_tolerance(value, published, seeds):
    found = compare(Mean(value, None, None, None, seeds), printed(published, 2), stand_in=True)
    assert found.verdict is Verdict.STAND_IN
    assert found.tolerance is None
    assert found.difference == value - published


@given(NUMBERS, NUMBERS, WIDTHS, WIDTHS, WIDTHS, WIDTHS, st.sampled_from(["spread", "printed", "interval"]))
def test_more_noise_never_turns_within_into_outside(value, published, s, p, e, more, source):
    def verdict(s, p, e):
        mean = Mean(value, value - e, value + e, s, 3)
        found = compare(mean, printed(published, 2, p))
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


@given(st.lists(NUMBERS, min_size=2, max_size=6))
def test_pool_returns_mean_and_standard_deviation(values):
    pooled = pool([exact(v, "nats") for v in values])
    assert pooled.value == pytest.approx(statistics.mean(values), abs=1e-9)
    assert pooled.spread == pytest.approx(statistics.stdev(values), abs=1e-6)
    assert (pooled.low, pooled.high, pooled.seeds) == (None, None, len(values))


@given(NUMBERS, WIDTHS, WIDTHS)
def test_pool_of_one_seed_returns_its_estimate(value, below, above):
    pooled = pool([Estimate(value, value - below, value + above, "nats")])
    assert pooled.value == value
    assert pooled.spread is None
    assert (pooled.low, pooled.high) == pytest.approx((value - below, value + above), abs=1e-9)


def test_squares_of_large_values_do_not_overflow():
    pooled = pool([exact(value, "per word") for value in (1e200, 3e200)])
    assert pooled.spread == pytest.approx(math.sqrt(2) * 1e200)
    assert math.isfinite(compare(pooled, printed(1.0, 0)).tolerance)


def test_pooled_interval_shrinks_and_keeps_its_offset():
    """Four seeds halve the width; the centre of the interval stays 0.3 above the value."""
    pooled = pool([Estimate(v, v + 0.1, v + 0.5, "nats") for v in (1.0, 2.0, 3.0, 4.0)])
    assert pooled.value == 2.5
    assert (pooled.low, pooled.high) == pytest.approx((2.5 + 0.3 - 0.1, 2.5 + 0.3 + 0.1))


def test_exact_seed_has_an_interval_of_width_zero():
    pooled = pool([Estimate(1.0, 0.8, 1.2, "nats"), exact(1.0, "nats")])
    assert (pooled.low, pooled.high) == pytest.approx((0.9, 1.1))


def test_pooled_interval_has_95_percent_coverage():
    """Simulation with the mean of three noisy evaluations."""
    generator = random.Random(0)
    errors = (0.5, 1.0, 2.0)
    hits = 0
    for _ in range(4000):
        found = [generator.gauss(0, e) for e in errors]
        pooled = pool(
            [Estimate(v, v - 1.96 * e, v + 1.96 * e, "nats") for v, e in zip(found, errors, strict=True)]
        )
        hits += pooled.low <= 0 <= pooled.high
    assert abs(hits / 4000 - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 4000)
