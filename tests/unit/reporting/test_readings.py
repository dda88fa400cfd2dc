import csv
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import plans
from textlvm.experiment.paper import PAPERS, load
from textlvm.reporting import published
from textlvm.reporting.fits import as_csv
from textlvm.reporting.markup import markdown
from textlvm.reporting.readings import as_markdown, columns

PAPER = load(PAPERS / "words")
PRINTED = {
    value.row: value.value
    for value in published.read({"words": PAPER})
    if (value.table, value.metric) == (1, "ce_test")
}
ROWS = [row for row in PRINTED if row != "ORACLE"]


def found(values, rows=ROWS, seeds=(0,), column="ce_test"):
    """The column of rows with the metrics `values(row, seed)`; None if there is no such column."""
    plan = [plans.planned(row, seeds=seeds) for row in rows]
    results = {
        entry.key: [plans.result(entry.name, seed=seed, **values(entry.name, seed)) for seed in seeds]
        for entry in plan
    }
    known = columns({"words": PAPER}, published.read({"words": PAPER}), plan, results)
    return next((each for each in known if each.fits[0].column == column), None)


@given(st.floats(-10, 10))
def test_constant_difference_is_rms_and_bias_and_keeps_the_rank(shift):
    (fit,) = found(lambda row, seed: {"ce_test": PRINTED[row] + shift}).fits
    assert fit.rms.value == pytest.approx(abs(shift), abs=1e-12)
    assert fit.bias.value == pytest.approx(shift, abs=1e-12)
    assert fit.rank.value == pytest.approx(1)
    assert (fit.rms.low, fit.seeds) == (None, 1)


def test_intervals_are_limited_to_possible_values():
    """The rows have the printed order with one seed, and nearly the reversed one with the other."""
    (fit,) = found(lambda row, seed: {"ce_test": PRINTED[row] * (1 - 1.9 * seed)}, seeds=(0, 1)).fits
    assert (fit.rank.low, fit.rank.high) == (-1, 1)
    assert fit.rms.low == 0
    assert fit.bias.low < -10


def test_row_without_the_reading_uses_its_substitute():
    gru = {"BASELINE-8D", "BASELINE-16D"}
    column = found(
        lambda row, seed: (
            {"ce_test": 1.0, "ce_test_free_running": PRINTED[row]}
            if row in gru
            else {"ce_test": PRINTED[row]}
        )
    )
    clean, free_running = column.fits
    assert (clean.reading, free_running.reading) == ("ce_test", "ce_test_free_running")
    assert free_running.rms.value == pytest.approx(0, abs=1e-12)
    differences = [PRINTED[row] - 1 for row in gru]
    rms = math.sqrt(sum(difference**2 for difference in differences) / len(ROWS))
    assert clean.rms.value == pytest.approx(rms)
    assert column.values[0]["BASELINE-8D"] == 1


def test_reading_without_rows_is_omitted():
    assert [fit.reading for fit in found(lambda row, seed: {"ce_test": 1.0}).fits] == ["ce_test"]
    assert found(lambda row, seed: {"ce_train": 1.0}) is None


def test_intervals_are_students_t_over_common_seeds():
    shifts = {0: 0.1, 1: 0.4, 2: 0.2, 3: 9}
    (fit,) = found(
        lambda row, seed: {"ce_test": PRINTED[row] + shifts[seed]} if (row, seed) != ("TRIL", 3) else {},
        seeds=tuple(shifts),
    ).fits
    expected = stats.t.interval(0.95, 2, 0.7 / 3, stats.sem([0.1, 0.4, 0.2]))
    assert fit.seeds == 3
    assert fit.rms.value == pytest.approx(0.7 / 3)
    assert (fit.bias.low, fit.bias.high) == pytest.approx(expected)


@pytest.mark.parametrize(("rows", "fits"), [(1, 0), (2, 1)])
def test_fit_needs_two_rows_and_rank_needs_three(rows, fits):
    column = found(lambda row, seed: {"ce_test": PRINTED[row]}, ROWS[:rows])
    assert (len(column.fits) if column else 0) == fits
    assert column is None or column.fits[0].rank is None


def test_csv_and_markdown_have_all_readings_and_rows():
    shifts = {"ce_test": 1, "ce_test_free_running": 0}
    column = found(
        lambda row, seed: {name: PRINTED[row] + shift for name, shift in shifts.items()}, seeds=(0, 1)
    )
    lines = list(csv.DictReader(as_csv(column.fits).splitlines()))
    assert [(line["reading"], float(line["rms"])) for line in lines] == [
        ("ce_test", pytest.approx(1)),
        ("ce_test_free_running", pytest.approx(0, abs=1e-12)),
    ]
    assert [float(line["rms_high"]) for line in lines] == pytest.approx([1, 0], abs=1e-12)
    assert [line["compared"] for line in lines] == ["true", "false"]
    text = as_markdown([column])
    assert all(reading.computes in text for reading in PAPER.readings["ce_test"])
    assert all(markdown(row) in text for row in ROWS)
