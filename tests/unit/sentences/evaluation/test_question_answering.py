import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textlvm.sentences.data.questions import CodedQuestion
from textlvm.sentences.data.vocabulary import SPECIALS, UNK, Vocabulary
from textlvm.sentences.evaluation.question_answering import (
    distances,
    pairs,
    precision_and_reciprocal_rank,
    with_question_mark,
)

VOCABULARY = Vocabulary((*SPECIALS, "?", "who", "me", "you"), (0,) * 8)


def question(text, *answers, best=0):
    encode = VOCABULARY.encode
    return CodedQuestion(encode(text.split()), tuple(encode(a.split()) for a in answers), best)


def test_pairs_consist_of_question_question_mark_and_answer():
    both = pairs([question("who", "me", "you you", best=1), question("who ?", "me")], VOCABULARY)
    assert [codes.tolist() for codes in both.known] == [[5, 4, 6], [5, 4, 7, 7], [5, 4, 6]]
    assert [codes.tolist() for codes in both.unknown] == [[5, 4, UNK], [5, 4, UNK, UNK], [5, 4, UNK]]
    assert both.best.tolist() == [1, 0]
    assert [part.tolist() for part in both.by_question(np.arange(3.0))] == [[0, 1], [2]]


def test_question_mark_outside_the_vocabulary_becomes_unk():
    bare = Vocabulary((*SPECIALS, "who"), (0,) * 5)
    assert with_question_mark(np.array([4], np.int32), bare).tolist() == [4, UNK]


def test_distances_are_measured_in_standard_deviations():
    known, unknown = torch.zeros(2, 2), torch.tensor([[3.0, 4.0], [3.0, 4.0]])
    assert distances(known, unknown, None).tolist() == [5, 5]
    scale = torch.tensor([[1.0, 1.0], [3.0, 2.0]])
    assert distances(known, unknown, scale).tolist() == pytest.approx([5, 5**0.5])


def test_precision_and_reciprocal_rank_of_known_ranks():
    scores = [np.array([0.3, 0.1, 0.2]), np.array([5.0, 6.0])]
    assert precision_and_reciprocal_rank(scores, np.array([1, 0])) == (1, 1)
    assert precision_and_reciprocal_rank(scores, np.array([0, 1])) == (0, pytest.approx((1 / 3 + 1 / 2) / 2))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.data())
def test_ties_are_averaged_over_all_orders(values, data):
    best = data.draw(st.integers(0, len(values) - 1))
    scores = np.array(values, float)
    first, reciprocal = precision_and_reciprocal_rank([scores], np.array([best]))
    rng = np.random.default_rng(0)
    ranks = []
    for _ in range(2000):
        order = np.lexsort((rng.random(len(scores)), scores))
        ranks.append(1 + list(order).index(best))
    assert first == pytest.approx(np.mean(np.array(ranks) == 1), abs=0.06)
    assert reciprocal == pytest.approx(np.mean(1 / np.array(ranks)), abs=0.06)


def test_answers_at_distance_zero_rank_first():
    # The code is 0 if the pair contains the right answer, and 1 otherwise.
    both = pairs([question("who", "me", "you"), question("who", "you", "me", best=1)], VOCABULARY)
    known = torch.tensor([[float(6 not in codes)] for codes in both.known])
    scores = both.by_question(distances(known, torch.zeros(len(both.known), 1), None))
    assert precision_and_reciprocal_rank(scores, both.best) == (1, 1)
