from pathlib import Path

import numpy as np
import pytest
import torch

from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.data.vocabulary import SPECIALS, UNK, Vocabulary
from textlvm.sentences.evaluation.generation import Writer, answer_in
from textlvm.sentences.models.autoencoder import build
from textlvm.sentences.qualitative import SentenceLookup
from textlvm.sentences.trained import TrainedRun

VOCABULARY = Vocabulary((*SPECIALS, "?", "a", "b", "c", "d"), (0,) * 9)
SENTENCES = [np.array(codes, np.int32) for codes in ([5, 6, 4, 7], [8], [6, 6, 5])]


@pytest.fixture
def writer(model_spec):
    """A function that returns a writer with random weights; keywords change the settings of the model."""

    def make(decoding="greedy", **changes):
        torch.manual_seed(3)
        spec = model_spec(**changes)
        run = TrainedRun("sentences/x/y", 0, spec, build(spec, len(VOCABULARY)).eval(), VOCABULARY, Path())
        return Writer(run, decoding, max_length=7)

    return make


@pytest.fixture
def decoded_codes(monkeypatch):
    """The codes of all calls of `Writer.decode`, which is replaced."""
    codes = []
    monkeypatch.setattr(Writer, "decode", lambda self, z: codes.append(z) or [""] * len(z))
    return codes


def test_mean_and_perturbed_rows_agree_without_noise(writer):
    certain = writer()
    with torch.no_grad():
        certain.run.model.log_variance.weight.zero_()
        certain.run.model.log_variance.bias.fill_(-10)
    rows = certain.reconstruct(SENTENCES, perturbation=1e-6)
    assert len(rows) == 3
    assert all(row["mean"] == row["perturbed"] for row in rows)
    assert certain.reconstruct(SENTENCES[::-1], 1)[0]["mean"] == rows[2]["mean"]


def test_perturbation_multiplies_the_standard_deviation(writer, decoded_codes):
    many = [SENTENCES[0]] * 2000
    writer().reconstruct(many, perturbation=10)
    mean, sample, perturbed = decoded_codes
    assert (sample - mean).std(0) * 10 == pytest.approx((perturbed - mean).std(0), rel=0.15)


def test_interpolation_is_linear_between_the_two_codes(writer, decoded_codes):
    autoencoder = writer(objective="ae")
    assert len(autoencoder.interpolate(SENTENCES[0], SENTENCES[1], 5)) == 5
    autoencoder.reconstruct(SENTENCES[:2], 10)
    steps, ends = decoded_codes
    assert steps[[0, -1]] == pytest.approx(ends, abs=1e-6)
    assert steps.diff(dim=0) == pytest.approx(steps.diff(dim=0)[:1].expand(4, -1), abs=1e-6)


def test_samples_have_standard_deviation_sigma(writer, decoded_codes):
    writer().sample(5000, 0.1)
    assert float(decoded_codes[0].std()) == pytest.approx(0.1, rel=0.05)


def test_answers_never_contain_unk(writer):
    writer_of_unk = writer("sample")
    with torch.no_grad():
        writer_of_unk.run.model.output.bias[[UNK, 7]] = torch.tensor([50.0, 40.0])
    assert writer_of_unk.sample(2, 0.1) == [" ".join(["<unk>"] * 7)] * 2
    assert writer_of_unk.answer(SENTENCES, 5) == [" ".join(["c"] * 7)] * 3


def test_question_is_followed_by_the_requested_number_of_unk(writer, monkeypatch):
    seen = []
    encode = Writer._encode
    monkeypatch.setattr(Writer, "_encode", lambda self, codes: seen.extend(codes) or encode(self, codes))
    writer().answer(SENTENCES, 3)
    asked = [[5, 6, 4, 7, 4], [8, 4], [6, 6, 5, 4]]
    assert [codes.tolist() for codes in seen] == [[*codes, UNK, UNK, UNK] for codes in asked]


def test_answer_follows_the_first_question_mark():
    assert answer_in(["is", "it", "?", "yes", "?", "no"]) == "yes ? no"
    assert answer_in(["no", "question"]) == "no question"
    assert answer_in(["?", "see", "<br>", "<a", "href", "=", "x", ">", "here", "</a>"]) == "see here"


def test_find_question_cuts_after_the_question_mark():
    tokens = np.concatenate(SENTENCES)
    test = SentenceSet(tokens, np.array([0, 4, 5, 8]))
    lookup = SentenceLookup(test, None, VOCABULARY, str.split)
    question = lookup.find_question(0)
    assert (question.text, question.codes.tolist()) == ("a b ?", [5, 6, 4])
    assert lookup.find_question(2).text == "b b a"
    assert lookup.find_question("x a").codes.tolist() == [UNK, 5]
    assert lookup.find_question("x a").text == "x a"
    spaced = SentenceLookup(test, None, VOCABULARY, lambda text: text.split("|"))
    question = spaced.find_question("a|+1 (800) 555|b|?|c")
    assert question.codes.tolist() == [5, UNK, 6, 4]
    assert question.text == "a +1 (800) 555 b ?"
