import math
import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from textlvm.reporting.claims.judge import Number, Outcome, conclude, judge
from textlvm.reporting.claims.language import Comparison, Place, Side
from textlvm.reporting.spread import PooledSpread, Sample, borrow

A, B, C, D = (Place("words", 1, "bookscorpus", row, "ce_test") for row in "ABCD")
T2 = 4.302652729749462
"""Student's 97.5% quantile with two degrees of freedom."""
Z = 1.959963984540054

VALUES = st.lists(st.floats(-100, 100), min_size=3, max_size=3)
FACTORS = st.floats(0.01, 100)
ERRORS = st.floats(0, 10)
MARGINS = st.floats(0, 20)
SIDES = st.sampled_from(Side)


def compare(*operands, side=Side.BELOW, signs=(1, -1, -1, 1), **fields):
    terms = tuple(zip(signs, operands, strict=False))
    return Comparison("less", terms, side, "nats/word", **fields)


def seeds(*values, **fields):
    return Number(dict(enumerate(values)), **fields)


def printed(value, digits=2):
    return Number({0: value}, rounding=0.5 * 10.0**-digits, trained=False)


def outcome(comparison, **numbers):
    return judge(comparison, {place: numbers[place.row] for place in comparison.places}).outcome


def test_the_interval_by_hand():
    """Seeds 1, 2, 3 and 5, 7, 9: variances 1 and 4, so the error is sqrt(1/3 + 4/3); and errors 3 and 4."""
    numbers = {A: seeds(1.0, 2.0, 3.0, error=3.0), B: seeds(5.0, 7.0, 9.0, error=4.0)}
    found = judge(compare(A, B), numbers)
    assert found.effect == pytest.approx(-5)
    assert found.half == pytest.approx(math.sqrt(T2**2 * 5 / 3 + (Z * 5) ** 2))
    assert found.distance == pytest.approx(5)
    assert (found.one_seed, found.limit) == (False, None)


@pytest.mark.parametrize(
    ("values", "expected"),
    # Against zero: mean 10, 1 or -10 with a half width of 4.303 / sqrt(3) = 2.484.
    [((9, 10, 11), Outcome.FAILS), ((0, 1, 2), Outcome.UNDECIDED), ((-9, -10, -11), Outcome.HOLDS)],
)
def test_an_interval_on_one_side_decides(values, expected):
    assert outcome(compare(A, 0.0), A=seeds(*values)) is expected


def test_the_fewest_seeds_give_the_quantile():
    """Of 2 and 6 seeds the quantile is that of one degree of freedom, 12.706."""
    numbers = {A: seeds(1.0, 3.0), B: seeds(*[0.0] * 6)}
    assert judge(compare(A, B), numbers).half == pytest.approx(12.7062 * math.sqrt(2 / 2), rel=1e-5)


def test_numbers_of_the_same_trainings_are_compared_training_by_training():
    """Between trainings both vary by 10; their difference is always 1 or so."""
    first, second = seeds(10.0, 20.0, 30.0), seeds(11.0, 21.1, 30.9)
    run = ("words", "tril")
    paired = {A: Number(first.by_seed, run=run), B: Number(second.by_seed, run=run)}
    assert judge(compare(A, B), paired).outcome is Outcome.HOLDS
    assert judge(compare(A, B), paired).half == pytest.approx(T2 * 0.1 / math.sqrt(3))
    assert judge(compare(A, B), {A: first, B: second}).outcome is Outcome.UNDECIDED


def test_other_seeds_of_the_same_run_are_other_trainings():
    run = ("words", "tril")
    numbers = {
        A: Number({0: 10.0, 1: 20.0, 2: 30.0}, run=run),
        B: Number({0: 11.0, 1: 21.0, 3: 31.0}, run=run),
    }
    assert judge(compare(A, B), numbers).half == pytest.approx(T2 * math.sqrt(2 * 100 / 3))


def test_one_seed_never_decides():
    found = judge(compare(A, B), {A: seeds(1.0), B: seeds(100.0)})
    assert found.outcome is Outcome.UNDECIDED
    assert found.one_seed
    assert found.limit == pytest.approx(99 / (Z * math.sqrt(2)))


