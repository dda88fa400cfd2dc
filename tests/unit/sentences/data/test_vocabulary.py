from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.runtime.errors import UserError
from textlvm.sentences.data import vocabulary as v
from textlvm.sentences.data.dataset import VocabularyRule
from textlvm.sentences.data.vocabulary import (
    SPECIALS,
    UNK,
    UNKNOWN,
    choose,
    read_vocabulary,
    union,
    write_vocabulary,
)

WORD = st.sampled_from([*"abcdefgh", "don't", "naïve", "\U0001f600", "a b", *SPECIALS])
TEXT = st.lists(WORD, max_size=40).map(lambda words: ["a", "a", "a", *words])


def vocabulary_of(text, **rule):
    counts = Counter(text)
    return choose(list(counts), np.array(list(counts.values())), VocabularyRule(**rule))


def test_first_codes_are_special_tokens():
    assert (v.PAD, v.SOS, v.EOS, v.UNK) == (0, 1, 2, 3)
    assert vocabulary_of(["a"]).tokens == ("<pad>", "<sos>", "<eos>", "<unk>", "a")


@given(TEXT)
def test_rare_and_special_words_are_encoded_as_unk(text):
    vocabulary = vocabulary_of(text, min_count=2)
    counts = Counter(text)
    codes = vocabulary.encode(text)
    assert codes.dtype == np.int32
    known = [w if counts[w] >= 2 and w not in SPECIALS else UNKNOWN for w in text]
    assert vocabulary.decode(codes) == known
    assert vocabulary.counts[UNK] == known.count(UNKNOWN)
    assert sum(vocabulary.counts) == len(text)


@given(TEXT, st.randoms())
def test_vocabulary_does_not_depend_on_word_order(text, random):
    shuffled = random.sample(text, len(text))
    assert vocabulary_of(text) == vocabulary_of(shuffled)


def test_size_keeps_the_most_frequent_words():
    text = "bbbaaccd"
    assert vocabulary_of(text).tokens[4:] == ("b", "a", "c", "d")
    small = vocabulary_of(text, size=6)
    assert small.tokens[4:] == ("b", "a")
    assert len(small) == 6
    assert small.counts[UNK] == 3


def test_empty_vocabulary_is_rejected():
    with pytest.raises(UserError, match="no word occurs 2 times or more"):
        vocabulary_of(["a"], min_count=2)
    with pytest.raises(UserError, match="no word occurs 1 times"):
        vocabulary_of([UNKNOWN])


@given(TEXT)
def test_vocabulary_file_round_trip(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("data")
    vocabulary = vocabulary_of(text)
    write_vocabulary(folder / "vocabulary.tsv", vocabulary)
    assert read_vocabulary(folder) == vocabulary


def test_file_without_special_tokens_is_rejected(tmp_path):
    (tmp_path / "vocabulary.tsv").write_text("token\tcount\nthe\t3\n")
    with pytest.raises(UserError, match="the first tokens must be <pad> <sos> <eos> <unk>"):
        read_vocabulary(tmp_path)


@given(TEXT, TEXT)
def test_recoding_agrees_with_encoding_in_the_other_vocabulary(text, other):
    mine, yours = vocabulary_of(text), vocabulary_of(other)
    table = mine.recoding(yours)
    assert table.dtype == np.int32
    assert table[mine.encode(text)].tolist() == yours.encode(text).tolist()
    assert table[: len(SPECIALS)].tolist() == [0, 1, 2, 3]


@given(TEXT, TEXT)
def test_union_has_the_words_and_counts_of_all_vocabularies(text, other):
    mine, yours = vocabulary_of(text, min_count=2), vocabulary_of(other, min_count=2)
    both = union([mine, yours])
    assert set(both.tokens) == {*mine.tokens, *yours.tokens}
    assert len(set(both.tokens)) == len(both)
    for token, count in zip(both.tokens, both.counts, strict=True):
        assert count == sum(dict(zip(o.tokens, o.counts, strict=True)).get(token, 0) for o in (mine, yours))
    for vocabulary in (mine, yours):
        assert both.decode(vocabulary.recoding(both)) == list(vocabulary.tokens)
    assert list(both.counts[4:]) == sorted(both.counts[4:], reverse=True)
