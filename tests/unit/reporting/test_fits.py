from dataclasses import replace

import pytest

from textlvm.reporting.fits import Fit, Interval, as_csv, read_csv
from textlvm.runtime.errors import UserError

FIT = Fit(
    paper="words",
    table=1,
    dataset="bookscorpus",
    corpus="mine",
    corpus_title="My books, all",
    split="standard",
    column="h_gap",
    reading="h_gap_bits",
    compared=True,
    computes="in bits",
    why='the text says "bits"',
    rows=9,
    seeds=3,
    rms=Interval(0.1 + 0.2, 0.2, 0.31),
    bias=Interval(-0.1),
    rank=None,
)


def test_readings_csv_round_trips(tmp_path):
    fits = [FIT, replace(FIT, compared=False, rank=Interval(0.5, -1.0, 1.0), why="")]
    (tmp_path / "readings.csv").write_text(as_csv(fits), encoding="utf-8")
    assert read_csv(tmp_path / "readings.csv") == fits
    assert read_csv(tmp_path / "nowhere.csv") == []


def test_file_with_other_columns_or_values_is_rejected(tmp_path):
    path = tmp_path / "readings.csv"
    for text in (as_csv([FIT]).replace("rms,", "rmse,", 1), as_csv([FIT]).replace("true", "maybe")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(UserError, match=r"readings\.csv is not a table of readings of this version"):
            read_csv(path)
