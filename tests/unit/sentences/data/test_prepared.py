import mmap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentence_specs import sentence_set
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import write_json
from textlvm.sentences.data.prepared import SentenceSet, input_tokenizer, load, load_labels

SENTENCES = st.lists(st.lists(st.integers(3, 99), min_size=1, max_size=8), min_size=1, max_size=20)


def save(folder, sentences, split="test"):
    np.save(folder / f"{split}.tokens.npy", sentences.tokens)
    np.save(folder / f"{split}.offsets.npy", sentences.offsets)


@given(SENTENCES)
def test_sentences_round_trip_through_files(tmp_path_factory, sentences):
    folder = tmp_path_factory.mktemp("data")
    save(folder, sentence_set(sentences))
    read = load(folder, "test")
    assert len(read) == len(sentences)
    assert [codes.tolist() for codes in read] == sentences
    assert [read[i].tolist() for i in range(-len(sentences), 0)] == sentences
    assert read.lengths.tolist() == [len(sentence) for sentence in sentences]
    assert read[0].dtype == np.int32
    with pytest.raises(IndexError):
        read[len(sentences)]


@given(SENTENCES, st.data())
def test_between_is_a_view_of_the_same_sentences(sentences, data):
    start = data.draw(st.integers(0, len(sentences)))
    stop = data.draw(st.integers(start, len(sentences)))
    whole = sentence_set(sentences)
    part = whole.between(start, stop)
    assert [codes.tolist() for codes in part] == sentences[start:stop]
    assert part.lengths.tolist() == whole.lengths[start:stop].tolist()
    assert part.tokens is whole.tokens


def test_files_are_memory_mapped(tmp_path):
    save(tmp_path, sentence_set([[4, 5], [6]]))
    read = load(tmp_path, "test")
    base = read[1]
    while isinstance(base, np.ndarray):
        base = base.base
    assert isinstance(base, mmap.mmap)
    with pytest.raises(ValueError, match="read-only"):
        read[1][0] = 7
    array = np.lib.format.open_memmap(tmp_path / "test.tokens.npy", mode="r+")
    array[2] = 9
    array.flush()
    assert read[1].tolist() == [9]  # the same memory, which all runs share


def test_load_member_of_a_union(tmp_path):
    save(tmp_path, sentence_set([[4], [5, 6], [7]]))
    write_json(tmp_path / "statistics.json", {"members": {"a": {"test": [0, 1]}, "b": {"test": [1, 3]}}})
    for name in "bc":
        (tmp_path / name).mkdir()
        write_json(tmp_path / name / "statistics.json", {"dataset": name})
    assert [codes.tolist() for codes in load(tmp_path, "test", tmp_path / "b")] == [[5, 6], [7]]
    with pytest.raises(UserError, match="has no part 'c'; valid: 'a', 'b'"):
        load(tmp_path, "test", tmp_path / "c")


def test_load_labels(tmp_path):
    np.save(tmp_path / "test.labels.npy", np.array([1, 0], dtype=np.int32))
    write_json(tmp_path / "statistics.json", {"labels": ["1", "5"]})
    labels = load_labels(tmp_path, "test")
    assert [labels.names[code] for code in labels.codes] == ["5", "1"]


def test_missing_and_inconsistent_files_are_rejected(tmp_path):
    with pytest.raises(UserError, match="there is no split 'tests'; did you mean 'test'"):
        load(tmp_path, "tests")
    with pytest.raises(UserError, match=r"cannot read .*test\.tokens\.npy"):
        load(tmp_path, "test")
    with pytest.raises(UserError, match=r"cannot read .*test\.labels\.npy"):
        load_labels(tmp_path, "test")
    save(tmp_path, SentenceSet(np.array([4, 5], dtype=np.int32), np.array([0, 1])))
    with pytest.raises(UserError, match="are inconsistent"):
        load(tmp_path, "test")


@pytest.mark.parametrize(
    ("settings", "tokens"),
    [
        ({"corpus": "a", "format": "lines"}, ["do", "n't"]),
        ({"corpus": "a", "format": "lines", "tokens": {"method": "tweet"}}, ["don't"]),
        ({"union": ["a", "b"]}, ["do", "n't"]),
    ],
)
def test_input_tokenizer_follows_the_data_set(tmp_path, settings, tokens):
    write_json(tmp_path / "statistics.json", {"settings": settings})
    assert input_tokenizer(tmp_path)("Don't") == tokens
