import math
from dataclasses import replace

import pytest

from comparisons import T2, A, B, C, D, Z, compare, one_seed, seeds
from textlvm.reporting.claims.judge import Number, Outcome, conclude, judge
from textlvm.reporting.claims.language import Comparison, Place, Side


def printed(value, digits=2):
    return Number({0: value}, rounding=0.5 * 10.0**-digits, trained=False)


def outcome(comparison, **numbers):
    return judge(comparison, {place: numbers[place.row] for place in comparison.places}).outcome


def test_interval_equals_hand_calculation():
    """Seeds 1, 2, 3 and 5, 7, 9 have variances 1 and 4, so s = sqrt(1/3 + 4/3); the errors are 3 and 4."""
    numbers = {A: seeds(1.0, 2.0, 3.0, error=3.0), B: seeds(5.0, 7.0, 9.0, error=4.0)}
    found = judge(compare(A, B), numbers)
    assert found.effect == pytest.approx(-5)
    assert found.half == pytest.approx(math.sqrt(T2**2 * 5 / 3 + (Z * 5) ** 2))
    assert found.distance == pytest.approx(5)
    assert (found.single, found.limit) == ("", None)


@pytest.mark.parametrize(
    ("values", "expected"),
    # Compared with zero: means 10, 1 and -10; half the interval is 4.303 / sqrt(3) = 2.484.
    [((9, 10, 11), Outcome.FAILS), ((0, 1, 2), Outcome.UNDECIDED), ((-9, -10, -11), Outcome.HOLDS)],
)
def test_outcome_depends_on_the_side_of_the_interval(values, expected):
    assert outcome(compare(A, 0.0), A=seeds(*values)) is expected


def test_quantile_has_the_degrees_of_freedom_of_the_fewest_seeds():
    """With 2 and 6 seeds, the quantile has one degree of freedom: 12.706."""
    numbers = {A: seeds(1.0, 3.0), B: seeds(*[0.0] * 6)}
    assert judge(compare(A, B), numbers).half == pytest.approx(12.7062 * math.sqrt(2 / 2), rel=1e-5)


def test_numbers_with_the_same_run_and_seeds_are_paired():
    """Both numbers vary by 10 between seeds; their difference is about 1 for each seed."""
    first, second = seeds(10.0, 20.0, 30.0), seeds(11.0, 21.1, 30.9)
    run = ("words", "tril")
    paired = {A: Number(first.by_seed, run=run), B: Number(second.by_seed, run=run)}
    assert judge(compare(A, B), paired).outcome is Outcome.HOLDS
    assert judge(compare(A, B), paired).half == pytest.approx(T2 * 0.1 / math.sqrt(3))
    assert judge(compare(A, B), {A: first, B: second}).outcome is Outcome.UNDECIDED


def test_numbers_with_different_seeds_are_not_paired():
    run = ("words", "tril")
    numbers = {
        A: Number({0: 10.0, 1: 20.0, 2: 30.0}, run=run),
        B: Number({0: 11.0, 1: 21.0, 3: 31.0}, run=run),
    }
    assert judge(compare(A, B), numbers).half == pytest.approx(T2 * math.sqrt(2 * 100 / 3))


def test_comparison_of_single_seeds_is_undecided():
    found = judge(compare(A, B), {A: seeds(1.0), B: seeds(100.0)})
    assert found.outcome is Outcome.UNDECIDED
    assert found.single == "seed"
    # With three seeds each, the half width is t_2 s sqrt(2 / 3).
    assert found.limit == pytest.approx(99 / (T2 * math.sqrt(2 / 3)))


def test_comparison_with_one_single_seed_is_undecided():
    numbers = {A: seeds(1.0, 1.1, 0.9), B: seeds(100.0)}
    assert judge(compare(A, B), numbers).outcome is Outcome.UNDECIDED


def test_interval_with_borrowed_deviations():
    """Student's interval with a pooled deviation: t_4 · s · sqrt(1 + 1), t_4 = 2.7764."""
    numbers = {A: one_seed(1.0, 0.5, 4, "X"), B: one_seed(9.0, 0.5, 4, "X")}
    found = judge(compare(A, B), numbers)
    assert found.half == pytest.approx(2.7764451051977987 * 0.5 * math.sqrt(2))
    assert (found.outcome, found.single, found.limit) == (Outcome.HOLDS, "", None)
    assert found.borrowed_from == ("X",)


def test_quantile_has_the_fewest_degrees_of_freedom_of_borrowed_deviations():
    numbers = {A: seeds(1.0, 2.0, 3.0), B: one_seed(9.0, 2.0, 6)}
    assert judge(compare(A, B), numbers).half == pytest.approx(T2 * math.sqrt(1 / 3 + 4))
    numbers = {A: seeds(*range(6)), B: one_seed(9.0, 2.0, 1)}
    assert judge(compare(A, B), numbers).half == pytest.approx(12.706204736174698 * math.sqrt(3.5 / 6 + 4))


def test_borrowed_deviations_of_one_training_are_added():
    """The deviation of a sum is at most 0.3 + 0.4, with full correlation; without correlation it is 0.5."""
    numbers = {A: one_seed(1.0, 0.3, run=("tril",)), B: one_seed(9.0, 0.4, run=("tril",))}
    assert judge(compare(A, B), numbers).half == pytest.approx(T2 * 0.7)
    apart = {A: one_seed(1.0, 0.3, run=("tril",)), B: one_seed(9.0, 0.4, run=("diag",))}
    assert judge(compare(A, B), apart).half == pytest.approx(T2 * 0.5)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_seeds_of_a_constant_do_not_change_the_interval(number):
    constant = replace(seeds(*[9.0] * number), trained=False)
    borrowed, own = one_seed(1.0, 0.5, 6), seeds(1.0, 2.0, 3.0)
    for other, half in ((borrowed, 2.4469118511449692 * 0.5), (own, T2 / math.sqrt(3))):
        found = judge(compare(A, B), {A: other, B: constant})
        assert found.half == pytest.approx(half)
        assert found.outcome is Outcome.HOLDS


