"""The word counts in the project, read like every other corpus."""

from functools import cache

import numpy as np
import pytest

from counted import counted
from textlvm.corpora.splits import SplitSettings, split
from textlvm.corpora.vocabulary import VocabularySettings, vocabulary


@pytest.fixture(scope="module")
def counts(tmp_path_factory):
    """Return the counts of a corpus by name, computed once."""
    return cache(lambda name: counted(name, tmp_path_factory.mktemp(name)))


@pytest.mark.parametrize(
    ("name", "min_count", "words"),
    [
        ("gutenberg-counts", 10, 99_398),
        ("gutenberg-counts", 5, 137_248),
        ("gutenberg-fiction-counts", 10, 80_977),
        ("gutenberg-fiction-counts", 5, 107_849),
    ],
)
def test_vocabulary_sizes(counts, name, min_count, words):
    assert len(vocabulary(counts(name), VocabularySettings(2, 12, min_count))) == words


def test_split_sizes(counts):
    """All test words of `standard` are also training words; a tenth of the words is test in `unseen`."""
    words = vocabulary(counts("gutenberg-counts"), VocabularySettings())
    numbers = np.fromiter(words.values(), dtype=np.int64)
    standard = split(list(words), numbers, "standard", SplitSettings())
    assert standard.test.sum() == pytest.approx(0.1 * numbers.sum(), rel=1e-3)
    assert standard.test[standard.train == 0].sum() == 0
    small = split(list(words), numbers, "standard", SplitSettings(test_tokens=50_000))
    assert small.test.sum() == 50_000
    unseen = split(list(words), numbers, "unseen", SplitSettings())
    assert np.count_nonzero(unseen.test) == 9_940
