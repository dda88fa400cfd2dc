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
    batch = pack(encode(words), torch.arange(len(words)))
    codes = [batch.letters[batch.packing.sequence == i].tolist() for i in range(len(words))]
    assert all(letters[-1] == END for letters in codes)
    assert [decode(letters) for letters in codes] == [words[i] for i in batch.packing.order]


@given(WORDS)
def test_carried_letters_are_all_except_the_last_of_each_word(words):
    batch = pack(encode(words), torch.arange(len(words)))
    carried = torch.cat(batch.carried()) if batch.carried() else torch.empty(0)
    assert len(carried) == len(batch.letters) - len(words)
    assert (carried != END).all()
