import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.reporting.spread import PooledSpread, Sample, borrow, pooled

VALUES = st.lists(st.floats(-100, 100), min_size=2, max_size=6)


def sample(row, values, kind="smim"):
    return Sample(row, f"run of {row}", kind, "nll_melbo", tuple(values))


def test_pooled_standard_deviation_by_hand():
    """Variances 1 (2 degrees of freedom) and 8 (1): sqrt((2 + 8) / 3)."""
    spread = pooled([sample("A", (1, 2, 3)), sample("B", (2, 6))])
    assert spread == PooledSpread(pytest.approx(math.sqrt(10 / 3)), 3, "A, 3 seeds; B, 2 seeds")
    assert str(spread) == "sd of A, 3 seeds; B, 2 seeds (3 degrees of freedom)"


@given(VALUES, st.integers(1, 4), st.floats(-100, 100))
def test_pooling_equal_standard_deviations_keeps_them(values, rows, shift):
    """The means of the rows do not matter; more rows only increase the degrees of freedom."""
    samples = [sample(str(i), [value + i * shift for value in values]) for i in range(rows)]
    spread = pooled(samples)
    assert spread.value == pytest.approx(statistics.stdev(values), abs=1e-9)
    assert spread.degrees_of_freedom == rows * (len(values) - 1)


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_pooled_standard_deviation_is_between_those_of_the_rows(rows):
    deviations = [statistics.stdev(values) for values in rows]
    spread = pooled([sample(str(i), values) for i, values in enumerate(rows)])
    assert min(deviations) - 1e-9 <= spread.value <= max(deviations) + 1e-9
    residuals = [value - statistics.fmean(values) for values in rows for value in values]
    assert spread.value**2 * spread.degrees_of_freedom == pytest.approx(
        math.fsum(residual**2 for residual in residuals), abs=1e-6
    )


THREE, TWO, ONE = sample("three", (1, 2, 3)), sample("two", (1, 9)), sample("one", (7,))
OTHERS = [sample("VAE", (0, 5), "svae"), sample("AE", (0, 1, 2), "ae")]


@pytest.mark.parametrize(
    ("samples", "source"),
    [
        ([THREE, TWO, ONE, *OTHERS], "three, 3 seeds"),
        ([TWO, ONE, *OTHERS], "two, 2 seeds"),
        ([ONE, *OTHERS], "other kinds of model: VAE, 2 seeds; AE, 3 seeds"),
    ],
)
def test_rows_of_the_same_kind_with_three_seeds_are_preferred(samples, source):
    assert borrow("smim", samples, 1.0, "nats").source == source


def test_nothing_is_borrowed_from_rows_with_one_seed():
    assert borrow("smim", [ONE, sample("VAE", (3,), "svae")], 1.0, "nats") is None
    assert borrow("smim", [], 1.0, "nats") is None


def test_run_in_two_rows_counts_once():
    again = Sample("the same", THREE.run, "smim", "nll_melbo", THREE.values)
    assert borrow("smim", [THREE, again], 1.0, "nats").degrees_of_freedom == 2


@pytest.mark.parametrize("unit", ["per word", "per letter"])
def test_perplexities_borrow_a_relative_deviation(unit):
    """Relative deviations sqrt(2) / 10 and 0.2 with one degree of freedom each."""
    rows = [sample("A", (9, 11)), sample("B", (100 - 10 * math.sqrt(2), 100 + 10 * math.sqrt(2)))]
    relative = math.sqrt((0.02 + 0.04) / 2)
    assert borrow("smim", rows, 20.0, unit).value == pytest.approx(20 * relative)
    assert borrow("ae", rows, 5.0, unit).value == pytest.approx(5 * relative)
    assert borrow("smim", rows, 20.0, "nats").value == pytest.approx(math.sqrt((2 + 400) / 2))


def test_squares_of_large_values_do_not_overflow():
    rows = [Sample(name, name, "smim", "ppl", (1e200, 3e200)) for name in "ab"]
    assert pooled(rows).value == pytest.approx(math.sqrt(2) * 1e200)
