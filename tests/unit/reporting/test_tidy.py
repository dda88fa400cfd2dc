import csv
from dataclasses import fields, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plans import planned, result
from textlvm.reporting.assembly import build
from textlvm.reporting.cells import Printed, Provenance, TablePart
from textlvm.reporting.spread import PooledSpread
from textlvm.reporting.tidy import COLUMNS, OPTIONAL, read_tidy, write_tidy
from textlvm.reporting.verdict import Comparison, Measurement
from textlvm.runtime.errors import UserError

ROWS = ["TRIL", "TRIL, K=2", "2×TRIL, K=10, BIDI", "ORACLE", "DIAG", 'a row, of "our" own']


@pytest.fixture
def columns(tmp_path):
    """A function that writes cells, checks that they round-trip, and returns the columns of the file."""

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
        values = [data.draw(st.floats(-1e9, 1e9)) for _ in row.seeds]
        results[row.key] = [
            result(row.name, seed=seed, ce_train=value, other=1 / 3) for seed, value in enumerate(values)
        ]
    columns(build(1, papers, published, plan, results))


def test_empty_optional_columns_are_omitted(papers, published, columns):
    assert not set(OPTIONAL) & set(columns(build(1, papers, published, [], {})))
    assert set(OPTIONAL) & set(columns(build(2, papers, published, [], {}))) == {"demo", "demo_digits"}


def test_borrowed_spread_is_written(papers, published, columns):
    rows = {"TRIL": (11.8, 11.9, 12.0), "TRIL, K=2": (11.5,)}
    plan = [planned(row) for row in rows]
    results = {
        entry.key: [result(entry.name, seed=seed, ce_train=v) for seed, v in enumerate(rows[entry.name])]
        for entry in plan
    }
    written = columns(build(1, papers, published, plan, results))
    assert {"borrowed_spread", "borrowed_degrees_of_freedom", "borrowed_from"} <= set(written)


def test_paths_of_runs_are_written_literally(papers, published, tmp_path):
    """workflow/common_removed.smk searches for them."""
    row, path = planned(seeds=(0,)), "résultats/词/seed0/metrics.json"
    found = {row.key: [replace(result(row.name, ce_train=11.8), path=path)]}
    write_tidy(tmp_path / "table.csv", build(1, papers, published, [row], found))
    assert path in (tmp_path / "table.csv").read_text(encoding="utf-8")


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
    # The kind is a column of the row, and the borrowed spread has separate columns.
    expected = [place for place in expected if place not in ("printed.kind", "measured.borrowed")]
    places = [place for place, _ in COLUMNS.values()]
    assert sorted(places) == sorted([*expected, "row", "kind", "metric", "unit", "seeds"])


def test_truncated_line_is_rejected(papers, published, tmp_path):
    path = tmp_path / "table.csv"
    write_tidy(path, build(1, papers, published, [], {}))
    header = path.read_text(encoding="utf-8").partition("\n")[0]
    path.write_text(f"{header}\nwords,1,TRIL\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"not a tidy table of this version \(a line ends before 'kind'\)"):
        read_tidy(path)


def test_other_or_missing_file_is_rejected(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("paper,table\nwords,1\n", encoding="utf-8")
    with pytest.raises(UserError, match="not a tidy table"):
        read_tidy(path)
    with pytest.raises(UserError, match="cannot read the table"):
        read_tidy(tmp_path / "nowhere.csv")
