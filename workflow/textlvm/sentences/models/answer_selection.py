"""AP-BiLSTM of Table 8: questions and answers compared by attentive pooling (dos Santos et al., 2016)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from textlvm.sentences.data.batches import SentenceBatch, pack
from textlvm.sentences.data.questions import CodedQuestion
from textlvm.sentences.models.recurrent import LSTM
from textlvm.sentences.spec import ModelSpec

__all__ = ["AnswerBatch", "AttentivePooling", "hinge", "pack_questions", "scores"]

MARGIN = 0.5
"""Margin of the hinge loss, as in the paper's experiments."""


@dataclass(frozen=True)
class AnswerBatch:
    """Q questions with all their answers, A in all."""

    questions: SentenceBatch
    answers: SentenceBatch
    question: Tensor
    """(A,) the question of each answer, in the order the questions were given in."""
    place: Tensor
    """(A,) its place among that question's answers."""
    best: Tensor
    """(Q,) the place of the right one."""

    def to(self, device: torch.device) -> "AnswerBatch":
        """The same batch on another device."""
        moved = (value.to(device) for value in vars(self).values())
        return AnswerBatch(*moved)


def pack_questions(questions: Sequence[CodedQuestion], max_length: int | None) -> AnswerBatch:
    """Pack questions and their answers, each cut to its first `max_length` words."""
    sizes = [len(q.answers) for q in questions]
    answers = [answer[:max_length] for q in questions for answer in q.answers]
    return AnswerBatch(
        questions=pack([q.question[:max_length] for q in questions]),
        answers=pack(answers),
        question=torch.repeat_interleave(torch.tensor(sizes)),
        place=torch.cat([torch.arange(size) for size in sizes]),
        best=torch.tensor([q.best for q in questions]),
    )


class AttentivePooling(nn.Module):
    r"""Cosine similarity of a question and an answer, each pooled with the other's attention.

    With the states Q and A of a bidirectional LSTM over both, (T, 2 H) each (Eqs. 4-8 there),

    .. math:: G = \tanh(Q U A^\top), \quad
              \sigma^q = \mathrm{softmax}_i(\max_j G_{ij}), \quad
              \sigma^a = \mathrm{softmax}_j(\max_i G_{ij}), \quad
              s(q, a) = \cos(Q^\top \sigma^q, A^\top \sigma^a).

    Embeddings are learned with the rest; the authors start from word2vec.
    """

    def __init__(self, spec: ModelSpec, vocabulary_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, spec.embedding)
        self.dropout = nn.Dropout(spec.dropout)
        self.forwards = LSTM(spec.embedding, spec.hidden)
        self.backwards = LSTM(spec.embedding, spec.hidden)
        self.bilinear = nn.Linear(2 * spec.hidden, 2 * spec.hidden, bias=False)

    def forward(self, batch: AnswerBatch) -> Tensor:
        """s(q, a) in [-1, 1] of every question's answers, by place: (Q, most answers), -inf where is none."""
        questions, question_ends = self._read(batch.questions)
        answers, answer_ends = self._read(batch.answers)
        questions, question_ends = questions[batch.question], question_ends[batch.question]
        soft_alignment = torch.bmm(self.bilinear(questions), answers.transpose(1, 2)).tanh()
        barred = question_ends[:, :, None] | answer_ends[:, None]
        soft_alignment = soft_alignment.masked_fill(barred, -torch.inf)
        pooled_question = _pool(questions, soft_alignment.amax(2))
        pooled_answer = _pool(answers, soft_alignment.amax(1))
        similarity = nn.functional.cosine_similarity(pooled_question, pooled_answer)
        shape = (len(batch.best), int(batch.place.max()) + 1)
        return similarity.new_full(shape, -torch.inf).index_put((batch.question, batch.place), similarity)

    def _read(self, batch: SentenceBatch) -> tuple[Tensor, Tensor]:
        """States (B, T, 2 H) in the order of the list that was packed, and where none is left (B, T)."""
        packing = batch.packing
        embedded = self.dropout(self.embedding(batch.encoder_inputs))
        backwards = self.backwards(embedded[packing.reversal], packing)[packing.reversal]
        states = packing.padded(torch.cat([self.forwards(embedded, packing), backwards], -1))
        ended = packing.padded(torch.ones_like(states[0, 0, :1]).expand(len(embedded), 1)).squeeze(2) == 0
        return batch.restore(states), batch.restore(ended)


def hinge(similarity: Tensor, best: Tensor) -> Tensor:
    r"""Mean of :math:`\max(0, m - s(q, a^+) + \max_{a^-} s(q, a^-))`, m = 0.5 (Eq. 9 there).

    `similarity` is (Q, K) as `AttentivePooling` returns it, `best` (Q,) the right answers' places.
    """
    right = similarity.gather(1, best[:, None]).squeeze(1)
    wrong = similarity.scatter(1, best[:, None], -torch.inf).amax(1)
    return (MARGIN - right + wrong).relu().mean()


@torch.no_grad()
def scores(
    model: AttentivePooling, questions: Sequence[CodedQuestion], batch: int
) -> list[NDArray[np.float64]]:
    """Similarities of each question's answers, the larger the better: one array a question."""
    device = next(model.parameters()).device
    result = []
    for start in range(0, len(questions), batch):
        part = questions[start : start + batch]
        similarity = model(pack_questions(part, None).to(device)).double().cpu().numpy()
        result += [row[: len(q.answers)] for row, q in zip(similarity, part, strict=True)]
    return result


def _pool(states: Tensor, importance: Tensor) -> Tensor:
    return torch.bmm(importance.softmax(1)[:, None], states).squeeze(1)
