"""Vocabularies: selection of words, encoding, decoding and recoding.

A vocabulary file has a header line and a line `token<TAB>count` per code, in order. The first four codes are
special tokens: padding, start, end, and unknown words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textlvm.corpora import tables
from textlvm.runtime.errors import UserError, repair
from textlvm.sentences.data.dataset import VocabularyRule

__all__ = [
    "EOS",
    "PAD",
    "SOS",
    "SPECIALS",
    "UNK",
    "UNKNOWN",
    "Codes",
    "Vocabulary",
    "choose",
    "read_vocabulary",
    "union",
    "write_vocabulary",
]

PAD, SOS, EOS, UNK = range(4)
UNKNOWN = "<unk>"
SPECIALS = ("<pad>", "<sos>", "<eos>", UNKNOWN)

COLUMNS = ("token", "count")

Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Vocabulary:
    """Tokens and their codes; `len()` is the number of codes, including the four special tokens."""

    tokens: tuple[str, ...]
    """The token of every code."""
    counts: tuple[int, ...]
    """Number of occurrences in the training set; for <unk>, those of all words that it replaces."""

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, tokens: Iterable[str]) -> Codes:
        """Codes of tokens, shape (T,). Unknown words become <unk>, and so do special tokens such as `<eos>`.

        >>> Vocabulary((*SPECIALS, "tick"), (0, 0, 0, 0, 2)).encode(["tick", "tock", "<eos>"]).tolist()
        [4, 3, 3]
        """
        code = self._codes.get
        return np.fromiter((code(token, UNK) for token in tokens), dtype=np.int32)

    def decode(self, codes: Iterable[int]) -> list[str]:
        """Tokens of codes."""
        return [self.tokens[code] for code in codes]

    def recoding(self, other: "Vocabulary") -> Codes:
        """Table (V,) that maps a code of this vocabulary to the code of the same token in `other`."""
        table = other.encode(self.tokens)
        table[: len(SPECIALS)] = range(len(SPECIALS))
        return table

    @cached_property
    def _codes(self) -> Mapping[str, int]:
        return {token: code for code, token in enumerate(self.tokens) if code >= len(SPECIALS)}


def choose(tokens: Sequence[str], counts: NDArray[np.int64], rule: VocabularyRule) -> Vocabulary:
    """The vocabulary of a training set with `counts` (N,) of its distinct tokens.

    Words are sorted by decreasing frequency, then alphabetically. Raises `UserError` if no word is left.
    """
    kept = [
        (-count, token)
        for token, count in zip(tokens, counts.tolist(), strict=True)
        if count >= rule.min_count and token not in SPECIALS
    ]
    kept.sort()
    if rule.size is not None:
        del kept[rule.size - len(SPECIALS) :]
    if not kept:
        raise UserError(
            f"no word occurs {rule.min_count} times or more in the training set; lower vocabulary.min_count"
        )
    unknown = int(counts.sum()) + sum(count for count, _ in kept)
    return _with_specials([(token, -count) for count, token in kept], unknown)


def union(vocabularies: Iterable[Vocabulary]) -> Vocabulary:
    """The union of several vocabularies, with the sums of counts, sorted like in `choose`.

    The paper's Everything is interpreted in this way: a word is known if one of the data sets knows it (Livne
    et al. 2020, Table 1: 105,965 words, where the sizes of the four vocabularies sum to 156,019).
    """
    counts: dict[str, int] = {}
    for vocabulary in vocabularies:
        for token, count in zip(vocabulary.tokens, vocabulary.counts, strict=True):
            counts[token] = counts.get(token, 0) + count
    unknown = sum(counts.pop(token) for token in SPECIALS)
    return _with_specials(sorted(counts.items(), key=lambda item: (-item[1], item[0])), unknown)


def write_vocabulary(path: Path, vocabulary: Vocabulary) -> None:
    """Write a vocabulary atomically."""
    tables.write(path, COLUMNS, vocabulary.tokens, vocabulary.counts)


def read_vocabulary(folder: Path) -> Vocabulary:
    """Read the vocabulary of a prepared data set. Raises `UserError` if the file is not a vocabulary."""
    path = Path(folder) / "vocabulary.tsv"
    tokens, counts = tables.read(path, COLUMNS)
    if tuple(tokens[: len(SPECIALS)]) != SPECIALS:
        raise UserError(f"{path}: the first tokens must be {' '.join(SPECIALS)}; {repair(path)}")
    return Vocabulary(tuple(tokens), tuple(counts[:, 0].tolist()))


def _with_specials(words: Iterable[tuple[str, int]], unknown: int) -> Vocabulary:
    tokens, counts = zip(*((token, 0) for token in SPECIALS[:UNK]), (UNKNOWN, unknown), *words, strict=True)
    return Vocabulary(tokens, counts)
