"""Properties of outcomes for random numbers, and the coverage of their intervals."""

import math
import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from comparisons import A, B, compare, one_seed, seeds
from textlvm.reporting.claims.judge import Number, Outcome, conclude, judge
from textlvm.reporting.claims.language import Side
from textlvm.reporting.spread import Sample, borrow

VALUES = st.lists(st.floats(-100, 100), min_size=3, max_size=3)
FACTORS = st.floats(0.01, 100)
ERRORS = st.floats(0, 10)
MARGINS = st.floats(0, 20)
SIDES = st.sampled_from(Side)


@settings(deadline=None)
@given(st.floats(-100, 100), st.floats(-100, 100), st.floats(0.01, 10), st.floats(1, 5), st.integers(1, 9))
def test_larger_borrowed_deviation_widens_the_interval(a, b, sd, factor, freedom):
    before, after = (
        judge(compare(A, B), {A: one_seed(a, deviation, freedom), B: one_seed(b, deviation, freedom)})
        for deviation in (sd, factor * sd)
    )
    assert after.half >= before.half
    assert after.outcome in (before.outcome, Outcome.UNDECIDED)


def test_interval_with_borrowed_deviation_has_95_percent_coverage():
    """Simulation: two rows with one seed, and three rows with three seeds and the same deviation."""
    generator = random.Random(2)
    hits = 0
    for _ in range(3000):
        others = [
            Sample(name, name, "", "ce_test", tuple(generator.gauss(0, 1) for _ in range(3)))
            for name in "XYZ"
        ]
        spread = borrow("", others, 0.0, "nats")
        a, b = (Number({0: generator.gauss(0, 1)}, borrowed=spread) for _ in range(2))
        found = judge(compare(A, B), {A: a, B: b})
        hits += abs(found.effect) <= found.half
    assert abs(hits / 3000 - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 3000)


@settings(deadline=None)
@given(st.floats(-100, 100), st.floats(-100, 100), ERRORS, ERRORS, SIDES, MARGINS)
def test_limit_is_the_deviation_at_which_three_seeds_decide(a, b, e, f, side, margin):
    comparison = compare(A, B, side=side, margin=margin)
    found = judge(comparison, {A: seeds(a, error=e), B: seeds(b, error=f)})
    if found.limit is None:
        assert abs(found.distance) <= found.half + 1e-6
        return
    assume(found.limit > 1e-3)
    for factor, is_decided in ((0.999, True), (1.001, False)):
        sd = factor * found.limit
        three = {A: seeds(a - sd, a, a + sd, error=e), B: seeds(b - sd, b, b + sd, error=f)}
        assert (judge(comparison, three).outcome is not Outcome.UNDECIDED) == is_decided


@settings(deadline=None)
@given(VALUES, VALUES, ERRORS, ERRORS, MARGINS)
def test_swapping_operands_exchanges_less_and_greater(a, b, e, f, margin):
    numbers = {A: seeds(*a, error=e), B: seeds(*b, error=f)}
    less = judge(compare(A, B, margin=margin), numbers)
    greater = judge(compare(B, A, side=Side.ABOVE, margin=margin), numbers)
    assert (less.outcome, less.effect) == (greater.outcome, pytest.approx(-greater.effect, abs=1e-9))
    assert less.half == pytest.approx(greater.half)


@settings(deadline=None)
@given(VALUES, VALUES, ERRORS)
def test_less_and_greater_have_opposite_outcomes(a, b, e):
    numbers = {A: seeds(*a, error=e), B: seeds(*b)}
    less, greater = (judge(compare(A, B, side=side), numbers) for side in (Side.BELOW, Side.ABOVE))
    # Both fail at a tie; at the ends of the interval, rounding errors decide.
    assume(abs(less.effect) > 1e-6 and abs(abs(less.effect) - less.half) > 1e-6)
    flipped = {Outcome.HOLDS: Outcome.FAILS, Outcome.FAILS: Outcome.HOLDS}
    assert greater.outcome is flipped.get(less.outcome, Outcome.UNDECIDED)


@settings(deadline=None)
@given(VALUES, VALUES, ERRORS, MARGINS, SIDES, FACTORS)
def test_outcome_does_not_depend_on_the_unit(a, b, e, margin, side, factor):
    def scaled(by):
        numbers = {A: seeds(*(by * x for x in a), error=by * e), B: seeds(*(by * x for x in b))}
        return judge(compare(A, B, side=side, margin=by * margin), numbers)

    one, other = scaled(1.0), scaled(factor)
    assert other.effect == pytest.approx(factor * one.effect, abs=1e-6)
    assert other.half == pytest.approx(factor * one.half, abs=1e-6)
    assume(abs(abs(one.distance) - one.half) > 1e-6)
    assert other.outcome is one.outcome


@settings(deadline=None)
@given(VALUES, VALUES, ERRORS, st.floats(1, 5), ERRORS, SIDES, MARGINS)
def test_more_noise_widens_the_interval_and_never_decides(a, b, e, spread, more, side, margin):
    mean = math.fsum(a) / 3
    before = judge(compare(A, B, side=side, margin=margin), {A: seeds(*a, error=e), B: seeds(*b)})
    spread_out = seeds(*(mean + spread * (x - mean) for x in a), error=e + more)
    after = judge(compare(A, B, side=side, margin=margin), {A: spread_out, B: seeds(*b)})
    assert after.half >= before.half - 1e-9
    assume(abs(abs(before.distance) - before.half) > 1e-6)
    assert after.outcome in (before.outcome, Outcome.UNDECIDED)


@settings(deadline=None)
@given(st.lists(st.tuples(VALUES, SIDES), min_size=1, max_size=4))
def test_claim_has_the_outcome_of_its_weakest_comparison(parts):
    found = [judge(compare(A, 0.0, side=side, margin=1.0), {A: seeds(*values)}) for values, side in parts]
    outcomes = {result.outcome for result in found}
    expected = next(o for o in (Outcome.FAILS, Outcome.UNDECIDED, Outcome.HOLDS) if o in outcomes)
    whole, weakest = conclude(found, complete=True)
    assert whole is weakest.outcome is expected
    # If a comparison is missing, a claim can only fail.
    partly, shown = conclude(found, complete=False)
    assert partly is (Outcome.FAILS if expected is Outcome.FAILS else Outcome.UNDECIDED)
    assert (shown is None) == (partly is Outcome.UNDECIDED)


@pytest.mark.parametrize("deviations", [(1.0, 1.0), (0.2, 3.0), (2.0, 0.0)])
def test_interval_has_at_least_95_percent_coverage(deviations):
    """Simulation: with three seeds each, the interval contains the true difference 95% of the time."""
    generator = random.Random(1)
    hits = 0
    for _ in range(3000):
        a, b = ([generator.gauss(0, d) for _ in range(3)] for d in deviations)
        found = judge(compare(A, B), {A: seeds(*a), B: seeds(*b)})
        hits += abs(found.effect) <= found.half + 1e-12
    assert hits / 3000 > 0.95 - 4 * math.sqrt(0.95 * 0.05 / 3000)
