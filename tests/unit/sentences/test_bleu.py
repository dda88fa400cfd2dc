import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.sentences.bleu import bleu1

SENTENCE = st.lists(st.integers(0, 5), min_size=1, max_size=12)


def by_definition(sentence, reconstruction, ends):
    """Clipped unigram precision times brevity penalty (Papineni et al. 2001)."""
    matches = sum((Counter(sentence) & Counter(reconstruction)).values())
    length, reference = len(reconstruction) + ends, len(sentence) + ends
    if not matches:
        return 0
    return matches / length * min(1, math.exp(1 - reference / length))


@given(st.lists(st.tuples(SENTENCE, st.lists(st.integers(0, 5), max_size=12)), min_size=1, max_size=5))
def test_against_the_definition(pairs):
    sentences, reconstructions = zip(*pairs, strict=True)
    for ends in (False, True):
        expected = sum(by_definition(s, r, ends) for s, r in pairs) / len(pairs)
        assert bleu1(sentences, reconstructions, ends) == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore:The hypothesis contains 0 counts")
def test_against_nltk():
    from nltk.translate.bleu_score import sentence_bleu

    rng = random.Random(0)
    for _ in range(200):
        sentence, reconstruction = (rng.choices(range(6), k=rng.randint(1, 12)) for _ in range(2))
        expected = sentence_bleu([sentence], reconstruction, weights=(1.0,))
        assert bleu1([sentence], [reconstruction], unmatched_end=False) == pytest.approx(expected, rel=1e-12)


@given(SENTENCE)
def test_a_perfect_reconstruction(sentence):
    assert bleu1([sentence], [sentence], unmatched_end=False) == 1
    assert bleu1([sentence], [sentence], unmatched_end=True) == pytest.approx(
        len(sentence) / (len(sentence) + 1)
    )


def test_the_mean_is_over_sentences():
    assert bleu1([[1], [1, 2, 3, 4]], [[1], [5, 6, 7, 8]], unmatched_end=False) == 0.5
