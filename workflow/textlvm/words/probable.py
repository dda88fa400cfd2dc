"""The most probable words of a model, by a best-first search over their prefixes."""

import heapq
import itertools
import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from textlvm.words.letters import ALPHABET_SIZE, END, Lexicon, decode, pack
from textlvm.words.model import StateSpaceModel
from textlvm.words.samples import LONGEST
from textlvm.words.trained import Model

__all__ = ["by_probability", "extensions"]

Extend = Callable[[tuple[int, ...]], Tensor]
"""log P(prefix + symbol) in nats for the 27 symbols that may follow a prefix: (27,)."""


def by_probability(extend: Extend) -> Iterator[str]:
    """All words of at most `LONGEST` letters, the most probable first.

    The probability of a prefix is the sum over all words that start with it, so no word found later is
    more probable than the word at the top of the queue. The n-th word takes at most LONGEST / P(n-th word)
    calls.
    """
    order = itertools.count()
    queue: list[tuple[float, int, tuple[int, ...]]] = [(0.0, next(order), ())]
    while queue:
        _, _, prefix = heapq.heappop(queue)
        if prefix and prefix[-1] == END:
            yield decode(prefix)
        elif len(prefix) <= LONGEST:
            for symbol, log_prob in enumerate(extend(prefix).tolist()):
                if log_prob > -math.inf:
                    heapq.heappush(queue, (-log_prob, next(order), (*prefix, symbol)))


@torch.no_grad()
def extensions(model: Model, trajectories: int) -> Extend:
    """A model's `Extend`: exact if its likelihood is, else by Eq. (12) with the given trajectories."""
    if not isinstance(model, StateSpaceModel):

        @torch.no_grad()
        def exact(prefix: tuple[int, ...]) -> Tensor:
            symbols = torch.arange(ALPHABET_SIZE)
            codes = torch.tensor([prefix] * ALPHABET_SIZE, dtype=torch.long).view(ALPHABET_SIZE, -1)
            codes = torch.cat([codes, symbols[:, None]], 1)
            batch = pack(Lexicon(codes, torch.full_like(symbols, codes.shape[1])), symbols)
            return batch.packing.sums(model.log_probs(batch))

        return exact

    log_probs = model.free_running(trajectories, LONGEST + 1).transpose(1, 2).contiguous()

    def average(prefix: tuple[int, ...]) -> Tensor:
        along = sum((log_probs[t, symbol] for t, symbol in enumerate(prefix)), log_probs.new_zeros(()))
        return (along + log_probs[len(prefix)]).logsumexp(1) - math.log(trajectories)

    return average
