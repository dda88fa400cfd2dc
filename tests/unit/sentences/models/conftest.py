import pytest

from textlvm.sentences.data.questions import CodedQuestion


@pytest.fixture
def questions(random_sentences):
    words = random_sentences([4, 3, 6, 1, 2, 7, 5, 3, 2])
    return (
        CodedQuestion(words[0], tuple(words[1:4]), 2),
        CodedQuestion(words[4], tuple(words[5:7]), 0),
        CodedQuestion(words[7], (words[8],), 0),
    )