def test_one_seed_in_good_company_decides_as_little():
    numbers = {A: seeds(1.0, 1.1, 0.9), B: seeds(100.0)}
    assert judge(compare(A, B), numbers).outcome is Outcome.UNDECIDED


def one_seed(value, sd, freedom=2, source="", **fields):
    return Number({0: value}, borrowed=PooledSpread(sd, freedom, source), **fields)


def test_a_borrowed_deviation_is_that_of_one_training():
    """Student's interval with a pooled sd: t_4 · s · sqrt(1 + 1), t_4 = 2.7764."""
    numbers = {A: one_seed(1.0, 0.5, 4, "X"), B: one_seed(9.0, 0.5, 4, "X")}
    found = judge(compare(A, B), numbers)
    assert found.half == pytest.approx(2.7764451051977987 * 0.5 * math.sqrt(2))
    assert (found.outcome, found.one_seed, found.limit) == (Outcome.HOLDS, False, None)
    assert found.borrowed_from == ("X",)


def test_the_fewest_degrees_of_freedom_give_the_quantile():
    numbers = {A: seeds(1.0, 2.0, 3.0), B: one_seed(9.0, 2.0, 6)}
    assert judge(compare(A, B), numbers).half == pytest.approx(T2 * math.sqrt(1 / 3 + 4))
    numbers = {A: seeds(*range(6)), B: one_seed(9.0, 2.0, 1)}
    assert judge(compare(A, B), numbers).half == pytest.approx(12.706204736174698 * math.sqrt(3.5 / 6 + 4))


def test_deviations_of_numbers_of_one_training_add_up():
    """The sum of two numbers varies most if they vary together: by 0.3 + 0.4, not by 0.5."""
    numbers = {A: one_seed(1.0, 0.3, run=("tril",)), B: one_seed(9.0, 0.4, run=("tril",))}
    assert judge(compare(A, B), numbers).half == pytest.approx(T2 * 0.7)
    apart = {A: one_seed(1.0, 0.3, run=("tril",)), B: one_seed(9.0, 0.4, run=("diag",))}
    assert judge(compare(A, B), apart).half == pytest.approx(T2 * 0.5)


def test_one_number_without_a_deviation_leaves_the_comparison_undecided():
    found = judge(compare(A, B), {A: one_seed(1.0, 0.5), B: seeds(100.0)})
    assert (found.outcome, found.one_seed) == (Outcome.UNDECIDED, True)
    # What the other one's noise leaves of the distance is the unknown one's room.
    reach = math.sqrt((Z * found.limit) ** 2 + (T2 * 0.5) ** 2)
    assert reach == pytest.approx(99)


def test_a_logarithm_has_the_relative_deviation():
    number = one_seed(20.0, 3.0).logarithm()
    assert number.borrowed.value == pytest.approx(0.15)
    assert number.borrowed.degrees_of_freedom == 2


@settings(deadline=None)
@given(st.floats(-100, 100), st.floats(-100, 100), st.floats(0.01, 10), st.floats(1, 5), st.integers(1, 9))
def test_a_larger_borrowed_deviation_decides_no_more(a, b, sd, factor, freedom):
    before, after = (
        judge(compare(A, B), {A: one_seed(a, own, freedom), B: one_seed(b, own, freedom)})
        for own in (sd, factor * sd)
    )
    assert after.half >= before.half
    assert after.outcome in (before.outcome, Outcome.UNDECIDED)


def test_the_borrowed_interval_covers_at_its_level():
    """Simulation: two rows of one seed each, and three rows of three seeds that vary as much."""
    generator = random.Random(2)
    hits = 0
    for _ in range(3000):
        others = [
            Sample(name, name, "", "ce_test", tuple(generator.gauss(0, 1) for _ in range(3)))
            for name in "XYZ"
        ]
        spread = borrow("", others)
        a, b = (Number({0: generator.gauss(0, 1)}, borrowed=spread) for _ in range(2))
        found = judge(compare(A, B), {A: a, B: b})
        hits += abs(found.effect) <= found.half
    assert abs(hits / 3000 - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 3000)


