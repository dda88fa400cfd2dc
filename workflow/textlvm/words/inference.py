"""The inference network q(xi_t | h_{t-1}, w_{t:T}) (Sec. 2.5) and the distribution it returns."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from textlvm.words.letters import ALPHABET_SIZE, PackedWords

__all__ = ["DiagonalNormal", "InferenceNetwork", "standard_normal_log_prob"]

HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


def standard_normal_log_prob(x: Tensor) -> Tensor:
    """log N(x; 0, I) summed over the last dimension, in nats."""
    return -0.5 * x.square().sum(-1) - x.shape[-1] * HALF_LOG_TWO_PI


@dataclass(frozen=True)
class DiagonalNormal:
    """N(loc, diag(exp(2 log_scale))) over the last dimension.

    `torch.distributions.Normal` would do; this one reuses the noise of a sample for its density,
    a third of the operations in the innermost loop.
    """

    loc: Tensor
    log_scale: Tensor

    def rsample_with_log_prob(self) -> tuple[Tensor, Tensor]:
        """A reparametrised sample (..., d) and its log density (...), in nats."""
        noise = torch.randn_like(self.loc)
        sample = torch.addcmul(self.loc, self.log_scale.exp(), noise)
        return sample, standard_normal_log_prob(noise) - self.log_scale.sum(-1)

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density of x (..., d), in nats: (...)."""
        noise = (x - self.loc) * (-self.log_scale).exp()
        return standard_normal_log_prob(noise) - self.log_scale.sum(-1)


class InferenceNetwork(nn.Module):
    """Diagonal Gaussian from (h_{t-1}, a_t), a_t the state of a GRU that reads w_{t:T} right to left.

    With `bidirectional` a_t joins the states of a forward and a backward GRU, so that every step sees
    the whole word (BIDI). With `proposals` it also sees a state that F_g could move to (Algorithm 1).
    Embedding and GRU have `dim` units, "identical to our model's"; the MLP's `width` is unstated.
    """

    def __init__(self, dim: int, width: int, bidirectional: bool, proposals: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(ALPHABET_SIZE, dim)
        self.backward_gru = nn.GRU(dim, dim)
        self.forward_gru = nn.GRU(dim, dim) if bidirectional else None
        self.from_letters = nn.Linear(2 * dim if bidirectional else dim, width)
        self.from_state = nn.Linear(dim, width, bias=False)
        self.from_proposal = nn.Linear(dim, width, bias=False) if proposals else None
        self.head = nn.Linear(width, 2 * dim)
        nn.init.zeros_(self.head.bias)

    def context(self, batch: PackedWords) -> Tensor:
        """What q needs of the letters, for all positions at once: packed (N, width)."""
        sizes = torch.tensor(batch.batch_sizes)
        embedded = self.embedding(batch.letters)
        turned = embedded[batch.reversal]
        summary = self.backward_gru(PackedSequence(turned, sizes))[0].data[batch.reversal]
        if self.forward_gru is not None:
            past = self.forward_gru(PackedSequence(embedded, sizes))[0].data
            summary = torch.cat([past, summary], -1)
        return self.from_letters(summary)

    def forward(self, state: Tensor, context: Tensor, proposal: Tensor | None = None) -> DiagonalNormal:
        """q for states (n, d), contexts (n, width) and proposals (n, K, d), over (n, K, d); K = 1 without."""
        hidden = (context + self.from_state(state)).unsqueeze(1)
        if self.from_proposal is not None:
            hidden = hidden + self.from_proposal(proposal)
        loc, log_scale = self.head(hidden.tanh()).chunk(2, -1)
        return DiagonalNormal(loc, log_scale)
