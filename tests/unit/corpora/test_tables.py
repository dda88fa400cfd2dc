import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textlvm.corpora import tables
from textlvm.runtime.errors import UserError

COLUMNS = ("word", "train", "test")


def test_round_trip(tmp_path):
    path = tmp_path / "words.tsv"
    tables.write(path, COLUMNS, ["the", "naïve"], [3, 0], [0, 10**17])
    assert path.read_text(encoding="utf-8") == "word\ttrain\ttest\nthe\t3\t0\nnaïve\t0\t100000000000000000\n"
    words, numbers = tables.read(path, COLUMNS)
    assert words == ["the", "naïve"]
    np.testing.assert_array_equal(numbers, [[3, 0], [0, 10**17]])


def test_table_without_rows(tmp_path):
    tables.write(tmp_path / "words.tsv", COLUMNS, [], [], [])
    words, numbers = tables.read(tmp_path / "words.tsv", COLUMNS)
    assert words == []
    assert numbers.shape == (0, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: expected the header `word train test`, found ''"),
        (b"word\tcount\n", "line 1: expected the header"),
        (b"word\ttrain\ttest", "the last line is truncated"),
        (b"word\ttrain\ttest\nthe\t3\t4", "the last line is truncated"),
        (b"word\ttrain\ttest\nthe\t3\n", "line 2: expected `word train test`"),
        (b"word\ttrain\ttest\nthe\t3\tx\n", "line 2: expected"),
        (b"word\ttrain\ttest\nthe\t3\t-1\n", "line 2: expected"),
        (b"word\ttrain\ttest\nthe\t3\t4\n\n", "line 3: expected"),
        (b"word\ttrain\ttest\n\xff\t3\t4\n", "it is not UTF-8 text"),
    ],
)
def test_invalid_table_is_rejected(tmp_path, content, message):
    path = tmp_path / "words.tsv"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        tables.read(path, COLUMNS)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=100))
def test_any_bytes_are_read_as_a_table_or_rejected(tmp_path, data):
    path = tmp_path / "words.tsv"
    path.write_bytes(b"word\tcount\n" + data)
    words, numbers, message = [], np.empty((0, 1)), ""
    try:
        words, numbers = tables.read(path, ("word", "count"))
    except UserError as error:
        message = str(error)
    assert numbers.shape == (len(words), 1)
    assert "\n" not in message
