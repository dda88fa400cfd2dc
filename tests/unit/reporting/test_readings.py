import csv
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import plans
from textlvm.estimate import exact
from textlvm.experiment.paper import PAPERS, load
from textlvm.reporting import published
from textlvm.reporting.fits import as_csv
from textlvm.reporting.markup import markdown
from textlvm.reporting.readings import as_markdown, columns
from textlvm.reporting.runs import Result

PAPER = load(PAPERS / "words")
PRINTED = {
    value.row: value.value
    for value in published.read({"words": PAPER})
    if (value.table, value.metric) == (1, "ce_test")
}
ROWS = [row for row in PRINTED if row != "ORACLE"]


def found(values, rows=ROWS, seeds=(0,), column="ce_test"):
    """The column for rows whose metrics by seed are `values(row, seed)`."""
    plan = [plans.planned(row, seeds=seeds) for row in rows]
    results = {
        entry.key: [
            Result(
                *("words", "bookscorpus", "standard", entry.name),
                seed=seed,
                path="",
                metrics={name: exact(value, "nats/word") for name, value in values(entry.name, seed).items()},
            )
            for seed in seeds
        ]
        for entry in plan
    }
    known = columns({"words": PAPER}, published.read({"words": PAPER}), plan, results)
    return next((own for own in known if own.fits[0].column == column), None)


@given(st.floats(-10, 10))
def test_a_constant_difference_is_the_rms_and_leaves_the_order(shift):
    (fit,) = found(lambda row, seed: {"ce_test": PRINTED[row] + shift}).fits
    assert fit.rms.value == pytest.approx(abs(shift), abs=1e-12)
    assert fit.bias.value == pytest.approx(shift, abs=1e-12)
    assert fit.rank.value == pytest.approx(1)
    assert (fit.rms.low, fit.seeds) == (None, 1)


def test_a_reading_takes_its_substitute_where_a_row_lacks_it():
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
    off = [PRINTED[row] - 1 for row in gru]
    assert clean.rms.value == pytest.approx(math.sqrt(sum(own**2 for own in off) / len(ROWS)))
    assert column.values[0]["BASELINE-8D"] == 1


def test_a_reading_that_no_row_has_is_left_out():
    assert [fit.reading for fit in found(lambda row, seed: {"ce_test": 1.0}).fits] == ["ce_test"]
    assert found(lambda row, seed: {"ce_train": 1.0}) is None


def test_intervals_are_students_over_the_seeds_that_all_rows_have():
    shifts = {0: 0.1, 1: 0.4, 2: 0.2, 3: 9}
    (fit,) = found(
        lambda row, seed: {"ce_test": PRINTED[row] + shifts[seed]} if (row, seed) != ("TRIL", 3) else {},
        seeds=tuple(shifts),
    ).fits
    expected = stats.t.interval(0.95, 2, 0.7 / 3, stats.sem([0.1, 0.4, 0.2]))
    assert fit.seeds == 3
    assert fit.rms.value == pytest.approx(0.7 / 3)
    assert (fit.rms.low, fit.rms.high) == pytest.approx(expected)


@pytest.mark.parametrize(("rows", "fits"), [(1, 0), (2, 1)])
def test_two_rows_make_a_fit_and_three_a_rank(rows, fits):
    column = found(lambda row, seed: {"ce_test": PRINTED[row]}, ROWS[:rows])
    assert (len(column.fits) if column else 0) == fits
    assert column is None or column.fits[0].rank is None


def test_the_forms_have_every_reading_and_row():
    values = {"ce_test": 1, "ce_test_free_running": 0}
    column = found(lambda row, seed: {name: PRINTED[row] + own for name, own in values.items()}, seeds=(0, 1))
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
