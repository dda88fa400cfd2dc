"""Batches of questions with all their answers, for the models of Table 8."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from textlvm.packing import transfer
from textlvm.sentences.data.batches import SentenceBatch, pack
from textlvm.sentences.data.questions import CodedQuestion

__all__ = ["AnswerBatch", "pack_questions"]


@dataclass(frozen=True)
class AnswerBatch:
    """Q questions with all their answers, A in all."""

    questions: SentenceBatch
    answers: SentenceBatch
    question: Tensor
    """(A,) index of each answer's question, in the order in which the questions were given."""
    place: Tensor
    """(A,) index of each answer among the answers of its question."""
    best: Tensor
    """(Q,) index of the right answer among the answers of each question."""

    def by_place(self, scores: Tensor) -> Tensor:
        """Scores (A,) of all answers as (Q, maximum number of answers), padded with -inf."""
        shape = (len(self.best), int(self.place.max()) + 1)
        return scores.new_full(shape, -torch.inf).index_put((self.question, self.place), scores)

    def to(self, device: torch.device) -> "AnswerBatch":
        """The batch on another device; copies are asynchronous."""
        return transfer(self, device)


def pack_questions(questions: Sequence[CodedQuestion], max_length: int | None) -> AnswerBatch:
    """Pack questions and their answers, each truncated to its first `max_length` words."""
    sizes = [len(q.answers) for q in questions]
    answers = [answer[:max_length] for q in questions for answer in q.answers]
    return AnswerBatch(
        questions=pack([q.question[:max_length] for q in questions]),
        answers=pack(answers),
        question=torch.repeat_interleave(torch.tensor(sizes)),
        place=torch.cat([torch.arange(size) for size in sizes]),
        best=torch.tensor([q.best for q in questions]),
    )
