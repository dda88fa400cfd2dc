"""Letter n-grams of the training words, for comparison with the models of Table 1; not in the paper."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from textlvm.words.kneser_ney import BASE, START, estimate
from textlvm.words.letters import PackedWords

__all__ = ["LetterNgram"]


class LetterNgram(nn.Module):
    """P(w_t | the previous order - 1 symbols) with Kneser-Ney smoothing: exact, counted and not trained.

    `counts` are the training counts; words with count 0 are ignored. Raises the errors of
    `kneser_ney.estimate`.
    """

    def __init__(self, words: Sequence[str], counts: ArrayLike, order: int) -> None:
        super().__init__()
        self.order = order
        counts = np.asarray(counts)
        occurs = np.flatnonzero(counts)
        model = estimate([words[i] for i in occurs], order, counts[occurs])
        for n, probs in enumerate(model.conditionals(), 1):
            self.register_buffer(f"probs{n}", torch.from_numpy(probs))

    def log_probs(self, batch: PackedWords) -> Tensor:
        """log P(w_t | w_{<t}) in nats for every position of a batch: packed (N,)."""
        context = batch.letters.new_full((batch.packing.batch,), START)
        probs = []
        for t, rows in enumerate(batch.packing.steps()):
            letters = batch.letters[rows]
            context = context[: len(letters)]
            probs.append(self._next(context, t).gather(1, letters[:, None]).squeeze(1))
            context = self._carry(context, letters)
        return torch.cat(probs).log()

    @torch.no_grad()
    def sample(self, n: int, length: int, argmax: bool = False) -> Tensor:
        """n words letter by letter: codes (n, length); ignore codes after an END.

        Letters are drawn. With `argmax` they are the most probable ones, and all words are equal.
        """
        context = torch.full((n,), START, device=self.probs1.device)
        drawn = []
        for t in range(length):
            probs = self._next(context, t)
            letters = probs.argmax(1) if argmax else torch.multinomial(probs, 1).squeeze(1)
            context = self._carry(context, letters)
            drawn.append(letters)
        return torch.stack(drawn, 1)

    def _next(self, context: Tensor, t: int) -> Tensor:
        """Probabilities (B, 28) of the symbol at position t = 0, 1, ...; the first contexts are shorter."""
        n = min(self.order, t + 2)
        return self.get_buffer(f"probs{n}")[context % BASE ** (n - 1)]

    def _carry(self, context: Tensor, letters: Tensor) -> Tensor:
        """The context of the next position, as digits of a number to base 28."""
        return (context * BASE + letters) % BASE ** (self.order - 1)
