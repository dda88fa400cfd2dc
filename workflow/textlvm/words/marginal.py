r"""log P^(w) of every word from trajectories shared by all words (Eq. 12).

Trajectories are those of a state space model, or of a GRU with its drawn letters as input: Eq. (12) is for
"all models which operate by first stochastically generating a sequence of hidden states" (Sec. 4.1).

Given a trajectory h, a word's probability is a product of letter probabilities from a table. All words are
cut at the same position s. Words with the same prefix share the product up to s, words of the same length
with the same suffix share the product after s, and

    sum_k P(w|h^k) = sum_k P(w_1..w_s|h^k) P(w_s+1..w_T|h^k)

is one entry of a product of two matrices, of which only the entries of words are computed. A hundred thousand
words have about ten thousand prefixes and as many suffixes. Memory does not grow with K.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from textlvm.words.fused.build import library
from textlvm.words.fused.marginal import CompiledProduct, Levels
from textlvm.words.letters import ALPHABET_SIZE, Lexicon

__all__ = ["CHUNK", "FreeRunning", "Trie", "WordSums", "log_sums"]

CHUNK = 1024
"""Maximum number of trajectories drawn together."""

SLICE = 128
"""Number of trajectories that PyTorch multiplies at once, in reused arrays."""

SYMBOLS = ALPHABET_SIZE + 1
"""The alphabet and a symbol of probability 1 for the positions after the end of a word."""

LEAST = 1e-30
"""Smaller sums are computed again from logarithms. In larger ones, the terms of a chunk that underflow sum to
less than a millionth."""


class FreeRunning(Protocol):
    """A model that generates hidden states without a given word."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """As in `nn.Module`."""
        ...

    def free_running(self, n: int, length: int) -> Tensor:
        """log P(. | h_t) in nats along n independent trajectories: (length, n, 27)."""
        ...


@dataclass(frozen=True)
class Trie:
    """A trie of rows of symbols (V, S), level by level: equal prefixes share a node."""

    levels: Levels
    leaf: Tensor
    """(V,) the index of each row among the nodes of the last level, the distinct rows."""

    @classmethod
    def of(cls, rows: Tensor) -> "Trie":
        """The trie of rows of symbols."""
        levels, leaf = [], torch.zeros(len(rows), dtype=torch.long)
        for keys, nodes in _distinct_prefixes(rows):
            levels.append((keys // SYMBOLS, keys % SYMBOLS))
            leaf = nodes
        return cls(tuple(levels), leaf)

    def __len__(self) -> int:
        return len(self.levels[-1][0]) if self.levels else 1


class WordSums:
    """Sums of word probabilities over trajectories, for all words of a lexicon at once."""

    def __init__(self, lexicon: Lexicon, device: torch.device, compiled: bool | None = None) -> None:
        """`compiled` selects compiled or PyTorch sums; None selects compiled ones if available."""
        horizon = lexicon.codes.shape[1]
        within = torch.arange(horizon) < lexicon.lengths[:, None]
        symbols = torch.where(within, lexicon.codes, ALPHABET_SIZE)
        self.symbols = symbols.to(device)
        self.cut = _best_cut(symbols)
        self.prefixes = Trie.of(symbols[:, : self.cut])
        # Suffixes are reversed, so that equal ones are computed once.
        self.suffixes = Trie.of(symbols[:, self.cut :].flip(1))
        row, column = self.prefixes.leaf, self.suffixes.leaf
        order = torch.argsort(row * len(self.suffixes) + column)
        counts = torch.bincount(row, minlength=len(self.prefixes))
        starts = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        self.place = torch.argsort(order).to(device)
        """(V,) the index of each word among the entries."""
        if compiled is None:
            compiled = device.type == "cpu" and library() is not None
        entries = (starts, column[order])
        self.product = (
            CompiledProduct(self.prefixes.levels, self.suffixes.levels, *entries)
            if compiled
            else TorchProduct(self.prefixes, self.suffixes, *entries, device)
        )

    def __call__(self, letter_log_probs: Tensor) -> Tensor:
        """log sum_k P(w|h^k) in nats, (V,) float64, from log P(letter|h_t) (T, 27, C)."""
        horizon, _, size = letter_log_probs.shape
        tables = letter_log_probs.new_ones(horizon, SYMBOLS, size, dtype=torch.float32)
        torch.exp(letter_log_probs, out=tables[:, :ALPHABET_SIZE])
        sums = self.product(tables[: self.cut], tables[self.cut :].flip(0))[self.place]
        result = sums.log()
        lost = (sums < LEAST).nonzero().squeeze(1)
        if len(lost):
            # In slices, since these may be all words of a model that has diverged.
            for words in lost.split(4096):
                result[words] = self._by_logarithms(letter_log_probs, words)
        return result

    def _by_logarithms(self, letter_log_probs: Tensor, words: Tensor) -> Tensor:
        """The same for the given words only, from logarithms."""
        behind = letter_log_probs.new_zeros(letter_log_probs.shape[0], 1, letter_log_probs.shape[2])
        tables = torch.cat([letter_log_probs, behind], 1)
        symbols = self.symbols[words]
        total = sum(table.index_select(0, symbol) for table, symbol in zip(tables, symbols.T, strict=True))
        return total.logsumexp(1).double()


def _distinct_prefixes(rows: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """For each column of rows (V, S): keys of the distinct prefixes up to it, and each row's index in them.

    A key is the index of the prefix without its last symbol, times SYMBOLS, plus that symbol.
    """
    node = torch.zeros(len(rows), dtype=torch.long)
    for symbols in rows.T:
        keys, node = torch.unique(node * SYMBOLS + symbols, return_inverse=True)
        yield keys, node


def _best_cut(symbols: Tensor) -> int:
    """The position at which to split words (V, T) for the smallest number of products."""
    horizon = symbols.shape[1]
    prefixes = [len(keys) for keys, _ in _distinct_prefixes(symbols)]
    suffixes = [len(keys) for keys, _ in _distinct_prefixes(symbols.flip(1))]
    return min(range(horizon + 1), key=lambda s: sum(prefixes[:s]) + sum(suffixes[: horizon - s]))


class TorchProduct:
    """Entries of the product of two tries' matrices, by PyTorch on any device."""

    def __init__(
        self, left: Trie, right: Trie, starts: Tensor, columns: Tensor, device: torch.device
    ) -> None:
        """The entries of row i are in the columns `columns[starts[i]:starts[i + 1]]`."""
        self.factors = [_Products(trie.levels, device) for trie in (left, right)]
        with warnings.catch_warnings():
            # Warnings that the support is in beta and, in some versions, that invariants are not checked.
            warnings.filterwarnings("ignore", "Sparse (CSR tensor support|invariant checks)", UserWarning)
            self.pattern = torch.sparse_csr_tensor(
                starts,
                columns,
                torch.zeros(len(columns)),
                (len(left), len(right)),
                device=device,
                check_invariants=True,
            )

    def __call__(self, *tables: Tensor) -> Tensor:
        """The entries summed over k, (V,) float64, from the values of both tries' symbols (S, symbols, C)."""
        total = self.pattern.values().double()
        for pieces in zip(*(table.split(SLICE, -1) for table in tables), strict=True):
            left, right = (factor(piece) for factor, piece in zip(self.factors, pieces, strict=True))
            total += torch.sparse.sampled_addmm(self.pattern, left, right.T, beta=0.0).values()
        return total


