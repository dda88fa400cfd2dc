"""The autoregressive baseline: a GRU trained with teacher forcing, whose P(w) is exact (Sec. 5)."""

from collections.abc import Iterator

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
        starts = batch.letters.new_full((batch.packing.batch,), END)
        inputs = self.embedding(torch.cat([starts, *batch.carried()]))
        states = self.gru(PackedSequence(inputs, torch.tensor(batch.packing.batch_sizes)))[0].data
        return -nn.functional.cross_entropy(self.output(states), batch.letters, reduction="none")

    @torch.no_grad()
    def free_running(self, n: int, length: int) -> Tensor:
        """log P(. | h_t) in nats along n trajectories that are fed the letters they draw: (length, n, 27).

        h_t depends on the trajectory's letters v_1..v_{t-1}, not on the word whose probability is looked up
        along it, just as a state space model's h_t depends only on its noise. A trajectory continues after a
        drawn END, with END as its input, so that h_t exists for the positions of longer words.
        """
        return torch.stack([log_probs for log_probs, _ in self._run(n, length, argmax=False)])

    @torch.no_grad()
    def sample(self, n: int, length: int, argmax: bool = False) -> Tensor:
        """n words emitted letter by letter: codes (n, length); ignore codes after an END.

        Letters are drawn and fed back. With `argmax` they are the most probable ones and all words are equal.
        """
        return torch.stack([letters for _, letters in self._run(n, length, argmax)], 1)

    def _run(self, n: int, length: int, argmax: bool) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield log P(. | h_t) (n, 27) and the letters (n,) that are fed back, step by step."""
        letters = self.output.weight.new_full((n,), END, dtype=torch.long)
        state = None
        for _ in range(length):
            output, state = self.gru(self.embedding(letters)[None], state)
            log_probs = torch.log_softmax(self.output(output[0]), -1)
            letters = log_probs.argmax(1) if argmax else torch.multinomial(log_probs.exp(), 1).squeeze(1)
            yield log_probs, letters
