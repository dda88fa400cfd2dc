"""Cross entropies H[P, P^] = -sum_w P(w) log P^(w) between word frequencies and a model, in nats per word."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textlvm.words.baseline import GRUBaseline
from textlvm.words.extrapolation import extrapolate
from textlvm.words.hmm import HiddenMarkov
from textlvm.words.letter_ngram import LetterNgram
from textlvm.words.letters import Lexicon, pack
from textlvm.words.marginal import CHUNK, FreeRunning, log_sums

__all__ = ["Marginals", "cross_entropy", "exact_log_probs", "frequencies", "monte_carlo_marginals"]

GROUPS = 64
"""Maximum number of independent groups of trajectories for the bootstrap."""

MIN_GROUP = 128
"""Minimum number of trajectories in a group: smaller groups would take as many PyTorch calls each."""

Floats = NDArray[np.float64]


def frequencies(counts: NDArray[np.int64]) -> Floats:
    """Counts as relative frequencies."""
    return counts / counts.sum()


def cross_entropy(frequency: Floats, log_probs: Floats) -> float:
    """-sum_w P(w) log P^(w) in nats per word; infinite if the model excludes a word that occurs."""
    occurs = frequency > 0
    return float(-(frequency[occurs] @ log_probs[occurs]))


@torch.no_grad()
def exact_log_probs(
    model: GRUBaseline | HiddenMarkov | LetterNgram, lexicon: Lexicon, batch: int = 8192
) -> Floats:
    """log P(w) of every word under a model with an exact likelihood, in nats: (V,)."""
    device = next(iter(model.state_dict().values())).device
    result = torch.empty(len(lexicon), dtype=torch.float64)
    for index in torch.arange(len(lexicon)).split(batch):
        packed = pack(lexicon, index).to(device)
        result[index] = packed.packing.restore(packed.packing.sums(model.log_probs(packed))).double().cpu()
    return result.numpy()


@dataclass(frozen=True)
class Marginals:
    """Monte Carlo estimates of log P^(w), with the data for estimating their uncertainty and bias."""

    groups: Floats
    """(V, G) log sum_k P(w|h^k) over each group of trajectories, in nats."""
    sizes: NDArray[np.int64]
    """(G,) trajectories in each group."""
    over_k: tuple[tuple[int, tuple[float, ...]], ...]
    """(K, cross entropies with the first K trajectories) for K doubling up to all of them."""

    def log_probs(self) -> Floats:
        """log P^(w) with all trajectories (Eq. 12): (V,)."""
        return np.logaddexp.reduce(self.groups, axis=1) - math.log(self.sizes.sum())

    def corrected(self, frequency: Floats) -> tuple[float, float] | None:
        """The cross entropy extrapolated to infinite K, and its standard error; see `extrapolation`.

        None if there are too few trajectories.
        """
        size = int(self.sizes[0])
        equal = self.sizes == size
        return extrapolate(self.groups[:, equal], size, frequency)

    def standard_error(self, frequency: Floats, resamples: int, rng: np.random.Generator) -> float:
        """Bootstrap standard error of the cross entropy, resampling groups of trajectories.

        All words share the trajectories, so the errors of their probabilities are dependent; resampling
        groups preserves this dependence.
        """
        occurs = np.flatnonzero(frequency)
        draws = rng.multinomial(
            len(self.sizes), np.full(len(self.sizes), 1 / len(self.sizes)), size=resamples
        )
        estimates = np.zeros(resamples)
        for rows in np.array_split(occurs, max(1, len(occurs) // 4096)):
            top = self.groups[rows].max(axis=1, keepdims=True)
            # A word with probability in only one group must not become impossible in resamples without it.
            sums = np.exp(self.groups[rows] - top) @ draws.T + np.finfo(float).tiny
            log_probs = np.log(sums) + top - np.log(draws @ self.sizes)
            estimates -= frequency[rows] @ log_probs
        return float(estimates.std(ddof=1))


def monte_carlo_marginals(
    model: FreeRunning, lexicon: Lexicon, trajectories: int, references: tuple[Floats, ...]
) -> Marginals:
    """Estimate log P^(w) of every word from K = `trajectories` that all words share.

    `references` are word frequencies (V,), whose cross entropies are recorded as K doubles: the log of
    an average is biased, so they fall as K grows.
    """
    unit = CHUNK if trajectories > CHUNK * GROUPS else MIN_GROUP
    per_group = unit * math.ceil(trajectories / (unit * GROUPS))
    chunk = min(CHUNK, per_group)
    total = torch.full((len(lexicon),), -torch.inf, dtype=torch.float64)
    groups: list[Tensor] = []
    sizes: list[int] = []
    over_k = []
    used, mark = 0, chunk
    for size, sums in log_sums(model, lexicon, trajectories, chunk):
        # The remainder joins the last group: a much smaller group would distort the bootstrap.
        if not sizes or (sizes[-1] + size > per_group and trajectories - used >= per_group):
            groups.append(torch.full_like(total, -torch.inf))
            sizes.append(0)
        # PyTorch's logaddexp is vectorised; NumPy's would take as long as the sums themselves.
        groups[-1] = torch.logaddexp(groups[-1], sums)
        sizes[-1] += size
        total = torch.logaddexp(total, sums)
        used += size
        if used >= mark or used == trajectories:
            log_probs = (total - math.log(used)).numpy()
            over_k.append((used, tuple(cross_entropy(reference, log_probs) for reference in references)))
            mark = 2 * used
    return Marginals(torch.stack(groups, 1).numpy(), np.array(sizes), tuple(over_k))
