"""The real corpora through the real path: registry, checked file, counts, vocabulary."""

import os
from pathlib import Path

import numpy as np
import pytest

from textlvm.corpora import registry
from textlvm.corpora.counting import count
from textlvm.corpora.download import FOLDER_VARIABLE, fetch
from textlvm.corpora.splits import SplitSettings, split
from textlvm.corpora.vocabulary import VocabularySettings, vocabulary

FOLDER = os.environ.get(FOLDER_VARIABLE)
REGISTRY = Path(__file__).parents[2] / "workflow" / "corpora.yaml"

pytestmark = pytest.mark.skipif(not FOLDER, reason=f"{FOLDER_VARIABLE} does not name a folder of corpora")


@pytest.fixture(scope="module")
def counts(tmp_path_factory):
    """Counts of a corpus by name, made once; skips where the folder does not have its file."""
    made: dict[str, dict[str, int]] = {}

    def make(name: str) -> dict[str, int]:
        if name not in made:
            corpus = registry.find(registry.load(REGISTRY), name)
            (source,) = corpus.files
            if not Path(FOLDER, source.local.path).is_file():
                pytest.skip(f"{FOLDER_VARIABLE} has no {source.local.path}")
            out = tmp_path_factory.mktemp(name) / source.name
            fetch(corpus, source, out, Path(FOLDER))
            made[name] = count(out, corpus.content, corpus.members, corpus.cleaning)
        return made[name]

    return make


@pytest.mark.parametrize(
    ("name", "min_count", "words"),
    [
        ("gutenberg-counts", 10, 99_398),
        ("gutenberg-counts", 5, 137_248),
        ("gutenberg-fiction-counts", 10, 80_977),
        ("gutenberg-fiction-counts", 5, 107_849),
        ("symspell", 1, 78_405),
    ],
)
def test_vocabularies_of_ready_counts(counts, name, min_count, words):
    assert len(vocabulary(counts(name), VocabularySettings(2, 12, min_count))) == words


def test_novels(counts):
    """A count with another tokeniser gives 14.17M tokens, and 75,727 words of which 26,894 occur 10 times."""
    novels = counts("novels")
    assert sum(novels.values()) == 14_177_334
    assert len(vocabulary(novels, VocabularySettings(2, 12, 1))) == pytest.approx(75_727, rel=5e-4)
    assert len(vocabulary(novels, VocabularySettings(2, 12, 10))) == pytest.approx(26_894, rel=5e-4)


def test_splits_of_real_counts(counts):
    """Nearly every token is of a word on both sides of `standard`; `unseen` has a tenth of the words."""
    words = vocabulary(counts("gutenberg-counts"), VocabularySettings())
    numbers = np.fromiter(words.values(), dtype=np.int64)
    standard = split(list(words), numbers, "standard", SplitSettings())
    assert standard.test.sum() == pytest.approx(0.1 * numbers.sum(), rel=1e-3)
    assert standard.test[standard.train == 0].sum() == 0
    small = split(list(words), numbers, "standard", SplitSettings(test_tokens=50_000))
    assert small.test.sum() == 50_000
    unseen = split(list(words), numbers, "unseen", SplitSettings())
    assert np.count_nonzero(unseen.test) == 9_940
