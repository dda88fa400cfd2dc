"""Words as sequences over 26 letters and an end-of-word symbol, packed without padding."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from textlvm.packing import Packing, pack_lengths, transfer
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
    """A batch of words, the longest first."""

    packing: Packing
    letters: Tensor
    """(N,) int64 codes, N the number of symbols in the batch."""

    def carried(self) -> list[Tensor]:
        """The letters of position t for the words that continue to t + 1, for t = 1..T-1."""
        rows = zip(self.packing.steps(), self.packing.batch_sizes[1:], strict=False)
        return [self.letters[here.start : here.start + following] for here, following in rows]

    def to(self, device: torch.device) -> "PackedWords":
        """The batch on another device; copies are asynchronous."""
        return transfer(self, device)


def pack(lexicon: Lexicon, index: Tensor) -> PackedWords:
    """Pack the words `lexicon[index]`, index (B,) int64; words of equal length keep their order."""
    packing = pack_lengths(lexicon.lengths[index])
    return PackedWords(packing, lexicon.codes[index[packing.order][packing.sequence], packing.position])
