"""Generated words and the set-based metrics on them (Sec. 5.1)."""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Protocol

import torch
from torch import Tensor

from textlvm.estimate import Estimate, normal, wilson
from textlvm.words.letters import END, decode

__all__ = ["LONGEST", "distinct_share", "generate", "share_in"]

LONGEST = 30
"""Maximum number of letters: a longer generated word is unfinished."""


class GenerativeModel(Protocol):
    """A model of words."""

    def sample(self, n: int, length: int, argmax: bool = False) -> Tensor:
        """n words emitted letter by letter, drawn or the most probable letters: codes (n, length)."""
        ...


@torch.no_grad()
def generate(model: GenerativeModel, n: int, batch: int = 2000, argmax: bool = False) -> list[str | None]:
    """n words of a model; None for a word that has not ended after `LONGEST` letters.

    For `argmax` see the models' `sample`.
    """
    codes: list[Tensor] = []
    for start in range(0, n, batch):
        codes.append(model.sample(min(batch, n - start), LONGEST + 1, argmax).cpu())
    rows = torch.cat(codes)
    finished = (rows == END).any(1).tolist()
    return [decode(row) if ended else None for row, ended in zip(rows.tolist(), finished, strict=True)]


def distinct_share(words: Sequence[str | None], within: Collection[str] | None = None) -> Estimate:
    """Distinct words over all n samples; with `within`, distinct words of that vocabulary over all n samples.

    The latter is our reading of the paper's `w unique`. With 62% of the samples in V, 38% are words
    invented by the model, which hardly ever repeat, so a share of 0.11 cannot include them. The caption
    of Table 1 agrees: "the set-based measures are wrt. the training set". For ORACLE the two readings
    agree.

    Unfinished words are distinct from all others. The interval is the jackknife's: omitting a sample
    changes the number of distinct words only if it occurs once, so with f of them the variance of that
    number is f (1 - f/n) (n - 1)/n.
    """
    n = len(words)
    if within is None:
        unfinished = sum(word is None for word in words)
        counts = Counter(word for word in words if word is not None)
    else:
        unfinished = 0
        counts = Counter(word for word in words if word is not None and word in within)
    once = unfinished + sum(count == 1 for count in counts.values())
    variance = once * (1 - once / n) * (n - 1) / n
    return normal((len(counts) + unfinished) / n, math.sqrt(variance) / n, "share")


def share_in(words: Sequence[str | None], vocabulary: Collection[str]) -> Estimate:
    """`w in V`: the share of samples that are words of the (training) vocabulary."""
    return wilson(sum(word in vocabulary for word in words), len(words))
