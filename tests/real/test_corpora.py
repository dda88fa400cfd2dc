"""Real corpora through all steps: registry, verified file, counts, vocabulary."""

import os
from functools import cache
from pathlib import Path

import pytest

from counted import REGISTRY, counted
from textlvm.corpora.counting import count
from textlvm.corpora.download import FOLDER_VARIABLE
from textlvm.corpora.vocabulary import VocabularySettings, vocabulary

FOLDER = os.environ.get(FOLDER_VARIABLE)

pytestmark = pytest.mark.skipif(not FOLDER, reason=f"{FOLDER_VARIABLE} does not name a folder of corpora")


@pytest.fixture(scope="module")
def counts(tmp_path_factory):
    """A function that returns the counts of a corpus by name, computed once."""
    return cache(lambda name: counted(name, tmp_path_factory.mktemp(name), Path(FOLDER)))


def test_vocabulary_of_published_counts(counts):
    assert len(vocabulary(counts("symspell"), VocabularySettings(2, 12, 1))) == 78_405


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("gutenberg", "derived_counts_all.txt.gz"),
        ("gutenberg_fiction", "derived_counts_fiction_authors.txt.gz"),
    ],
)
def test_shipped_counts_equal_the_filtered_full_counts(name, full):
    path = Path(FOLDER, "gutenberg", full)
    if not path.is_file():
        pytest.skip(f"{FOLDER_VARIABLE} has no gutenberg/{full}")
    kept = VocabularySettings(2, 12, 5)
    shipped = count(REGISTRY.parent / "counts" / f"{name}.txt.gz", "counts")
    assert shipped == dict(vocabulary(count(path, "counts"), kept))


def test_counts_of_novels(counts):
    """Another tokeniser finds 14.17M tokens and 75,727 words, of which 26,894 occur at least 10 times."""
    novels = counts("novels")
    assert sum(novels.values()) == 14_177_334
    assert len(vocabulary(novels, VocabularySettings(2, 12, 1))) == pytest.approx(75_727, rel=5e-4)
    assert len(vocabulary(novels, VocabularySettings(2, 12, 10))) == pytest.approx(26_894, rel=5e-4)
