"""Random draws of the splits of a data set from the splits of a corpus."""

import hashlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from textlvm.runtime.errors import UserError
from textlvm.sentences.data.dataset import SplitRule

__all__ = ["draw"]

Rows = NDArray[np.int64]


def draw(sizes: Mapping[str, int], splits: Mapping[str, SplitRule], name: str, seed: int) -> dict[str, Rows]:
    """Rows of each split of a data set, in the order of the corpus; `sizes` are those of the corpus's splits.

    Draws from the same split are disjoint, and depend only on the data set's name, the seed and the size.
    Raises `UserError` for draws of more sentences than available, and for an empty split.
    """
    rows = {}
    left: dict[str, Rows] = {}
    for split, rule in splits.items():
        size = sizes[rule.of]
        order = left[rule.of] if rule.of in left else _order(size, f"{name}/{rule.of}", seed)
        rows[split], left[rule.of] = np.sort(order[: rule.draw]), order[rule.draw :]
        if not size:
            raise UserError(f"data set '{name}': the corpus has no sentences in its split {rule.of}")
        if rule.draw is not None and len(rows[split]) < rule.draw:
            wanted = sum(other.draw or 0 for other in splits.values() if other.of == rule.of)
            raise UserError(
                f"data set '{name}': its splits draw {wanted:,} from the corpus's {rule.of}, which has "
                f"{size:,}; lower `draw`"
            )
    return rows


def _order(size: int, name: str, seed: int) -> Rows:
    digest = hashlib.sha256(f"draw/{name}/{seed}".encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype="<u4")).permutation(size)
