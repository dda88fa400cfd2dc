from itertools import islice

import pytest

from textlvm.corpora.documentation import Docstring, docstrings
from textlvm.runtime.errors import UserError
from textlvm.sentences.data import standins
from textlvm.sentences.data.questions import read_triples
from textlvm.sentences.data.sources import records
from textlvm.sentences.data.standins import FORMS, make

MOST = 150


@pytest.fixture(scope="module")
def texts():
    return make(islice(docstrings(), 4000), FORMS, MOST)


@pytest.fixture(scope="module")
def written(texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("standins")
    for form, text in texts.items():
        (folder / form).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("form", "format", "least", "most"),
    [
        ("sentences", "lines", 4, 10),
        ("labelled", "labelled", 30, 200),
        ("answers", "lines", 20, 200),
        ("paragraphs", "wikitext", 60, 250),
    ],
)
def test_standins_have_the_formats_of_the_corpora(written, form, format, least, most):
    found = list(records(written / form, format))
    # For `sentences`, all candidates of frequent words are kept, which may be more than MOST.
    assert len(found) == MOST or (form == "sentences" and len(found) > MOST)
    assert len(found) == len({record.text for record in found})
    assert all(least <= len(record.text.split()) <= most for record in found)
    assert all(record.text == record.text.lower() for record in found)
    labels = {record.label for record in found}
    assert (
        labels <= {"module", "class", "function", "method", "topic"}
        if form == "labelled"
        else labels == {None}
    )


def test_questions_have_one_right_and_two_to_four_wrong_answers(written):
    found = list(read_triples(written / "questions"))
    assert len({question.question for question in found}) == len(found) > 0.8 * MOST
    assert {len(question.answers) for question in found} == {3, 4, 5}
    for question in found:
        assert 5 <= len(question.question.split()) <= 50
        assert len(set(question.answers)) == len(question.answers)
        assert all(5 <= len(answer.split()) <= 50 for answer in question.answers)
    right = {question.answers[question.best] for question in found}
    assert len(right) == len(found)
    assert any(answer in right for question in found for answer in question.answers[:-1])


def test_answers_and_questions_share_no_text(written):
    """The training texts of a model must not reveal which answer is right."""
    answered = {record.text.partition(" ? ")[2] for record in records(written / "answers", "lines")}
    asked = {question.answers[question.best] for question in read_triples(written / "questions")}
    assert answered
    assert not answered & asked


def test_make_is_deterministic(texts):
    assert make(islice(docstrings(), 4000), FORMS, MOST) == texts


def test_reading_stops_at_the_limit():
    def endless():
        number = 0
        while True:
            number += 1
            yield Docstring(f"m{number}", "module", "m", f"It is about the letter {'x' * number} alone.")

    made = make(endless(), ["sentences"], 1)["sentences"].splitlines()
    assert made == [f"it is about the letter {'x' * number} alone ." for number in range(1, 11)]


def test_sentences_consist_of_frequent_tokens(monkeypatch):
    monkeypatch.setattr(standins, "FREQUENT", 4)
    texts = ["Take the first.", "Name a colour.", "Take the colour.", "Take the first. It may be missing."]
    documentation = [Docstring(f"m{i}", "module", "m", text) for i, text in enumerate(texts)]
    # ".", "take", "the" and "colour" occur at least twice, all other tokens once.
    found = make(documentation, ["sentences"], 3)["sentences"]
    assert found == "take the colour .\n"


def test_unknown_form_and_empty_documentation_are_rejected():
    with pytest.raises(UserError, match="no stand-in 'question'; did you mean 'questions'"):
        make([], ["question"], 5)
    with pytest.raises(UserError, match="too little documentation for the stand-in 'sentences'"):
        make([], ["sentences"], 5)
