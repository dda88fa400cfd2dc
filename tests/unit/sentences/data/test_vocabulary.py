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


def test_the_first_codes_are_no_words():
    assert (v.PAD, v.SOS, v.EOS, v.UNK) == (0, 1, 2, 3)
    assert vocabulary_of(["a"]).tokens == ("<pad>", "<sos>", "<eos>", "<unk>", "a")


@given(TEXT)
def test_known_words_survive_encoding_and_the_others_become_unknown(text):
    vocabulary = vocabulary_of(text, min_count=2)
    counts = Counter(text)
    codes = vocabulary.encode(text)
    assert codes.dtype == np.int32
    known = [w if counts[w] >= 2 and w not in SPECIALS else UNKNOWN for w in text]
    assert vocabulary.decode(codes) == known
    assert vocabulary.counts[UNK] == known.count(UNKNOWN)
    assert sum(vocabulary.counts) == len(text)


@given(TEXT, st.randoms())
def test_the_order_of_a_text_does_not_matter(text, random):
    shuffled = random.sample(text, len(text))
    assert vocabulary_of(text) == vocabulary_of(shuffled)


def test_the_most_frequent_come_first_and_stay():
    text = "bbbaaccd"
    assert vocabulary_of(text).tokens[4:] == ("b", "a", "c", "d")
    small = vocabulary_of(text, size=6)
    assert small.tokens[4:] == ("b", "a")
    assert len(small) == 6
    assert small.counts[UNK] == 3


def test_a_rule_that_leaves_nothing():
    with pytest.raises(UserError, match="no word occurs 2 times or more"):
        vocabulary_of(["a"], min_count=2)
    with pytest.raises(UserError, match="no word occurs 1 times"):
        vocabulary_of([UNKNOWN])


@given(TEXT)
def test_round_trip_through_a_file(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("data")
    vocabulary = vocabulary_of(text)
    write_vocabulary(folder / "vocabulary.tsv", vocabulary)
    assert read_vocabulary(folder) == vocabulary


def test_a_file_of_other_words_is_refused(tmp_path):
    (tmp_path / "vocabulary.tsv").write_text("token\tcount\nthe\t3\n")
    with pytest.raises(UserError, match="the first tokens must be <pad> <sos> <eos> <unk>"):
        read_vocabulary(tmp_path)


@given(TEXT, TEXT)
def test_recoding_translates(text, other):
    mine, yours = vocabulary_of(text), vocabulary_of(other)
    table = mine.recoding(yours)
    assert table.dtype == np.int32
    assert table[mine.encode(text)].tolist() == yours.encode(text).tolist()
    assert table[: len(SPECIALS)].tolist() == [0, 1, 2, 3]


@given(TEXT, TEXT)
def test_a_union_knows_what_one_of_them_knows(text, other):
    mine, yours = vocabulary_of(text, min_count=2), vocabulary_of(other, min_count=2)
    both = union([mine, yours])
    assert set(both.tokens) == {*mine.tokens, *yours.tokens}
    assert len(set(both.tokens)) == len(both)
    for token, count in zip(both.tokens, both.counts, strict=True):
        assert count == sum(dict(zip(o.tokens, o.counts, strict=True)).get(token, 0) for o in (mine, yours))
    for own in (mine, yours):
        assert both.decode(own.recoding(both)) == list(own.tokens)
    assert list(both.counts[4:]) == sorted(both.counts[4:], reverse=True)
