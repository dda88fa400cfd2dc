"""Random bytes are read, or refused with one error message."""

import os
import pickle
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faults.packed import COMPRESS, SENTENCES, VALID, WORDS, pass_over, prepared, tar, zipped
from textlvm.corpora.counting import count, read_counts, write_counts
from textlvm.corpora.documentation import Docstring, prose
from textlvm.corpora.tokens import decode
from textlvm.corpora.vocabulary import VocabularySettings, vocabulary
from textlvm.runtime.errors import UserError
from textlvm.sentences.data.prose import question, sentences

FUZZ = [150, pytest.param(2000, marks=[pytest.mark.faults, pytest.mark.fuzz])]
WORD = st.sampled_from(
    ["a", "b", "the", "1", "0", "#", "=", "é", "\ufeff", "\0", "\x85", "\u2028", "\ud7ff", "'"]
)
LINE = st.lists(WORD | st.text(max_size=3), max_size=8).map(" ".join)
TEXTS = st.lists(LINE, max_size=8).map("\n".join).map(lambda text: text.encode(errors="replace"))


@st.composite
def altered(draw, contents: st.SearchStrategy[bytes]) -> bytes:
    """Valid bytes with some of them changed, removed, repeated or inserted."""
    content = bytearray(draw(contents))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        size = draw(st.integers(0, 40))
        instead = draw(st.binary(max_size=6) | st.just(bytes(content[at : at + size]) * 2))
        content[at : at + size] = instead
    return bytes(content)


PACKED = st.builds(
    lambda pack, outer, name, text: outer(pack((name, text))),
    st.sampled_from([tar, zipped, lambda member: member[1]]),
    st.sampled_from([bytes, *COMPRESS.values()]),
    st.sampled_from(["a.txt", "../a", "x/" * 60 + "a.txt", "é" * 120, "a.pkl"]),
    TEXTS,
)
TEXT_OR_BYTES = st.binary(max_size=300) | altered(
    TEXTS | st.sampled_from([t.encode() for t in VALID.values()])
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(st.tuples(st.text(max_size=5) | PLAIN, st.sampled_from([0, 1, "1", None])), max_size=3)
SPLITS = st.dictionaries(
    st.sampled_from(["train", "test", b"train", 3]),
    PLAIN | st.dictionaries(st.text(max_size=3), ROWS),
    max_size=3,
)
PICKLED = st.builds(pickle.dumps, SPLITS, st.integers(0, pickle.HIGHEST_PROTOCOL))


def fuzz(strategy: st.SearchStrategy[bytes], examples: int, act: Callable[[bytes], object]) -> None:
    """Check that `act` raises nothing except `UserError` with one line, whatever the bytes."""

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def run(content: bytes) -> None:
        message = ""
        try:
            act(content)
        except UserError as error:
            message = str(error)
        assert "\n" not in message
        assert len(message) < 1000

    run()


@pytest.mark.parametrize("examples", FUZZ)
class TestFuzz:
    @pytest.fixture(autouse=True)
    def _unsynced(self, monkeypatch):
        """Without fsync, which would take most of the time and does not affect the results."""
        monkeypatch.setattr(os, "fsync", lambda _: None)

    def test_containers(self, path, examples):
        def act(content: bytes) -> None:
            path.write_bytes(content)
            pass_over(path)

        fuzz(altered(PACKED) | st.binary(max_size=700), examples, act)

    @pytest.mark.parametrize("form", WORDS)
    def test_word_corpora(self, path, examples, form):
        def act(content: bytes) -> None:
            path.write_bytes(content)
            counts = count(path, form)
            write_counts(path, counts)
            assert read_counts(path) == counts
            vocabulary(counts, VocabularySettings(1, 5, 1))

        fuzz(TEXT_OR_BYTES | altered(PACKED), examples, act)

    def test_gutenberg_books(self, path, examples):
        marks = st.sampled_from(
            [b"*** START OF THE PROJECT GUTENBERG EBOOK X ***", b"\n*** END OF THE PROJECT GUTENBERG"]
        )
        books = st.lists(marks | TEXTS, max_size=6).map(b"\n".join)

        def act(content: bytes) -> None:
            path.write_bytes(content)
            count(path, cleaning="gutenberg")

        fuzz(altered(books), examples, act)

    @pytest.mark.parametrize("form", SENTENCES)
    def test_sentence_corpora(self, path, tmp_path, examples, form):
        def act(content: bytes) -> None:
            path.write_bytes(content)
            prepared(path, form, tmp_path / "data")

        fuzz(TEXT_OR_BYTES | altered(PACKED), examples, act)

    def test_pickles(self, path, tmp_path, examples):
        def act(content: bytes) -> None:
            path.write_bytes(content)
            prepared(path, "pickle", tmp_path / "data")

        fuzz(PICKLED | altered(PICKLED) | st.binary(max_size=60), examples, act)

    def test_docstrings(self, examples):
        """Sentences and questions from arbitrary docstrings consist of whole words."""

        def act(content: bytes) -> None:
            text = decode(content)
            for found in sentences(prose(text)):
                assert all(token and not token.isspace() for token in found)
            asked = question(Docstring(text, "method", "m", text))
            assert asked is None or all(word.isalnum() for word in asked)

        fuzz(TEXTS | altered(st.just(sentences.__doc__.encode())), examples, act)
