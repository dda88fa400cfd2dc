import csv
from dataclasses import fields

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plans import planned
from textlvm.estimate import exact
from textlvm.reporting.assembly import build
from textlvm.reporting.cells import Measurement, Printed, Provenance, TablePart
from textlvm.reporting.runs import Result
from textlvm.reporting.spread import PooledSpread
from textlvm.reporting.tidy import COLUMNS, OPTIONAL, read_tidy, write_tidy
from textlvm.reporting.verdict import Comparison
from textlvm.runtime.errors import UserError

ROWS = ["TRIL", "TRIL, K=2", "2×TRIL, K=10, BIDI", "ORACLE", "DIAG", 'a row, of "our" own']


@pytest.fixture
def columns(tmp_path):
    """Writes cells, checks that they can be read again, and returns the columns of the file."""

    def write(cells):
        path = tmp_path / "table.csv"
        write_tidy(path, cells)
        assert read_tidy(path) == cells
        with path.open(encoding="utf-8", newline="") as lines:
            return next(csv.reader(lines))

    return write


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_tidy_tables_round_trip(papers, published, columns, data):
    plan = [planned(row, seeds=(0, 1)) for row in data.draw(st.lists(st.sampled_from(ROWS), unique=True))]
    results = {}
    for row in plan:
        metrics = [{"ce_train": data.draw(st.floats(-1e9, 1e9)), "other": 1 / 3} for _ in row.seeds]
        results[row.key] = [
            Result(
                *("words", "bookscorpus", "standard", row.name, seed, f"{row.name}/{seed}.json"),
                metrics={name: exact(value, "nats/word") for name, value in own.items()},
            )
            for seed, own in enumerate(metrics)
        ]
    columns(build(1, papers, published, plan, results))


def test_columns_in_which_nothing_stands_are_left_out(papers, published, columns):
    assert not set(OPTIONAL) & set(columns(build(1, papers, published, [], {})))
    assert set(OPTIONAL) & set(columns(build(2, papers, published, [], {}))) == {"demo", "demo_digits"}


def test_the_borrowed_deviation_has_its_columns(papers, published, columns):
    rows = {"TRIL": (11.8, 11.9, 12.0), "TRIL, K=2": (11.5,)}
    plan = [planned(row) for row in rows]
    results = {
        entry.key: [
            Result(
                *("words", "bookscorpus", "standard", entry.name, seed, f"{entry.name}/{seed}.json"),
                metrics={"ce_train": exact(value, "nats/word")},
            )
            for seed, value in enumerate(rows[entry.name])
        ]
        for entry in plan
    }
    written = columns(build(1, papers, published, plan, results))
    assert {"borrowed_spread", "borrowed_degrees_of_freedom", "borrowed_from"} <= set(written)


def test_every_field_of_a_cell_has_one_column():
    kinds = {
        "part": TablePart,
        "printed": Printed,
        "measured": Measurement,
        "borrowed": PooledSpread,
        "comparison": Comparison,
        "provenance": Provenance,
    }
    expected = [f"{part}.{field.name}" for part, kind in kinds.items() for field in fields(kind)]
    # The kind is that of the row, and what is borrowed has columns of its own.
    expected = [place for place in expected if place not in ("printed.kind", "measured.borrowed")]
    places = [place for place, _ in COLUMNS.values()]
    assert sorted(places) == sorted([*expected, "row", "kind", "metric", "unit", "seeds"])


def test_a_line_that_ends_early_is_an_error(papers, published, tmp_path):
    path = tmp_path / "table.csv"
    write_tidy(path, build(1, papers, published, [], {}))
    header = path.read_text(encoding="utf-8").partition("\n")[0]
    path.write_text(f"{header}\nwords,1,TRIL\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"not a tidy table of this version \(a line ends before 'kind'\)"):
        read_tidy(path)


def test_another_file_is_not_a_tidy_table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("paper,table\nwords,1\n", encoding="utf-8")
    with pytest.raises(UserError, match="not a tidy table"):
        read_tidy(path)
    with pytest.raises(UserError, match="cannot read the table"):
        read_tidy(tmp_path / "nowhere.csv")
