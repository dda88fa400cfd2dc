"""Generated words and the set-based metrics on them (Sec. 5.1)."""

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
import torch
from torch import Tensor

from textlvm.estimate import Estimate, normal, wilson
from textlvm.words.baseline import GRUBaseline
from textlvm.words.letters import END, decode
from textlvm.words.model import StateSpaceModel

__all__ = ["LONGEST", "distinct_share", "generate", "share_in"]

LONGEST = 30
"""Letters after which a generated word that has not ended is dropped as unfinished."""


@torch.no_grad()
def generate(model: StateSpaceModel | GRUBaseline, n: int, batch: int = 2000) -> list[str | None]:
    """n words drawn from a model; None stands for one that had not ended after `LONGEST` letters."""
    codes: list[Tensor] = []
    for start in range(0, n, batch):
        codes.append(model.sample(min(batch, n - start), LONGEST + 1).cpu())
    rows = torch.cat(codes)
    finished = (rows == END).any(1).tolist()
    return [decode(row) if ended else None for row, ended in zip(rows.tolist(), finished, strict=True)]


def distinct_share(words: Sequence[str | None]) -> Estimate:
    """`w unique`: distinct words over all samples. Unfinished words are distinct from every other.

    The interval is the jackknife's: leaving a sample out changes the number of distinct words only if
    it occurs once, so with f of them the variance of that number is f (1 - f/n) (n - 1)/n.
    """
    n = len(words)
    unfinished = sum(word is None for word in words)
    counts = Counter(word for word in words if word is not None)
    once = unfinished + sum(count == 1 for count in counts.values())
    variance = once * (1 - once / n) * (n - 1) / n
    return normal((len(counts) + unfinished) / n, float(np.sqrt(variance)) / n, "share")


def share_in(words: Sequence[str | None], vocabulary: Collection[str]) -> Estimate:
    """`w in V`: the share of samples that are words of the (training) vocabulary."""
    known = vocabulary if isinstance(vocabulary, (set, frozenset)) else set(vocabulary)
    return wilson(sum(word in known for word in words), len(words))