class _Products:
    """The products of the symbols' values for every distinct row."""

    def __init__(self, levels: Levels, device: torch.device) -> None:
        self.levels = [(parents.to(device), symbols.to(device)) for parents, symbols in levels]
        # Reused by every call: allocating this much memory takes longer than the products.
        self.space = [torch.empty(2, len(parents), SLICE, device=device) for parents, _ in self.levels]

    def __call__(self, tables: Tensor) -> Tensor:
        """From values (S, symbols, C <= SLICE): (rows, SLICE), 0 beyond C, valid until the next call."""
        tables = nn.functional.pad(tables, (0, SLICE - tables.shape[-1]))
        result = tables.new_ones(1, SLICE)
        for (parents, symbols), table, (values, factors) in zip(self.levels, tables, self.space, strict=True):
            torch.index_select(result, 0, parents, out=values)
            torch.index_select(table, 0, symbols, out=factors)
            result = values.mul_(factors)
        return result


def log_sums(
    model: FreeRunning, lexicon: Lexicon, trajectories: int, chunk: int = CHUNK
) -> Iterator[tuple[int, Tensor]]:
    """Yield (C, log sum_k P(w|h^k)) for each chunk of new trajectories, with the sums (V,) in float64.

    The last chunk is smaller when `chunk` does not divide `trajectories`. Chunks are independent, so
    log P^(w) after any number of them is their log-sum-exp minus the log of the trajectories so far.
    """
    device = next(model.parameters()).device
    horizon = lexicon.codes.shape[1]
    sums = WordSums(lexicon, device)
    for start in range(0, trajectories, chunk):
        size = min(chunk, trajectories - start)
        yield size, sums(model.free_running(size, horizon).transpose(1, 2).contiguous()).cpu()
