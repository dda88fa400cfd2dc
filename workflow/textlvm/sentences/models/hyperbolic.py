"""HyperQA of Table 8: the hyperbolic distance of a question and an answer (Tay et al., 2018)."""

import torch
from torch import Tensor, nn

from textlvm.sentences.data.batches import SentenceBatch
from textlvm.sentences.models.answer_batches import AnswerBatch
from textlvm.sentences.spec import ModelSpec
from textlvm.training.precision import accumulation_dtype

__all__ = ["HyperQA", "distance", "pairwise_hinge"]

LARGEST_NORM = 1 - 1e-5
"""Minimum distance of points from the surface of the ball, where distances are infinite."""
LEAST_EXCESS = 1e-12
"""Minimum of the argument of arcosh minus one, where its gradient is infinite."""
MARGIN = 1.0
"""Margin of the hinge loss: a unit, since the scale of the score is learned. The authors tune it."""


class HyperQA(nn.Module):
    r"""Minus the hyperbolic distance of a question and an answer, both sums of projected words.

    With embedded words w_t, in the Poincaré ball and as a score up to a constant that no loss sees,

    .. math:: x = \mathrm{clip}_{\|x\| < 1} \sum_t \mathrm{relu}(W w_t + b), \quad
              s(q, a) = -e^c \, d(x_q, x_a).

    Embeddings are learned with the rest, from uniform ones within 0.01 of zero, as in the authors' code
    without GloVe. Gradients are Euclidean; the authors scale them by the metric of the ball.
    """

    def __init__(self, spec: ModelSpec, vocabulary_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, spec.embedding)
        nn.init.uniform_(self.embedding.weight, -0.01, 0.01)
        self.dropout = nn.Dropout(spec.dropout)
        self.projection = nn.Linear(spec.embedding, spec.hidden)
        nn.init.zeros_(self.projection.bias)
        self.log_scale = nn.Parameter(torch.zeros(()))

    def forward(self, batch: AnswerBatch) -> Tensor:
        """s(q, a) of every question's answers, by place: (Q, most answers), -inf where is none."""
        questions, answers = self._read(batch.questions), self._read(batch.answers)
        return batch.by_place(-self.log_scale.exp() * distance(questions[batch.question], answers))

    def loss(self, scores: Tensor, best: Tensor) -> Tensor:
        """The loss of `forward`'s scores, the right answers being at the places `best` (Q,)."""
        return pairwise_hinge(scores, best)

    def _read(self, batch: SentenceBatch) -> Tensor:
        """Points of the ball (B, H) in the order of the list that was packed."""
        projected = self.projection(self.dropout(self.embedding(batch.encoder_inputs))).relu()
        projected = projected.to(accumulation_dtype(projected.dtype))
        # The first position is <sos>.
        sums = batch.packing.padded(projected)[:, 1:].sum(1)
        norm = sums.norm(dim=1, keepdim=True).clamp(min=LEAST_EXCESS)
        return batch.restore(sums * (LARGEST_NORM / norm).clamp(max=1))


def distance(x: Tensor, y: Tensor) -> Tensor:
    r"""Distances (N,) of points x and y (N, d) of the Poincaré ball, whose curvature is -1.

    .. math:: d(x, y) = \mathrm{arcosh}\Big(1 + 2 \frac{\|x - y\|^2}{(1 - \|x\|^2)(1 - \|y\|^2)}\Big)
    """
    squares = (1 - x.square().sum(1)) * (1 - y.square().sum(1))
    excess = (2 * (x - y).square().sum(1) / squares).clamp(min=LEAST_EXCESS)
    # arcosh(1 + e), without the rounding of 1 + e.
    return torch.log1p(excess + (excess * (excess + 2)).sqrt())


def pairwise_hinge(scores: Tensor, best: Tensor) -> Tensor:
    r"""Mean of :math:`\max(0, m - s(q, a^+) + s(q, a^-))`, m = 1, over all wrong answers.

    `scores` is (Q, K), -inf where is no answer, `best` (Q,) the right answers' places. It is 0 without any
    wrong answer.
    """
    right = scores.gather(1, best[:, None])
    is_wrong = scores.isfinite().scatter(1, best[:, None], False)
    costs = (MARGIN - right + scores).masked_select(is_wrong).relu()
    return costs.sum() / max(1, costs.numel())
