"""Read a prepared data set: two memory-mapped arrays of codes per split, shared by all runs.

    vocabulary.tsv                              the word of every code
    <split>.tokens.npy, <split>.offsets.npy     sentence i is tokens[offsets[i]:offsets[i + 1]]
    <split>.labels.npy                          label of every sentence, if the corpus has labels
    questions.json                              instead of the arrays, for a data set of questions
    statistics.json                             sizes for Table 1, and the settings of the preparation

Sentences are stored without start and end tokens.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textlvm.runtime.errors import UserError, nearest, repair
from textlvm.runtime.files import read_input
from textlvm.sentences.data.dataset import SPLITS, DatasetSettings, Tokenization, parse
from textlvm.sentences.data.tokenizers import Tokenizer, typed_tokenizer
from textlvm.sentences.data.vocabulary import Codes, read_vocabulary

__all__ = ["Labels", "SentenceSet", "input_tokenizer", "load", "load_labels", "read_vocabulary", "statistics"]


@dataclass(frozen=True)
class SentenceSet:
    """Sentences as codes. Sentences are views of the arrays: data are read only when used."""

    tokens: Codes
    """Codes of all sentences, shape (number of tokens,)."""
    offsets: NDArray[np.int64]
    """Start of each sentence in `tokens` and end of the last one, shape (N + 1,)."""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> Codes:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sentence {index} of {len(self)}")
        index %= len(self)
        return self.tokens[self.offsets[index] : self.offsets[index + 1]]

    def __iter__(self) -> Iterator[Codes]:
        return (self[index] for index in range(len(self)))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of words of every sentence, shape (N,)."""
        return np.diff(self.offsets)

    def between(self, start: int, stop: int) -> "SentenceSet":
        """The sentences start, …, stop - 1, as a view."""
        return SentenceSet(self.tokens, self.offsets[start : stop + 1])


@dataclass(frozen=True)
class Labels:
    """The labels of a split."""

    codes: NDArray[np.int32]
    """Label of every sentence, shape (N,), an index into `names`."""
    names: tuple[str, ...]
    """The labels of the corpus, sorted."""


def load(folder: Path, split: str, member: Path | None = None) -> SentenceSet:
    """The sentences of a split (train, valid or test) of a prepared data set, mapped into memory.

    For a union, `member` is the folder of one of its data sets and selects the sentences of that data set, in
    the codes of the union. Raises `UserError` if there is no such split or member, or if the files are
    inconsistent.
    """
    folder = Path(folder)
    tokens, offsets = _array(folder, f"{_split(split)}.tokens"), _array(folder, f"{split}.offsets")
    if offsets[0] != 0 or offsets[-1] != len(tokens):
        path = folder / f"{split}.offsets.npy"
        raise UserError(f"{folder}: the files of split {split} are inconsistent; {repair(path)}")
    sentences = SentenceSet(tokens, offsets)
    if member is None:
        return sentences
    name, members = statistics(member, "dataset")["dataset"], statistics(folder).get("members", {})
    if name not in members:
        raise UserError(f"{folder}: this data set has no part '{name}'; {nearest(name, members)}")
    return sentences.between(*members[name][split])


def load_labels(folder: Path, split: str) -> Labels:
    """The labels of a split. Raises `UserError` if the data set has none."""
    return Labels(
        _array(Path(folder), f"{_split(split)}.labels"), tuple(statistics(folder, "labels")["labels"])
    )


def statistics(folder: Path, *keys: str) -> Mapping[str, Any]:
    """Read `statistics.json`. Raises `UserError` if it cannot be read or lacks one of `keys`."""
    return read_input(Path(folder) / "statistics.json", *keys)


def input_tokenizer(folder: Path) -> Tokenizer:
    """The function that tokenizes user input like the data set; for a union, with the default settings."""
    settings = parse(statistics(folder, "settings")["settings"])
    return typed_tokenizer(settings.tokens if isinstance(settings, DatasetSettings) else Tokenization())


def _split(split: str) -> str:
    if split not in SPLITS:
        raise UserError(f"there is no split '{split}'; {nearest(split, SPLITS)}")
    return split


def _array(folder: Path, name: str) -> Any:
    path = folder / f"{name}.npy"
    try:
        # A plain array on the same memory, because slicing a memmap takes several times as long.
        return np.asarray(np.load(path, mmap_mode="r"))
    except (EOFError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot read {path} ({reason}); {repair(path)}") from error
