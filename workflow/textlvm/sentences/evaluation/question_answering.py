"""Rank answers by the distance between codes with and without the answer (Sec. 4.6, Table 8)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from textlvm.sentences.data.questions import CodedQuestion
from textlvm.sentences.data.vocabulary import UNK, Codes, Vocabulary

__all__ = ["Pairs", "distances", "pairs", "precision_and_reciprocal_rank", "with_question_mark"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """All pairs of a question and one of its answers, question by question."""

    known: list[Codes]
    """Question, "?", answer."""
    unknown: list[Codes]
    """Question, "?", and one <unk> per word of the answer."""
    offsets: NDArray[np.int64]
    """(Q + 1,) start of the pairs of each question."""
    best: NDArray[np.int64]
    """(Q,) index of the right answer among the answers of each question."""

    def by_question(self, scores: Floats) -> list[Floats]:
        """Split scores (P,) of all pairs into one array per question."""
        return np.split(scores, self.offsets[1:-1])


def with_question_mark(question: Codes, vocabulary: Vocabulary) -> Codes:
    """Append "?", which precedes the answer in Yahoo's texts, unless the question ends with it."""
    mark = vocabulary.encode(["?"])
    return question if len(question) and question[-1] == mark[0] else np.concatenate([question, mark])


def pairs(questions: Sequence[CodedQuestion], vocabulary: Vocabulary) -> Pairs:
    """The sentences that a model encodes to rank the answers of `questions`."""
    known, unknown, sizes = [], [], []
    for question in questions:
        asked = with_question_mark(question.question, vocabulary)
        for answer in question.answers:
            known.append(np.concatenate([asked, answer]))
            unknown.append(np.concatenate([asked, np.full_like(answer, UNK)]))
        sizes.append(len(question.answers))
    best = np.array([question.best for question in questions], dtype=np.int64)
    return Pairs(known, unknown, np.concatenate([[0], np.cumsum(sizes)]), best)


def distances(known: Tensor, unknown: Tensor, scale: Tensor | None) -> Floats:
    """S = ||(z_unk - z) / sigma_unk|| of codes (P, d) with and without the answer: (P,).

    `scale` (P, d) is the standard deviation of q(z|question and <unk>); None means 1, for an autoencoder,
    which has no distribution over codes.
    """
    difference = unknown - known if scale is None else (unknown - known) / scale
    return difference.double().norm(dim=1).cpu().numpy()


def precision_and_reciprocal_rank(scores: Sequence[Floats], best: NDArray[np.int64]) -> tuple[float, float]:
    """P@1 and MRR of the right answers; the lowest score ranks first, and ties are averaged over all orders.

    >>> precision_and_reciprocal_rank([np.array([0.1, 0.2]), np.array([0.5, 0.4])], np.array([0, 0]))
    (0.5, 0.75)
    """
    first, reciprocal = [], []
    for of_question, right in zip(scores, best, strict=True):
        before = int((of_question < of_question[right]).sum())
        ranks = np.arange(before, before + int((of_question == of_question[right]).sum())) + 1
        first.append(np.mean(ranks == 1))
        reciprocal.append(np.mean(1 / ranks))
    return float(np.mean(first)), float(np.mean(reciprocal))
