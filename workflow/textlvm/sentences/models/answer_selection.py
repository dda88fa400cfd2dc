"""AP-BiLSTM and AP-CNN of Table 8: answers scored by attentive pooling (dos Santos et al., 2016)."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from textlvm.sentences.data.batches import SentenceBatch
from textlvm.sentences.data.questions import CodedQuestion
from textlvm.sentences.models.answer_batches import AnswerBatch, pack_questions
from textlvm.sentences.models.hyperbolic import HyperQA
from textlvm.sentences.models.recurrent import LSTM
from textlvm.sentences.spec import ModelSpec
from textlvm.training.precision import accumulation_dtype

__all__ = ["AnswerSelector", "AttentivePooling", "hinge", "scores"]

MARGIN = 0.5
"""Margin of the hinge loss, as in the experiments of dos Santos et al."""
WINDOW = 3
"""Width of the filters of AP-CNN in words, as in the experiments of dos Santos et al."""


class AttentivePooling(nn.Module):
    r"""Cosine similarity of a question and an answer after attentive pooling.

    Q and A are the states of a bidirectional LSTM over both, (T, 2 H) each, or for the family ap-cnn the
    outputs of H filters over three words, (T, H) (dos Santos et al., Eqs. 4-8):

    .. math:: G = \tanh(Q U A^\top), \quad
              \sigma^q = \mathrm{softmax}_i(\max_j G_{ij}), \quad
              \sigma^a = \mathrm{softmax}_j(\max_i G_{ij}), \quad
              s(q, a) = \cos(Q^\top \sigma^q, A^\top \sigma^a).

    Both texts begin with <sos>, which pooling treats as a word, so that an empty text also has a score; the
    authors' model has no such symbol. Embeddings are trained from random values; the authors initialize them
    with word2vec.
    """

    def __init__(self, spec: ModelSpec, vocabulary_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, spec.embedding)
        self.dropout = nn.Dropout(spec.dropout)
        self.is_convolutional = spec.family == "ap-cnn"
        if self.is_convolutional:
            self.filters = nn.Conv1d(spec.embedding, spec.hidden, WINDOW, padding=WINDOW // 2)
        else:
            self.forwards = LSTM(spec.embedding, spec.hidden)
            self.backwards = LSTM(spec.embedding, spec.hidden)
        size = spec.hidden if self.is_convolutional else 2 * spec.hidden
        self.bilinear = nn.Linear(size, size, bias=False)

    def forward(self, batch: AnswerBatch) -> Tensor:
        """s(q, a) in [-1, 1] for all answers: (Q, maximum number of answers), padded with -inf."""
        questions, question_ends = self._read(batch.questions)
        answers, answer_ends = self._read(batch.answers)
        questions, question_ends = questions[batch.question], question_ends[batch.question]
        # In bfloat16, different answers would often have equal scores.
        with torch.autocast(questions.device.type, enabled=False):
            soft_alignment = torch.bmm(self.bilinear(questions), answers.transpose(1, 2)).tanh()
            padding = question_ends[:, :, None] | answer_ends[:, None]
            soft_alignment = soft_alignment.masked_fill(padding, -torch.inf)
            pooled_question = _pool(questions, soft_alignment.amax(2))
            pooled_answer = _pool(answers, soft_alignment.amax(1))
            return batch.by_place(nn.functional.cosine_similarity(pooled_question, pooled_answer))

    def loss(self, scores: Tensor, best: Tensor) -> Tensor:
        """The loss for scores (Q, K) of `forward` and indices `best` (Q,) of the right answers."""
        return hinge(scores, best)

    def _read(self, batch: SentenceBatch) -> tuple[Tensor, Tensor]:
        """States (B, T, d) in the order of the list that was packed, and the mask (B, T) of padding."""
        packing = batch.packing
        embedded = self.dropout(self.embedding(batch.encoder_inputs))
        if self.is_convolutional:
            states = self.filters(packing.padded(embedded).transpose(1, 2)).transpose(1, 2)
        else:
            backwards = self.backwards(embedded[packing.reversal], packing)[packing.reversal]
            states = packing.padded(torch.cat([self.forwards(embedded, packing), backwards], -1))
        states = states.to(accumulation_dtype(states.dtype))
        ended = packing.padded(torch.ones_like(states[0, 0, :1]).expand(len(embedded), 1)).squeeze(2) == 0
        return batch.packing.restore(states), batch.packing.restore(ended)


AnswerSelector = AttentivePooling | HyperQA
"""Models that score the answers of questions."""


def hinge(similarity: Tensor, best: Tensor) -> Tensor:
    r"""Mean of :math:`\max(0, m - s(q, a^+) + \max_{a^-} s(q, a^-))`, m = 0.5 (dos Santos et al., Eq. 9).

    `similarity` (Q, K) is the result of `AttentivePooling`, `best` (Q,) has the indices of the right answers.
    """
    right = similarity.gather(1, best[:, None]).squeeze(1)
    wrong = similarity.scatter(1, best[:, None], -torch.inf).amax(1)
    return (MARGIN - right + wrong).relu().mean()


@torch.no_grad()
def scores(
    model: AnswerSelector, questions: Sequence[CodedQuestion], batch: int
) -> list[NDArray[np.float64]]:
    """Scores of each question's answers, the larger the better: one array per question."""
    device = next(model.parameters()).device
    result = []
    for start in range(0, len(questions), batch):
        part = questions[start : start + batch]
        found = model(pack_questions(part, None).to(device)).double().cpu().numpy()
        result += [row[: len(q.answers)] for row, q in zip(found, part, strict=True)]
    return result


def _pool(states: Tensor, importance: Tensor) -> Tensor:
    return torch.bmm(importance.softmax(1)[:, None], states).squeeze(1)