@settings(deadline=None)
@given(st.floats(-100, 100), st.floats(-100, 100), ERRORS, ERRORS, SIDES, MARGINS)
def test_a_limit_is_where_the_noise_would_reach_the_margin(a, b, e, f, side, margin):
    found = judge(compare(A, B, side=side, margin=margin), {A: seeds(a, error=e), B: seeds(b, error=f)})
    if found.limit is None:
        assert abs(found.distance) <= found.half
    else:
        reach = math.sqrt((Z * found.limit) ** 2 * 2 + found.half**2)
        assert reach == pytest.approx(abs(found.distance), abs=1e-6)


def test_what_is_not_trained_needs_one_seed():
    numbers = {A: seeds(1.0, trained=False), B: seeds(2.0, trained=False)}
    assert judge(compare(A, B), numbers).outcome is Outcome.HOLDS
    assert outcome(compare(A, B), A=numbers[A], B=seeds(2.0, 2.1, 1.9)) is Outcome.HOLDS


def test_an_identity_is_of_each_training():
    """One seed is enough, and noise between trainings that it does not cancel is no reason to doubt it."""
    identity = Comparison("identity", ((1, A), (-1, B)), Side.WITHIN, "nats", margin=0.1)
    assert outcome(identity, A=seeds(5.0), B=seeds(5.05)) is Outcome.HOLDS
    assert outcome(identity, A=seeds(5.0), B=seeds(5.2)) is Outcome.FAILS
    assert outcome(identity, A=seeds(5.0, error=0.1), B=seeds(5.05)) is Outcome.UNDECIDED


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (0.62, 0.63, Outcome.HOLDS),  # rounded intervals that touch hold different numbers
        (0.62, 0.62, Outcome.UNDECIDED),
        (0.63, 0.62, Outcome.FAILS),
        (7.02, 7.03, Outcome.HOLDS),
        (12.81, 12.92, Outcome.HOLDS),
    ],
)
def test_printed_numbers_are_told_apart_to_their_last_digit(a, b, expected):
    assert outcome(compare(A, B), A=printed(a), B=printed(b)) is expected


def test_a_number_is_not_less_than_itself():
    exact = seeds(1.0, trained=False)
    for side in (Side.BELOW, Side.ABOVE):
        assert outcome(compare(A, B, side=side), A=exact, B=exact) is Outcome.FAILS


@pytest.mark.parametrize(
    ("b", "expected"),
    # A is 100: within 5% of B from 95.24 to 105.26; less than B by more than 5% of it from 105.26 on.
    [(95, "fails fails"), (96, "holds fails"), (105, "holds fails"), (106, "fails holds")],
)
def test_a_margin_may_be_a_share_of_the_second_number(b, expected):
    numbers = {"A": seeds(100.0, trained=False), "B": seeds(float(b), trained=False)}
    found = [
        outcome(compare(A, B, side=side, margin=0.05, share_of=B), **numbers)
        for side in (Side.WITHIN, Side.BELOW)
    ]
    assert " ".join(found) == expected


def test_a_difference_of_differences():
    """(10 - 6) - (6 - 5) = 3: the second step is the smaller one."""
    steps = compare(A, B, C, D, side=Side.ABOVE)
    numbers = {
        A: seeds(10.0, 10.1, 9.9),
        B: seeds(6.0, 6.0, 6.0),
        C: seeds(6.0, 6.0, 6.0),
        D: seeds(5.0, 5.0, 5.0),
    }
    assert judge(steps, numbers).effect == pytest.approx(3)
    assert judge(steps, numbers).outcome is Outcome.HOLDS


def test_logarithms():
    place = Place("words", 1, "bookscorpus", "A", "ce_test", log=True)
    found = judge(compare(place, 0.0), {place: seeds(math.e, math.e, math.e, error=0.1 * math.e)})
    assert found.effect == pytest.approx(1)
    assert found.half == pytest.approx(0.1 * Z)


