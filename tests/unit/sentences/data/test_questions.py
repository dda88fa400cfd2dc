import json
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.runtime.errors import UserError
from textlvm.sentences.data.questions import (
    Question,
    load,
    read_pickle,
    read_triples,
    shuffled,
    write_questions,
)
from textlvm.sentences.data.vocabulary import SPECIALS, UNK, Vocabulary

ANSWERS = [["no", 0], ["yes", 1], ["maybe", 0]]
QUESTION = Question("is it", ("no", "yes", "maybe"), 1)


def triples(tmp_path, text):
    path = tmp_path / "a.txt"
    path.write_text(text)
    return list(read_triples(path))


def pickled(tmp_path, content, protocol=2):
    path = tmp_path / "env.pkl"
    path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol))
    return path


class TestTriples:
    def test_consecutive_lines_of_a_question_are_grouped(self, tmp_path):
        text = "is it#no#0\nis it#yes#1\nis it#maybe#0\n\nwho#me#1\nwho#C# user#0"
        assert triples(tmp_path, text) == [QUESTION, Question("who", ("me", "C# user"), 0)]

    def test_question_repeated_consecutively_counts_twice(self, tmp_path):
        assert triples(tmp_path, "q#a#0\nq#b#1\nq#c#0\nq#d#1\n") == [
            Question("q", ("a", "b"), 1),
            Question("q", ("c", "d"), 1),
        ]

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("q#a#0\nq#b#0\n", id="none right"),
            pytest.param("q#a#1\nq#b#1\nq#c#0\n", id="two of three right"),
            pytest.param("q#a#1\nq#b#1\nq#c#0\nq#d#0\n", id="both right in the first half"),
            pytest.param("q#a#1\nq# #0\n", id="empty answer"),
            pytest.param("#a#1\n#b#0\n", id="no question"),
        ],
    )
    def test_question_without_exactly_one_right_answer_is_skipped(self, tmp_path, caplog, text):
        assert triples(tmp_path, text + "who#me#1\n") == [Question("who", ("me",), 0)]
        assert "skipped 1 questions without exactly one right answer" in caplog.text

    @pytest.mark.parametrize("text", ["", "\n", "q#a#0\n"])
    def test_file_without_questions_is_rejected(self, tmp_path, text):
        with pytest.raises(UserError, match=r"a\.txt contains no questions with exactly one right answer"):
            triples(tmp_path, text)

    @pytest.mark.parametrize("line", ["what", "a#b", "a#b#2", "a#b#"])
    def test_malformed_line_is_rejected(self, tmp_path, line):
        with pytest.raises(UserError, match=r"a\.txt, line 2: expected `question#answer#0`"):
            triples(tmp_path, f"q#a#1\n{line}\n")


class TestPickle:
    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_pickle_of_plain_containers_is_read(self, tmp_path, protocol):
        content = {"train": {}, "dev": {"is it": ANSWERS, "who": (("me", 1.0), ("you", False))}}
        found = list(read_pickle(pickled(tmp_path, content, protocol), "dev"))
        assert found == [QUESTION, Question("who", ("me", "you"), 0)]

    def test_pickle_in_an_archive_is_read(self, tmp_path):
        path = tmp_path / "env.pkl.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("readme.md", "no pickle")
            archive.writestr("data/env.pkl", pickle.dumps({"test": {"is it": ANSWERS}}))
        assert list(read_pickle(path, "test")) == [QUESTION]

    def test_byte_strings_of_python_2_are_decoded(self, tmp_path):
        """Written by hand, since only Python 2 pickles byte strings as SHORT_BINSTRING (U)."""

        def text(value):
            return b"U" + bytes([len(value)]) + value

        row = text("café".encode()) + text(b"1") + b"\x86"
        other = text(b"caf\xe9 \x96 bar") + b"K\x00\x86"
        content = b"\x80\x02}" + text(b"test") + b"}" + text(b"where") + b"(" + row + other + b"lss."
        assert list(read_pickle(pickled(tmp_path, content), "test")) == [
            Question("where", ("café", "café – bar"), 0)
        ]

    @pytest.mark.parametrize(
        "content",
        [[], {"test": []}, {"test": {"q": 3}}, {"test": {"q": ["ab"]}}, {"test": {"q": [["a", 1, 2]]}}],
    )
    def test_pickle_with_another_structure_is_rejected(self, tmp_path, content):
        with pytest.raises(UserError, match=r"env\.pkl: expected"):
            list(read_pickle(pickled(tmp_path, content), "test"))

    def test_missing_split_is_rejected(self, tmp_path):
        with pytest.raises(UserError, match="there is no split 'dev'; valid: 'test', 'train'"):
            list(read_pickle(pickled(tmp_path, {"train": {}, "test": {}}), "dev"))


@given(st.lists(st.text("ab", min_size=1), min_size=1, max_size=6), st.data())
def test_shuffling_keeps_the_right_answer(answers, data):
    best = data.draw(st.integers(0, len(answers) - 1))
    question = Question("q", tuple(answers), best)
    mixed = shuffled(question)
    assert sorted(mixed.answers) == sorted(answers)
    assert mixed.answers[mixed.best] == answers[best]
    assert shuffled(question) == mixed


def test_position_of_the_right_answer_is_uniform():
    """Counts of three positions in 3,000 questions have mean 1,000 and standard deviation 25.8."""
    counts = np.bincount([shuffled(Question(f"q {i}", ("a", "b", "c"), 2)).best for i in range(3000)])
    assert np.abs(counts - 1000).max() < 130


def test_questions_are_encoded_with_the_given_vocabulary(tmp_path):
    write_questions(tmp_path / "questions.json", {"test": [Question("is\tit", ("no", "yes\tsir"), 1)]})
    tokens = (*SPECIALS, "yes", "it", "is", "sir")
    (question,) = load(tmp_path, "test", Vocabulary(tokens, (0,) * len(tokens)))
    assert question.question.tolist() == [6, 5]
    assert [answer.tolist() for answer in question.answers] == [[UNK], [4, 7]]
    assert question.best == 1
    (other,) = load(tmp_path, "test", Vocabulary((*SPECIALS, "no"), (0,) * 5))
    assert [answer.tolist() for answer in other.answers] == [[4], [UNK, UNK]]
    assert json.loads((tmp_path / "questions.json").read_text())["test"][0]["question"] == "is\tit"
