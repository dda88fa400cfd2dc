"""Ranking a question's answers by how far each moves the question's code (Sec. 4.6, Table 8)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from textlvm.sentences.data.questions import CodedQuestion
from textlvm.sentences.data.vocabulary import UNK, Codes, Vocabulary

__all__ = ["Pairs", "ask", "distances", "pairs", "precision_and_reciprocal_rank"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """Every question with every one of its answers, question by question."""

    known: list[Codes]
    """Question, "?", answer."""
    unknown: list[Codes]
    """Question, "?", as many <unk> as the answer has words."""
    offsets: NDArray[np.int64]
    """(Q + 1,) where the pairs of each question begin."""
    best: NDArray[np.int64]
    """(Q,) which of a question's answers is the right one."""

    def by_question(self, scores: Floats) -> list[Floats]:
        """Scores (P,) of all pairs, apart for each question."""
        return np.split(scores, self.offsets[1:-1])


def ask(question: Codes, vocabulary: Vocabulary) -> Codes:
    """A question with the "?" that precedes the answer in Yahoo's texts, unless it ends with one."""
    mark = vocabulary.encode(["?"])
    return question if len(question) and question[-1] == mark[0] else np.concatenate([question, mark])


def pairs(questions: Sequence[CodedQuestion], vocabulary: Vocabulary) -> Pairs:
    """The sentences that a model has to encode to rank the answers of `questions`."""
    known, unknown, sizes = [], [], []
    for question in questions:
        asked = ask(question.question, vocabulary)
        for answer in question.answers:
            known.append(np.concatenate([asked, answer]))
            unknown.append(np.concatenate([asked, np.full_like(answer, UNK)]))
        sizes.append(len(question.answers))
    best = np.array([question.best for question in questions], dtype=np.int64)
    return Pairs(known, unknown, np.concatenate([[0], np.cumsum(sizes)]), best)


def distances(known: Tensor, unknown: Tensor, scale: Tensor | None) -> Floats:
    """S = ||(z_unk - z) / sigma_unk|| of codes (P, d) with and without the answer: (P,).

    `scale` (P, d) is the standard deviation of q(z|question and <unk>); None stands for 1, as for an
    autoencoder, which has no distribution over codes.
    """
    difference = unknown - known if scale is None else (unknown - known) / scale
    return difference.double().norm(dim=1).cpu().numpy()


def precision_and_reciprocal_rank(scores: Sequence[Floats], best: NDArray[np.int64]) -> tuple[float, float]:
    """P@1 and MRR of the right answers; the least score ranks first, equal ones in any order, on average.

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
