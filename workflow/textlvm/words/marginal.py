r"""log P^(w) of every word from trajectories that all words share (Eq. 12), by a trie of prefixes.

Given a trajectory h a word's probability is a product of looked-up letter probabilities, so words that
begin alike share the beginning of that product. The trie is walked level by level for a block of words
and a chunk of trajectories small enough to stay in the cache, and the mean over trajectories is a
running log-sum-exp: memory does not grow with K.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from textlvm.words.letters import Lexicon
from textlvm.words.model import StateSpaceModel

__all__ = ["CHUNK", "Trie", "log_sums", "tries"]

CHUNK = 128
"""Trajectories evaluated together."""

BLOCK = 2048
"""Words a trie holds."""


@dataclass(frozen=True)
class Trie:
    """The prefixes of a block of words, level by level, in lexicographic order."""

    words: Tensor
    """(n,) positions in the lexicon of the words in this block."""
    parents: tuple[Tensor, ...]
    """For each level the index of every node's parent in the level above."""
    letters: tuple[Tensor, ...]
    """For each level every node's letter; END is a letter like any other, and a leaf."""
    leaves: tuple[Tensor, ...]
    """For each level the nodes that end a word."""
    ended: tuple[Tensor, ...]
    """For each level the words, as indices into `words`, that those nodes end."""

    def log_probs(self, letter_log_probs: Tensor) -> Tensor:
        """log P(w|h) in nats from log P(letter|h_t) as (T, 27, C): (n, C)."""
        chunk = letter_log_probs.shape[-1]
        result = letter_log_probs.new_empty(len(self.words), chunk)
        values = letter_log_probs.new_zeros(1, chunk)
        for table, parent, letter, leaf, ended in zip(
            letter_log_probs, self.parents, self.letters, self.leaves, self.ended, strict=False
        ):
            values = values.index_select(0, parent).add_(table.index_select(0, letter))
            result.index_copy_(0, ended, values.index_select(0, leaf))
        return result


def tries(lexicon: Lexicon, device: torch.device, block: int = BLOCK) -> list[Trie]:
    """Split a lexicon into tries of at most `block` words that are neighbours in the dictionary."""
    horizon = lexicon.codes.shape[1]
    order = torch.arange(len(lexicon))
    for position in reversed(range(horizon)):
        order = order[torch.sort(lexicon.codes[order, position], stable=True).indices]
    return [_trie(lexicon, words, device) for words in order.split(block)]


def _trie(lexicon: Lexicon, words: Tensor, device: torch.device) -> Trie:
    codes, lengths = lexicon.codes[words], lexicon.lengths[words]
    node = torch.zeros(len(words), dtype=torch.long)
    alive = torch.ones(len(words), dtype=torch.bool)
    parents, letters, leaves, ended = [], [], [], []
    for position in range(int(lengths.max())):
        alive &= lengths > position
        index = alive.nonzero().squeeze(1)
        letter = codes[index, position]
        keys, inverse = torch.unique(node[index] * 32 + letter, sorted=True, return_inverse=True)
        node[index] = inverse
        last = index[lengths[index] == position + 1]
        parents.append((keys // 32).to(device))
        letters.append((keys % 32).to(device))
        leaves.append(node[last].to(device))
        ended.append(last.to(device))
    return Trie(words.to(device), tuple(parents), tuple(letters), tuple(leaves), tuple(ended))


def log_sums(
    model: StateSpaceModel, lexicon: Lexicon, trajectories: int, chunk: int = CHUNK
) -> Iterator[tuple[int, Tensor]]:
    """Yield, chunk after chunk of fresh trajectories, (C, log sum_k P(w|h^k)) with the sums (V,) in float64.

    The last chunk is smaller when `chunk` does not divide `trajectories`. Chunks are independent, so
    log P^(w) after any number of them is their log-sum-exp minus the log of the trajectories so far.
    """
    device = next(model.parameters()).device
    horizon = lexicon.codes.shape[1]
    blocks = tries(lexicon, device)
    sums = torch.empty(len(lexicon), dtype=torch.float64, device=device)
    for start in range(0, trajectories, chunk):
        size = min(chunk, trajectories - start)
        log_probs = model.letter_log_probs(model.trajectories(size, horizon)).transpose(1, 2).contiguous()
        for trie in blocks:
            sums[trie.words] = trie.log_probs(log_probs).logsumexp(1).double()
        yield size, sums.cpu()