@settings(deadline=None)
@given(VALUES, VALUES, ERRORS, ERRORS, MARGINS)
def test_swapping_sides_swaps_less_and_greater(a, b, e, f, margin):
    numbers = {A: seeds(*a, error=e), B: seeds(*b, error=f)}
    less = judge(compare(A, B, margin=margin), numbers)
    greater = judge(compare(B, A, side=Side.ABOVE, margin=margin), numbers)
    assert (less.outcome, less.effect) == (greater.outcome, pytest.approx(-greater.effect, abs=1e-9))
    assert less.half == pytest.approx(greater.half)


@settings(deadline=None)
@given(VALUES, VALUES, ERRORS)
def test_what_is_less_is_not_greater(a, b, e):
    numbers = {A: seeds(*a, error=e), B: seeds(*b)}
    less, greater = (judge(compare(A, B, side=side), numbers) for side in (Side.BELOW, Side.ABOVE))
    # At a tie, to the rounding of floats, both fail.
    assume(abs(less.effect) > 1e-6 and abs(abs(less.effect) - less.half) > 1e-6)
    flipped = {Outcome.HOLDS: Outcome.FAILS, Outcome.FAILS: Outcome.HOLDS}
    assert greater.outcome is flipped.get(less.outcome, Outcome.UNDECIDED)


@settings(deadline=None)
@given(VALUES, VALUES, ERRORS, MARGINS, SIDES, FACTORS)
def test_units_do_not_matter(a, b, e, margin, side, factor):
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
def test_more_noise_widens_the_interval_and_decides_nothing(a, b, e, spread, more, side, margin):
    mean = math.fsum(a) / 3
    before = judge(compare(A, B, side=side, margin=margin), {A: seeds(*a, error=e), B: seeds(*b)})
    spread_out = seeds(*(mean + spread * (x - mean) for x in a), error=e + more)
    after = judge(compare(A, B, side=side, margin=margin), {A: spread_out, B: seeds(*b)})
    assert after.half >= before.half - 1e-9
    assume(abs(abs(before.distance) - before.half) > 1e-6)
    assert after.outcome in (before.outcome, Outcome.UNDECIDED)


@settings(deadline=None)
@given(st.lists(st.tuples(VALUES, SIDES), min_size=1, max_size=4))
def test_a_claim_is_as_strong_as_its_weakest_comparison(parts):
    found = [judge(compare(A, 0.0, side=side, margin=1.0), {A: seeds(*values)}) for values, side in parts]
    outcomes = {own.outcome for own in found}
    expected = next(o for o in (Outcome.FAILS, Outcome.UNDECIDED, Outcome.HOLDS) if o in outcomes)
    whole, weakest = conclude(found, known=True)
    assert whole is weakest.outcome is expected
    # With a comparison missing a claim can be refuted, and no more.
    partly, shown = conclude(found, known=False)
    assert partly is (Outcome.FAILS if expected is Outcome.FAILS else Outcome.UNDECIDED)
    assert (shown is None) == (partly is Outcome.UNDECIDED)


def test_of_several_failures_the_clearest_is_shown():
    found = [judge(compare(A, 0.0), {A: seeds(m - 1, m, m + 1)}) for m in (5.0, 50.0, 10.0)]
    assert conclude(found, known=True)[1].effect == 50


def test_nothing_known_is_undecided():
    assert conclude([], known=False) == (Outcome.UNDECIDED, None)


@pytest.mark.parametrize("deviations", [(1.0, 1.0), (0.2, 3.0), (2.0, 0.0)])
def test_the_interval_covers_at_least_at_its_level(deviations):
    """Simulation: of three seeds each, the difference of the true means is inside 95% of the time."""
    generator = random.Random(1)
    hits = 0
    for _ in range(3000):
        a, b = ([generator.gauss(0, d) for _ in range(3)] for d in deviations)
        found = judge(compare(A, B), {A: seeds(*a), B: seeds(*b)})
        hits += abs(found.effect) <= found.half + 1e-12
    assert hits / 3000 > 0.95 - 4 * math.sqrt(0.95 * 0.05 / 3000)
