import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textlvm.sentences.data import corpus
from textlvm.sentences.data.corpus import Words, gather, tokenize_to_file
from textlvm.sentences.data.sources import Record

TEXTS = st.lists(st.text("ab ", max_size=9), max_size=30)


def test_words_are_numbered_in_order_of_first_occurrence():
    words = Words()
    assert [words[w] for w in "babc"] == [0, 1, 0, 2]
    assert list(words) == ["b", "a", "c"]


@given(TEXTS, st.integers(1, 20))
def test_block_size_does_not_change_sentences(tmp_path_factory, texts, block):
    path = tmp_path_factory.mktemp("tokenize_to_file") / "tokens"
    expected = [text.split() for text in texts if text.split()]
    size, corpus.BLOCK = corpus.BLOCK, block
    try:
        words = Words()
        source = tokenize_to_file(map(Record, texts), str.split, words, Words(), path)
        names = list(words)
        assert [[names[code] for code in codes] for codes in source.sentences] == expected
        assert source.labels is None
        rows = np.arange(0, len(expected), 2)
        blocks = list(gather(source.sentences, rows))
        kept = [word for sentence in expected[::2] for word in sentence]
        assert [names[code] for codes in blocks for code in codes] == kept
        assert all(0 < len(codes) <= max(block, 9) for codes in blocks)
    finally:
        corpus.BLOCK = size


def test_labels_of_empty_sentences_are_left_out(tmp_path):
    found = [Record("a b", "5"), Record("  ", "4"), Record("c", "1"), Record("d", "5")]
    labels = Words()
    source = tokenize_to_file(found, str.split, Words(), labels, tmp_path / "tokens")
    assert [list(labels)[code] for code in source.labels] == ["5", "1", "5"]
    assert len(source.sentences) == 3
