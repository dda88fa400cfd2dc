from argparse import Namespace

import pytest

from textlvm.corpora.counting import write_counts
from textlvm.corpora.vocabulary import VocabularySettings, vocabulary
from textlvm.corpora.vocabulary import _main as main
from textlvm.runtime.errors import UserError

COUNTS = {"the": 30, "a": 90, "of": 10, "is": 9, "abcdefghijkl": 10, "x" * 13: 99}
COUNTS |= dict.fromkeys(("it's", "naïve", "b2b"), 50)


def test_bounds_are_inclusive():
    assert vocabulary(COUNTS, VocabularySettings()) == {"the": 30, "of": 10, "abcdefghijkl": 10}
    assert vocabulary(COUNTS, VocabularySettings(1, 2, 9)) == {"a": 90, "of": 10, "is": 9}


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((2, 12, 100), "no word of 2 to 12 letters occurs at least 100 times"),
        ((1, 12, 90), "only one word of 1 to 12 letters occurs at least 90 times"),
    ],
)
def test_vocabulary_of_fewer_than_two_words_is_rejected(bounds, message):
    with pytest.raises(UserError, match=message):
        vocabulary(COUNTS, VocabularySettings(*bounds))


@pytest.mark.parametrize("bounds", [(0, 12, 10), (5, 4, 10), (2, 12, 0)])
def test_invalid_bounds_are_rejected(bounds):
    with pytest.raises(UserError, match="must"):
        VocabularySettings(*bounds)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_cuont": 10}, "^vocabulary settings: unknown setting 'min_cuont'; did you mean 'min_count'"),
        ({"min_count": "10"}, "^vocabulary settings: "),
        ({"min_count": 1000}, r"counts\.tsv: no word of"),
    ],
)
def test_error_message_for_invalid_settings(tmp_path, settings, message):
    write_counts(tmp_path / "counts.tsv", COUNTS)
    with pytest.raises(UserError, match=message):
        main(Namespace(counts=tmp_path / "counts.tsv", settings=settings, out=tmp_path / "out.tsv"))
    assert not (tmp_path / "out.tsv").exists()
