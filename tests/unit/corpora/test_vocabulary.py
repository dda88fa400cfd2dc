import json

import pytest

from textlvm.corpora.counting import write_counts
from textlvm.corpora.vocabulary import VocabularySettings, vocabulary
from textlvm.runtime.errors import UserError

COUNTS = {
    "the": 30,
    "a": 90,
    "of": 10,
    "is": 9,
    "it's": 50,
    "naïve": 50,
    "b2b": 50,
    "abcdefghijkl": 10,
    "x" * 13: 99,
}


def test_bounds_are_inclusive():
    assert vocabulary(COUNTS, VocabularySettings()) == {"the": 30, "of": 10, "abcdefghijkl": 10}
    assert vocabulary(COUNTS, VocabularySettings(1, 2, 9)) == {"a": 90, "of": 10, "is": 9}


def test_an_empty_vocabulary_is_an_error():
    with pytest.raises(UserError, match="no word of 2 to 12 letters occurs 100 times or more"):
        vocabulary(COUNTS, VocabularySettings(min_count=100))


def test_one_word_is_nothing_to_learn():
    with pytest.raises(UserError, match="only one word of 1 to 12 letters occurs 90 times or more"):
        vocabulary(COUNTS, VocabularySettings(1, 12, 90))


@pytest.mark.parametrize("bounds", [(0, 12, 10), (5, 4, 10), (2, 12, 0)])
def test_impossible_bounds(bounds):
    with pytest.raises(UserError, match="must"):
        VocabularySettings(*bounds)


def test_command_line(tmp_path, python):
    counts, out = tmp_path / "counts.tsv", tmp_path / "vocabulary.tsv"
    write_counts(counts, COUNTS)

    def run(settings):
        arguments = ["--counts", counts, "--out", out, "--settings", json.dumps(settings)]
        return python("-m", "textlvm.corpora.vocabulary", *arguments)

    assert run({"min_length": 2, "max_length": 12, "min_count": 10}).returncode == 0
    assert out.read_text() == "word\tcount\nthe\t30\nabcdefghijkl\t10\nof\t10\n"
    for settings, message in (
        ({"min_cuont": 10}, "min_cuont"),
        ({"min_count": "10"}, "vocabulary settings"),
        ({"min_count": 1000}, "counts.tsv: no word"),
    ):
        failed = run(settings)
        assert failed.returncode == 2
        assert message in failed.stderr
        assert "Traceback" not in failed.stderr
