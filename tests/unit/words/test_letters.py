import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textlvm.runtime.errors import UserError
from textlvm.words.letters import END, decode, encode, pack

WORDS = st.lists(st.text("abcxyz", max_size=7), min_size=1, max_size=12)


@given(WORDS)
def test_decode_inverts_encode(words):
    lexicon = encode(words)
    assert [decode(row.tolist()) for row in lexicon.codes] == words
    assert lexicon.lengths.tolist() == [len(word) + 1 for word in words]


@pytest.mark.parametrize("word", ["naïve", "A", "a b", "a1", "{"])
def test_other_characters_are_rejected(word):
    with pytest.raises(UserError, match="letters"):
        encode(["fine", word])


@given(WORDS)
def test_packing_keeps_all_letters(words):
    lexicon = encode(words)
    batch = pack(lexicon, torch.arange(len(words)))
    spelt = [[] for _ in words]
    for rows in batch.steps():
        for letter, word in zip(batch.letters[rows].tolist(), batch.word[rows].tolist(), strict=True):
            spelt[word].append(letter)
    assert all(letters[-1] == END for letters in spelt)
    assert sorted(decode(letters) for letters in spelt) == sorted(words)
    assert [len(letters) for letters in spelt] == sorted((len(w) + 1 for w in words), reverse=True)


@given(WORDS)
def test_reversal_reverses_each_word(words):
    batch = pack(encode(words), torch.arange(len(words)))
    reversed_letters = batch.letters[batch.reversal]
    assert torch.equal(batch.reversal[batch.reversal], torch.arange(len(batch.letters)))
    for word in range(len(words)):
        rows = batch.word == word
        assert reversed_letters[rows].tolist() == batch.letters[rows].tolist()[::-1]


@given(WORDS)
def test_per_word_sums_and_carried_letters(words):
    batch = pack(encode(words), torch.arange(len(words)))
    lengths = batch.per_word(torch.ones(len(batch.letters)))
    assert sorted(lengths.tolist()) == sorted(float(len(word) + 1) for word in words)
    # Every symbol is carried from t to t + 1, except the last of each word.
    carried = torch.cat(batch.carried()) if batch.carried() else torch.empty(0)
    assert len(carried) == len(batch.letters) - len(words)
    assert (carried != END).all()
