r"""log P^(w) of every word from trajectories that all words share (Eq. 12).

Given a trajectory h a word's probability is a product of looked-up letter probabilities. Every word is cut at
the same position s: words that begin alike share the product up to s, those that end alike and are equally
long that from s on, and

    sum_k P(w|h^k) = sum_k P(w_1..w_s|h^k) P(w_s+1..w_T|h^k)

is one entry of a product of two matrices, of which only the entries that are words are computed. Of a hundred
thousand words there are some ten thousand beginnings and as many ends. Memory does not grow with K.
"""

import warnings
from collections.abc import Iterator

import torch
from torch import Tensor

from textlvm.words.letters import ALPHABET_SIZE, Lexicon
from textlvm.words.model import StateSpaceModel

__all__ = ["CHUNK", "SharedParts", "WordSums", "log_sums"]

CHUNK = 128
"""Trajectories evaluated together."""

SYMBOLS = ALPHABET_SIZE + 1
"""With one more, of probability 1, for all positions behind a word's end."""

LEAST = 1e-30
"""Smaller sums are done again by logarithms. What is too small for a float is below 1e-37, and a larger sum
misses it in no digit."""


class SharedParts:
    """The distinct rows of symbols (V, S), built symbol by symbol so that equal beginnings are built once."""

    def __init__(self, rows: Tensor, chunk: int, device: torch.device) -> None:
        self.part_of = torch.zeros(len(rows), dtype=torch.long)
        """(V,) the distinct row that each row is."""
        self.levels: list[tuple[Tensor, Tensor]] = []
        """Symbol by symbol, of every distinct beginning up to there the one without it, and the symbol."""
        for keys, self.part_of in _distinct_beginnings(rows):
            self.levels.append(((keys // SYMBOLS).to(device), (keys % SYMBOLS).to(device)))
        # Written anew by every call: to allocate so much each time takes longer than the products.
        self._space = [torch.empty(2, len(parents), chunk, device=device) for parents, _ in self.levels]

    def __len__(self) -> int:
        return len(self.levels[-1][0]) if self.levels else 1

    def products(self, tables: Tensor) -> Tensor:
        """The product of every distinct row's values, from values (S, symbols, C): (len, C).

        The next call overwrites it.
        """
        result = tables.new_ones(1, tables.shape[-1])
        for (parents, symbols), table, (values, factors) in zip(
            self.levels, tables, self._space, strict=True
        ):
            torch.index_select(result, 0, parents, out=values)
            torch.index_select(table, 0, symbols, out=factors)
            result = values.mul_(factors)
        return result


class WordSums:
    """Sums of word probabilities over trajectories, for all words of a lexicon at once."""

    def __init__(self, lexicon: Lexicon, chunk: int, device: torch.device) -> None:
        self.chunk = chunk
        horizon = lexicon.codes.shape[1]
        within = torch.arange(horizon) < lexicon.lengths[:, None]
        symbols = torch.where(within, lexicon.codes, ALPHABET_SIZE)
        self.symbols = symbols.to(device)
        self.cut = _best_cut(symbols)
        self.beginnings = SharedParts(symbols[:, : self.cut], chunk, device)
        # Ends are built backwards, so that equal ends are built once.
        self.ends = SharedParts(symbols[:, self.cut :].flip(1), chunk, device)
        row, column = self.beginnings.part_of, self.ends.part_of
        order = torch.argsort(row * len(self.ends) + column)
        starts = torch.bincount(row, minlength=len(self.beginnings)).cumsum(0)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta", UserWarning)
            self.pattern = torch.sparse_csr_tensor(
                torch.cat([starts.new_zeros(1), starts]),
                column[order],
                torch.zeros(len(order)),
                (len(self.beginnings), len(self.ends)),
                device=device,
                check_invariants=True,
            )
        self.place = torch.argsort(order).to(device)
        """(V,) where each word is among the entries."""

    def __call__(self, letter_log_probs: Tensor) -> Tensor:
        """log sum_k P(w|h^k) in nats, (V,) float64, from log P(letter|h_t) (T, 27, C), C at most `chunk`."""
        horizon, _, size = letter_log_probs.shape
        # Trajectories that are missing from the last chunk have probability 0.
        tables = letter_log_probs.new_zeros(horizon, SYMBOLS, self.chunk, dtype=torch.float32)
        tables[:, :ALPHABET_SIZE, :size] = letter_log_probs.exp()
        tables[:, ALPHABET_SIZE, :size] = 1
        beginnings = self.beginnings.products(tables[: self.cut])
        ends = self.ends.products(tables[self.cut :].flip(0))
        entries = torch.sparse.sampled_addmm(self.pattern, beginnings, ends.T, beta=0.0).values()
        sums = entries[self.place]
        result = sums.double().log()
        lost = (sums < LEAST).nonzero().squeeze(1)
        if len(lost):
            result[lost] = self._by_logarithms(letter_log_probs, lost)
        return result

    def _by_logarithms(self, letter_log_probs: Tensor, words: Tensor) -> Tensor:
        """The same of the given words alone, whatever is how small."""
        behind = letter_log_probs.new_zeros(letter_log_probs.shape[0], 1, letter_log_probs.shape[2])
        tables = torch.cat([letter_log_probs, behind], 1)
        symbols = self.symbols[words]
        total = sum(table.index_select(0, symbol) for table, symbol in zip(tables, symbols.T, strict=True))
        return total.logsumexp(1).double()


def _distinct_beginnings(rows: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Column by column of rows (V, S): the distinct beginnings up to there, and which of them each row has.

    A beginning is its number in the column before, times SYMBOLS, plus its last symbol.
    """
    node = torch.zeros(len(rows), dtype=torch.long)
    for symbols in rows.T:
        keys, node = torch.unique(node * SYMBOLS + symbols, return_inverse=True)
        yield keys, node


def _best_cut(symbols: Tensor) -> int:
    """The position at which to cut words (V, T) for the fewest products."""
    horizon = symbols.shape[1]
    beginnings = [len(keys) for keys, _ in _distinct_beginnings(symbols)]
    ends = [len(keys) for keys, _ in _distinct_beginnings(symbols.flip(1))]
    return min(range(horizon + 1), key=lambda s: sum(beginnings[:s]) + sum(ends[: horizon - s]))


def log_sums(
    model: StateSpaceModel, lexicon: Lexicon, trajectories: int, chunk: int = CHUNK
) -> Iterator[tuple[int, Tensor]]:
    """Yield, chunk after chunk of fresh trajectories, (C, log sum_k P(w|h^k)) with the sums (V,) in float64.

    The last chunk is smaller when `chunk` does not divide `trajectories`. Chunks are independent, so
    log P^(w) after any number of them is their log-sum-exp minus the log of the trajectories so far.
    """
    device = next(model.parameters()).device
    horizon = lexicon.codes.shape[1]
    sums = WordSums(lexicon, chunk, device)
    for start in range(0, trajectories, chunk):
        size = min(chunk, trajectories - start)
        log_probs = model.letter_log_probs(model.trajectories(size, horizon)).transpose(1, 2).contiguous()
        yield size, sums(log_probs).cpu()
