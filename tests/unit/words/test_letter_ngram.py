"""Letter n-grams: probabilities equal KenLM's, and samples follow them."""

import string

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textlvm.words import ngram
from textlvm.words.cross_entropy import exact_log_probs
from textlvm.words.kneser_ney import arpa, estimate
from textlvm.words.letter_ngram import LetterNgram
from textlvm.words.letters import encode
from textlvm.words.samples import generate
from textlvm.words.spec import LETTER_NGRAMS

WORDS = st.dictionaries(
    st.text(string.ascii_lowercase, min_size=1, max_size=6), st.integers(1, 50), min_size=1, max_size=8
)


@pytest.mark.parametrize("order", LETTER_NGRAMS.values(), ids=LETTER_NGRAMS)
def test_probabilities_equal_kenlm(documentation_words, tmp_path, order):
    words, counts = documentation_words
    (tmp_path / "model.arpa").write_text(arpa(estimate(words, order, counts)))
    # With pairs of letters and contexts that occur in no word.
    queries = [*words[::20], "a", "zqx", "jjjjjjjjjjjjjj"]
    expected = ngram.score(ngram.load(tmp_path / "model.arpa", order), queries)
    found = exact_log_probs(LetterNgram(words, counts, order), encode(queries))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@given(counts=WORDS, order=st.sampled_from(sorted(LETTER_NGRAMS.values())))
def test_probabilities_sum_to_one_in_every_context(counts, order):
    for probs in estimate(list(counts), order, list(counts.values())).conditionals():
        np.testing.assert_allclose(probs.sum(1), 1)


def test_words_with_training_count_zero_are_ignored():
    model, other = LetterNgram(["to", "be", "or"], [3, 0, 1], 2), LetterNgram(["to", "or"], [3, 1], 2)
    queries = encode(["to", "be", "or"])
    assert (exact_log_probs(model, queries) == exact_log_probs(other, queries)).all()


@pytest.mark.parametrize("order", LETTER_NGRAMS.values(), ids=LETTER_NGRAMS)
def test_samples_follow_the_probabilities(documentation_words, order):
    model = LetterNgram(*documentation_words, order)
    chosen = ["the", "a", "of", "is", "to", "ond"]
    expected = np.exp(exact_log_probs(model, encode(chosen)))
    torch.manual_seed(0)
    drawn = generate(model, 40_000)
    shares = np.array([drawn.count(word) for word in chosen]) / len(drawn)
    assert (np.abs(shares - expected) < 5 * np.sqrt(expected / len(drawn))).all()
    assert shares[0] > 0.005
