"""The tokenized sentences of a corpus on disk.

Words get provisional codes in order of first occurrence, because the vocabulary is known only after the
training set has been drawn and counted. Memory is bounded by the number of distinct words.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.data.sources import Record
from textlvm.sentences.data.tokenizers import Tokenizer
from textlvm.sentences.data.vocabulary import Codes

__all__ = ["TokenizedSource", "Words", "gather", "tokenize_to_file"]

BLOCK = 1 << 20  # tokens


class Words(dict[str, int]):
    """Provisional codes of words; a new word gets the next number."""

    def __missing__(self, word: str) -> int:
        self[word] = code = len(self)
        return code


@dataclass(frozen=True)
class TokenizedSource:
    """The sentences of one split of a corpus in provisional codes, in a file."""

    sentences: SentenceSet
    labels: Codes | None
    """Provisional code of every sentence's label, shape (N,); None if there are no labels."""


def tokenize_to_file(
    records: Iterable[Record], tokenize: Tokenizer, words: Words, labels: Words, path: Path
) -> TokenizedSource:
    """Tokenize sentences and write their provisional codes to `path`; sentences without words are skipped."""
    offsets = array("q", [0])
    label_codes = array("i")
    total = 0
    with path.open("wb") as file:
        pending = array("i")
        for record in records:
            codes = [words[token] for token in tokenize(record.text)]
            if not codes:
                continue
            pending.extend(codes)
            total += len(codes)
            offsets.append(total)
            if record.label is not None:
                label_codes.append(labels[record.label])
            if len(pending) >= BLOCK:
                _flush(pending, file)
        _flush(pending, file)
    tokens = np.memmap(path, dtype=np.int32, mode="r") if total else np.empty(0, dtype=np.int32)
    sentences = SentenceSet(np.asarray(tokens), np.frombuffer(offsets, dtype=np.int64))
    return TokenizedSource(sentences, np.frombuffer(label_codes, dtype=np.int32) if label_codes else None)


def gather(sentences: SentenceSet, rows: NDArray[np.int64]) -> Iterator[Codes]:
    """The codes of the sentences in `rows`, in blocks of at most `BLOCK` codes or one sentence."""
    ends = np.cumsum(sentences.lengths[rows])
    start = 0
    while start < len(rows):
        begin = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, begin + BLOCK, side="right")))
        yield np.concatenate([sentences[row] for row in rows[start:stop]])
        start = stop


def _flush(pending: array, file: BinaryIO) -> None:
    pending.tofile(file)
    del pending[:]
