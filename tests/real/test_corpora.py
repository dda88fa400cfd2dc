"""The real corpora through the real path: registry, checked file, counts, vocabulary."""

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
    """Counts of a corpus by name, made once."""
    return cache(lambda name: counted(name, tmp_path_factory.mktemp(name), Path(FOLDER)))


def test_a_vocabulary_of_ready_counts(counts):
    assert len(vocabulary(counts("symspell"), VocabularySettings(2, 12, 1))) == 78_405


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("gutenberg", "derived_counts_all.txt.gz"),
        ("gutenberg_fiction", "derived_counts_fiction_authors.txt.gz"),
    ],
)
def test_the_counts_that_come_with_the_project_are_those_of_all_words(name, whole):
    path = Path(FOLDER, "gutenberg", whole)
    if not path.is_file():
        pytest.skip(f"{FOLDER_VARIABLE} has no gutenberg/{whole}")
    kept = VocabularySettings(2, 12, 5)
    shipped = count(REGISTRY.parent / "counts" / f"{name}.txt.gz", "counts")
    assert shipped == dict(vocabulary(count(path, "counts"), kept))


def test_novels(counts):
    """A count with another tokeniser gives 14.17M tokens, and 75,727 words of which 26,894 occur 10 times."""
    novels = counts("novels")
    assert sum(novels.values()) == 14_177_334
    assert len(vocabulary(novels, VocabularySettings(2, 12, 1))) == pytest.approx(75_727, rel=5e-4)
    assert len(vocabulary(novels, VocabularySettings(2, 12, 10))) == pytest.approx(26_894, rel=5e-4)
