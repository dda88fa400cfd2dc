"""The autoregressive baseline: a GRU trained with teacher forcing, whose P(w) is exact (Sec. 5)."""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from textlvm.words.letters import ALPHABET_SIZE, END, PackedWords

__all__ = ["GRUBaseline"]


class GRUBaseline(nn.Module):
    """BASELINE-8D and -16D: hidden and embedding size `dim`; the end-of-word symbol also starts a word."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(ALPHABET_SIZE, dim)
        self.gru = nn.GRU(dim, dim)
        self.output = nn.Linear(dim, ALPHABET_SIZE)

    def log_probs(self, batch: PackedWords) -> Tensor:
        """log P(w_t | w_{<t}) in nats for every position of a batch: packed (N,)."""
        starts = batch.letters.new_full((batch.batch,), END)
        inputs = self.embedding(torch.cat([starts, *batch.carried()]))
        states = self.gru(PackedSequence(inputs, torch.tensor(batch.batch_sizes)))[0].data
        return -nn.functional.cross_entropy(self.output(states), batch.letters, reduction="none")

    @torch.no_grad()
    def sample(self, n: int, length: int) -> Tensor:
        """n words drawn letter by letter: codes (n, length); what follows an END means nothing."""
        letters = self.output.weight.new_full((n,), END, dtype=torch.long)
        state, drawn = None, []
        for _ in range(length):
            output, state = self.gru(self.embedding(letters)[None], state)
            letters = torch.multinomial(torch.softmax(self.output(output[0]), -1), 1).squeeze(1)
            drawn.append(letters)
        return torch.stack(drawn, 1)
