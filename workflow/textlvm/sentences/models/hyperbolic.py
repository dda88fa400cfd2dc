"""HyperQA of Table 8: answers scored by hyperbolic distance (Tay et al., 2018)."""

import torch
from torch import Tensor, nn

from textlvm.sentences.data.batches import SentenceBatch
from textlvm.sentences.models.answer_batches import AnswerBatch
from textlvm.sentences.spec import ModelSpec
from textlvm.training.precision import accumulation_dtype

__all__ = ["HyperQA", "distance", "pairwise_hinge"]

LARGEST_NORM = 1 - 1e-5
"""Maximum norm of points; on the surface of the ball, distances are infinite."""
LEAST_NORM = 1e-12
"""Minimum of the norm that a sum of words is divided by: the sum of no words is the origin."""
LEAST_EXCESS = 1e-12
"""Minimum of the argument of arcosh minus one; at zero, the gradient is infinite."""
MARGIN = 1.0
"""Margin of the hinge loss: one, since the scale of the score is learned. The authors tune it."""


class HyperQA(nn.Module):
    r"""Negative hyperbolic distance of a question and an answer, each a sum of projected words.

    With embedded words w_t, points x in the Poincaré ball, and a learned scale c,

    .. math:: x = \mathrm{clip}_{\|x\| < 1} \sum_t \mathrm{relu}(W w_t + b), \quad
              s(q, a) = -e^c \, d(x_q, x_a).

    The constant term of the authors' score is omitted, because the loss does not depend on it. Embeddings
    are initialized uniformly within 0.01 of zero, as in the authors' code without GloVe. Gradients are
    Euclidean; the authors scale them by the metric of the ball.
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
        """s(q, a) for all answers: (Q, maximum number of answers), padded with -inf."""
        questions, answers = self._read(batch.questions), self._read(batch.answers)
        return batch.by_place(-self.log_scale.exp() * distance(questions[batch.question], answers))

    def loss(self, scores: Tensor, best: Tensor) -> Tensor:
        """The loss for scores (Q, K) of `forward` and indices `best` (Q,) of the right answers."""
        return pairwise_hinge(scores, best)

    def _read(self, batch: SentenceBatch) -> Tensor:
        """Points of the ball (B, H) in the order of the list that was packed."""
        projected = self.projection(self.dropout(self.embedding(batch.encoder_inputs))).relu()
        projected = projected.to(accumulation_dtype(projected.dtype))
        # The first position is <sos>.
        sums = batch.packing.padded(projected)[:, 1:].sum(1)
        norm = sums.norm(dim=1, keepdim=True).clamp(min=LEAST_NORM)
        return batch.packing.restore(sums * (LARGEST_NORM / norm).clamp(max=1))


def distance(x: Tensor, y: Tensor) -> Tensor:
    r"""Distances (N,) of points x and y (N, d) in the Poincaré ball of curvature -1.

    .. math:: d(x, y) = \mathrm{arcosh}\Big(1 + 2 \frac{\|x - y\|^2}{(1 - \|x\|^2)(1 - \|y\|^2)}\Big)
    """
    squares = (1 - x.square().sum(1)) * (1 - y.square().sum(1))
    excess = (2 * (x - y).square().sum(1) / squares).clamp(min=LEAST_EXCESS)
    # arcosh(1 + e) without rounding 1 + e.
    return torch.log1p(excess + (excess * (excess + 2)).sqrt())


def pairwise_hinge(scores: Tensor, best: Tensor) -> Tensor:
    r"""Mean of :math:`\max(0, m - s(q, a^+) + s(q, a^-))`, m = 1, over all wrong answers.

    `scores` is (Q, K), padded with -inf; `best` (Q,) has the indices of the right answers. The result is 0 if
    there are no wrong answers.
    """
    right = scores.gather(1, best[:, None])
    is_wrong = scores.isfinite().scatter(1, best[:, None], False)
    costs = (MARGIN - right + scores).masked_select(is_wrong).relu()
    return costs.sum() / max(1, costs.numel())
