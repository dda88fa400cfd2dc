import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.experiment.paper import PAPERS, load
from textlvm.sentences.evaluation.bleu import READINGS, bleu1, readings

WORDS = st.integers(0, 5)
SENTENCE = st.lists(WORDS, min_size=1, max_size=12)
EOS, PAD = "<eos>", "<pad>"
LONG = 100


def by_definition(sentence, reconstruction):
    """Clipped unigram precision times brevity penalty (Papineni et al. 2001)."""
    matches = sum((Counter(sentence) & Counter(reconstruction)).values())
    if not matches:
        return 0
    return matches / len(reconstruction) * min(1, math.exp(1 - len(sentence) / max(len(reconstruction), 1)))


@given(
    st.lists(st.tuples(SENTENCE, st.lists(WORDS, max_size=12)), min_size=1, max_size=5), st.integers(1, 13)
)
def test_readings_agree_with_definition(pairs, max_length):
    pairs = [(sentence, reconstruction[:max_length]) for sentence, reconstruction in pairs]
    found = readings(*zip(*pairs, strict=True), max_length)
    # A reconstruction that was cut off has no <eos>.
    ended = [(s, [*r, EOS] if len(r) < max_length else r) for s, r in pairs]
    expected = {
        "bleu1_eos": [by_definition([*s, EOS], r) for s, r in ended],
        "bleu1_unmatched": [by_definition([*s, PAD], r) for s, r in ended],
        "bleu1_words": [by_definition(s, r) for s, r in pairs],
    }
    assert found == pytest.approx({name: sum(scores) / len(pairs) for name, scores in expected.items()})
    assert found["bleu1_words"] == pytest.approx(bleu1(*zip(*pairs, strict=True)))


@given(SENTENCE, st.lists(WORDS, max_size=12))
def test_matched_eos_adds_most_to_a_perfect_reconstruction(sentence, reconstruction):
    """It adds the brevity penalty divided by the number of tokens, for any words."""
    found = readings([sentence], [reconstruction], LONG)
    tokens = len(reconstruction) + 1
    added = min(1, math.exp(1 - (len(sentence) + 1) / tokens)) / tokens
    assert found["bleu1_eos"] - found["bleu1_unmatched"] == pytest.approx(added)
    assert added <= 1 / (len(sentence) + 1) + 1e-12


@pytest.mark.filterwarnings("ignore:The hypothesis contains 0 counts")
def test_readings_agree_with_nltk():
    from nltk.translate.bleu_score import sentence_bleu

    rng = random.Random(0)
    for _ in range(200):
        sentence, reconstruction = (rng.choices(range(6), k=rng.randint(1, 12)) for _ in range(2))
        found = readings([sentence], [reconstruction], LONG)
        ends = {"bleu1_eos": ([EOS], [EOS]), "bleu1_unmatched": ([PAD], [EOS]), "bleu1_words": ([], [])}
        for name, (end, other) in ends.items():
            expected = sentence_bleu([sentence + end], reconstruction + other, weights=(1.0,))
            assert found[name] == pytest.approx(expected, rel=1e-12)


@given(SENTENCE)
def test_readings_of_perfect_reconstruction(sentence):
    share = len(sentence) / (len(sentence) + 1)
    expected = {"bleu1_eos": 1, "bleu1_unmatched": share, "bleu1_words": 1}
    assert readings([sentence], [sentence], LONG) == pytest.approx(expected)


def test_bleu1_is_the_mean_over_sentences():
    assert bleu1([[1], [1, 2, 3, 4]], [[1], [5, 6, 7, 8]]) == 0.5


def test_paper_yaml_lists_every_reading():
    listed = load(PAPERS / "sentences").readings["bleu1"]
    assert [reading.metric for reading in listed] == list(READINGS)
    assert [reading.metric for reading in listed if reading.compared] == ["bleu1_eos"]
