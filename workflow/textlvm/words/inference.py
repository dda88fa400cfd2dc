"""The inference network q(xi_t | h_{t-1}, w_{t:T}) (Sec. 2.5)."""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from textlvm.distributions import DiagonalNormal
from textlvm.words.letters import ALPHABET_SIZE, PackedWords

__all__ = ["InferenceNetwork"]


class InferenceNetwork(nn.Module):
    """Diagonal Gaussian from (h_{t-1}, a_t), a_t the state of a GRU that reads w_{t:T} right to left.

    With `bidirectional`, a_t joins the states of a forward and a backward GRU, so that every step sees
    the whole word (BIDI). With `proposals`, q also depends on a state drawn from F_g (Algorithm 1).
    Embedding and GRU have `dim` units, "identical to our model's"; the MLP's `width` is not in the paper.
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
        """Encode the letters for q, for all positions at once: packed (N, width)."""
        sizes = torch.tensor(batch.packing.batch_sizes)
        embedded = self.embedding(batch.letters)
        reversed_letters = embedded[batch.packing.reversal]
        summary = self.backward_gru(PackedSequence(reversed_letters, sizes))[0].data[batch.packing.reversal]
        if self.forward_gru is not None:
            past = self.forward_gru(PackedSequence(embedded, sizes))[0].data
            summary = torch.cat([past, summary], -1)
        return self.from_letters(summary)

    def forward(self, state: Tensor, context: Tensor, proposal: Tensor | None = None) -> DiagonalNormal:
        """q for states (n, d), contexts (n, width) and, if K > 1, proposals (n, K, d): over (n, K, d)."""
        hidden = (context + self.from_state(state)).unsqueeze(1)
        if self.from_proposal is not None:
            hidden = hidden + self.from_proposal(proposal)
        loc, log_scale = self.head(hidden.tanh()).chunk(2, -1)
        return DiagonalNormal(loc, log_scale)