def test_comparison_with_one_missing_deviation_is_undecided():
    found = judge(compare(A, B), {A: one_seed(1.0, 0.5), B: seeds(100.0)})
    assert (found.outcome, found.single) == (Outcome.UNDECIDED, "seed")
    # The limit is the deviation of three seeds of B at which the interval would reach the margin.
    assert T2 * math.hypot(found.limit / math.sqrt(3), 0.5) == pytest.approx(99)


def test_logarithm_has_the_relative_deviation():
    number = one_seed(20.0, 3.0).logarithm()
    assert number.borrowed.value == pytest.approx(0.15)
    assert number.borrowed.degrees_of_freedom == 2


def test_squares_of_large_numbers_do_not_overflow():
    assert outcome(compare(A, B), A=seeds(1e200, 2e200), B=seeds(1.0, 2.0)) is Outcome.UNDECIDED
    assert outcome(compare(A, B), A=seeds(1e200), B=seeds(1.0)) is Outcome.UNDECIDED


def test_untrained_numbers_need_one_seed():
    numbers = {A: seeds(1.0, trained=False), B: seeds(2.0, trained=False)}
    assert judge(compare(A, B), numbers).outcome is Outcome.HOLDS
    assert outcome(compare(A, B), A=numbers[A], B=seeds(2.0, 2.1, 1.9)) is Outcome.HOLDS


def test_identity_holds_for_every_seed():
    """One seed is enough, and noise of seeds and evaluations, which all numbers share, is ignored."""
    identity = Comparison("identity", ((1, A), (-1, B), (-1, C)), Side.WITHIN, "nats", margin=0.1)
    one = Number({0: 1.0}, trained=False)

    def of_seeds(*values, error=0.0):
        second = Number(dict(enumerate(values)), error, run=("tril",))
        first = Number(dict.fromkeys(second.by_seed, 5.0), error, run=("tril",))
        return outcome(identity, A=first, B=second, C=one)

    assert of_seeds(4.05) is Outcome.HOLDS
    assert of_seeds(4.05, error=0.1) is Outcome.HOLDS
    assert of_seeds(4.2) is Outcome.FAILS
    assert of_seeds(4.05, 3.95) is Outcome.HOLDS
    # The mean is zero, but neither seed satisfies the identity.
    assert of_seeds(4.5, 3.5) is Outcome.FAILS


def test_untrained_numbers_of_the_same_run_do_not_change_the_limit():
    run = ("tril",)
    trained, untrained = Number({0: 100.0}, run=run), Number({0: 1.0}, run=run, trained=False)
    with_run = judge(compare(A, B), {A: trained, B: untrained})
    assert with_run.single == "seed"
    assert with_run.limit == pytest.approx(judge(compare(A, 1.0), {A: trained}).limit)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (0.62, 0.63, Outcome.HOLDS),  # the rounding intervals only touch
        (0.62, 0.62, Outcome.UNDECIDED),
        (0.63, 0.62, Outcome.FAILS),
        (7.02, 7.03, Outcome.HOLDS),
        (12.81, 12.92, Outcome.HOLDS),
    ],
)
def test_printed_numbers_are_compared_within_rounding(a, b, expected):
    assert outcome(compare(A, B), A=printed(a), B=printed(b)) is expected


def test_equal_numbers_are_neither_less_nor_greater():
    exact = seeds(1.0, trained=False)
    for side in (Side.BELOW, Side.ABOVE):
        assert outcome(compare(A, B, side=side), A=exact, B=exact) is Outcome.FAILS


@pytest.mark.parametrize(
    ("b", "expected"),
    # A is 100: it is within 5% of B for B from 95.24 to 105.26, and less by more than 5% of B above.
    [(95, "fails fails"), (96, "holds fails"), (105, "holds fails"), (106, "fails holds")],
)
def test_margin_as_share_of_the_second_number(b, expected):
    numbers = {"A": seeds(100.0, trained=False), "B": seeds(float(b), trained=False)}
    found = [
        outcome(compare(A, B, side=side, margin=0.05, share_of=B), **numbers)
        for side in (Side.WITHIN, Side.BELOW)
    ]
    assert " ".join(found) == expected


def test_difference_of_differences():
    """(10 - 6) - (6 - 5) = 3: the first step is larger."""
    steps = compare(A, B, C, D, side=Side.ABOVE)
    numbers = {
        A: seeds(10.0, 10.1, 9.9),
        B: seeds(6.0, 6.0, 6.0),
        C: seeds(6.0, 6.0, 6.0),
        D: seeds(5.0, 5.0, 5.0),
    }
    assert judge(steps, numbers).effect == pytest.approx(3)
    assert judge(steps, numbers).outcome is Outcome.HOLDS


def test_effect_and_error_of_a_logarithm():
    place = Place("words", 1, "bookscorpus", "A", "ce_test", log=True)
    found = judge(compare(place, 0.0), {place: seeds(math.e, math.e, math.e, error=0.1 * math.e)})
    assert found.effect == pytest.approx(1)
    assert found.half == pytest.approx(0.1 * Z)


def test_clearest_failure_decides_the_claim():
    found = [judge(compare(A, 0.0), {A: seeds(m - 1, m, m + 1)}) for m in (5.0, 50.0, 10.0)]
    assert conclude(found, complete=True)[1].effect == 50


def test_claim_without_results_is_undecided():
    assert conclude([], complete=False) == (Outcome.UNDECIDED, None)
