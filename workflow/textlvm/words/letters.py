"""Words as sequences over 26 letters and an end-of-word symbol, packed without padding."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from textlvm.runtime.errors import UserError

__all__ = ["ALPHABET_SIZE", "END", "Lexicon", "PackedWords", "decode", "encode", "pack"]

END = 0
"""Code of the end-of-word symbol; letters a..z are 1..26. It is also the first input of the GRU baseline."""

ALPHABET_SIZE = 27


@dataclass(frozen=True)
class Lexicon:
    """A list of words as codes."""

    codes: Tensor
    """(V, T) int64, each word's letters, padded with END to the length of the longest word plus one."""
    lengths: Tensor
    """(V,) int64, number of letters plus one for the end-of-word symbol."""

    def __len__(self) -> int:
        return len(self.lengths)


def encode(words: Sequence[str]) -> Lexicon:
    """Encode words of the letters a..z; the empty word is only END.

    Raises `UserError` for any other character.
    """
    lengths = np.fromiter((len(word) for word in words), dtype=np.int64, count=len(words)) + 1
    codes = np.zeros((len(words), int(lengths.max(initial=1))), dtype=np.int64)
    text = np.frombuffer("".join(words).encode("ascii", "replace"), dtype=np.uint8)
    letters = text.astype(np.int64) - (ord("a") - 1)
    if letters.size and (letters.min() < 1 or letters.max() >= ALPHABET_SIZE):
        other = next(word for word in words if not re.fullmatch("[a-z]*", word))
        raise UserError(f"'{other}' contains other characters than the letters a to z: correct or remove it")
    codes[np.arange(codes.shape[1]) < (lengths - 1)[:, None]] = letters
    return Lexicon(torch.from_numpy(codes), torch.from_numpy(lengths))


def decode(codes: Sequence[int]) -> str:
    """The word spelt by codes, up to the first END.

    >>> decode([20, 15, 0, 5])
    'to'
    """
    letters = []
    for code in codes:
        if code == END:
            break
        letters.append(chr(ord("a") - 1 + int(code)))
    return "".join(letters)


@dataclass(frozen=True)
class PackedWords:
    """A batch of B words without padding: position-major, the longest words first.

    The first `batch_sizes[0]` = B entries of a packed array belong to t = 1 of every word, the next
    `batch_sizes[1]` to t = 2 of those words that have a second symbol, and so on, so a step of a
    recurrent model works on a prefix of the previous step's rows and computes nothing after the end of
    a word.
    """

    letters: Tensor
    """(N,) int64 codes, N the number of symbols in the batch."""
    batch_sizes: tuple[int, ...]
    """Number of words that reach each position, non-increasing."""
    reversal: Tensor
    """(N,) the entry of the same word at position T + 1 - t: an involution that reverses words."""
    word: Tensor
    """(N,) index of the word, 0..B-1, to which each entry belongs."""

    @property
    def batch(self) -> int:
        """Number of words B."""
        return self.batch_sizes[0]

    def steps(self) -> list[slice]:
        """The rows of each position t = 1..T in a packed array."""
        ends = list(itertools.accumulate(self.batch_sizes))
        return [slice(end - size, end) for end, size in zip(ends, self.batch_sizes, strict=True)]

    def carried(self) -> list[Tensor]:
        """The letters of position t for the words that continue to t + 1, for t = 1..T-1."""
        rows = zip(self.steps(), self.batch_sizes[1:], strict=False)
        return [self.letters[here.start : here.start + following] for here, following in rows]

    def per_word(self, values: Tensor) -> Tensor:
        """Sum packed values (N,) over each word's positions: (B,)."""
        return values.new_zeros(self.batch).index_add(0, self.word, values)

    def to(self, device: torch.device) -> "PackedWords":
        """The same batch on another device; the copy is asynchronous."""
        if device.type == self.letters.device.type:
            return self
        arrays = (self.letters, self.reversal, self.word)
        letters, reversal, word = (x.pin_memory().to(device, non_blocking=True) for x in arrays)
        return PackedWords(letters, self.batch_sizes, reversal, word)


def pack(lexicon: Lexicon, index: Tensor) -> PackedWords:
    """Pack the words `lexicon[index]`, sorted by decreasing length (equal lengths keep their order).

    Word 0 of the result is the longest. `index` is (B,) int64.
    """
    lengths, order = torch.sort(lexicon.lengths[index], descending=True, stable=True)
    horizon = int(lengths[0])
    alive = lengths[None, :] > torch.arange(horizon)[:, None]
    position, word = alive.nonzero(as_tuple=True)
    batch_sizes = alive.sum(1)
    offset = torch.cat([batch_sizes.new_zeros(1), batch_sizes.cumsum(0)[:-1]])
    return PackedWords(
        letters=lexicon.codes[index[order][word], position],
        batch_sizes=tuple(batch_sizes.tolist()),
        reversal=offset[lengths[word] - 1 - position] + word,
        word=word,
    )
