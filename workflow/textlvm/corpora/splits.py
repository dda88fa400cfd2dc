"""Split the tokens of a vocabulary into a training and a test set.

The two splits of Schmidt and Hofmann 2018, Section 5. `standard`: a share of the *tokens* is in the test set,
so nearly every word is in both sets. `unseen` (the paper's "alternative"): a share of the *unique words*,
regardless of their frequency, is only in the test set.

    python -m textlvm.corpora.splits --vocabulary vocabulary.tsv --split standard --out words.tsv \\
        --settings '{"test_fraction": 0.1, "test_tokens": null, "seed": 0}'

Writes OUT: lines `word<TAB>train<TAB>test` under a header line, in the order of the vocabulary.
"""

import argparse
import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textlvm.corpora import tables
from textlvm.runtime import cli
from textlvm.runtime.errors import UserError
from textlvm.spec import parse

__all__ = ["SPLITS", "SplitSettings", "WordSplit", "read_words", "split", "write_words"]

VOCABULARY_COLUMNS = ("word", "count")
COLUMNS = ("word", "train", "test")

logger = logging.getLogger(__name__)

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class SplitSettings:
    """The size of the test set. Raises `UserError` for invalid values."""

    test_fraction: float = 0.1
    """Share of the tokens (`standard`) or of the unique words (`unseen`) in the test set."""
    test_tokens: int | None = None
    """Number of test tokens of `standard`, instead of a share; the paper's test set had about 50,000."""
    seed: int = 0
    """The seed of the split."""

    def __post_init__(self) -> None:
        if not 0 < self.test_fraction < 1:
            raise UserError(f"split: test_fraction must lie between 0 and 1, not {self.test_fraction}")
        if self.test_tokens is not None and self.test_tokens < 1:
            raise UserError(f"split: test_tokens must be at least 1 or null, not {self.test_tokens}")


@dataclass(frozen=True)
class WordSplit:
    """The vocabulary with the counts of both sets."""

    words: list[str]
    train: Counts
    """Occurrences of each word in the training set, shape (V,)."""
    test: Counts
    """Occurrences of each word in the test set, shape (V,)."""


def split(words: list[str], counts: Counts, name: str, settings: SplitSettings) -> WordSplit:
    """Split a vocabulary with its counts (V,) by name, `standard` or `unseen`.

    The draw depends on the seed, the name of the split and the vocabulary, not on the order of the words.
    Raises `UserError` if one of the sets is empty.
    """
    order = np.array(sorted(range(len(words)), key=words.__getitem__), dtype=np.int64)
    test = np.zeros_like(counts)
    test[order] = SPLITS[name](counts[order], settings, _generator(f"split/{name}", settings.seed))
    train = counts - test
    for part, part_counts in (("training", train), ("test", test)):
        if not part_counts.any():
            raise UserError(
                f"split '{name}' leaves the {part} set empty; use a larger corpus or another share"
            )
    return WordSplit(words, train, test)


def standard(counts: Counts, settings: SplitSettings, generator: np.random.Generator) -> Counts:
    """Test counts (V,) if every token is in the test set with the same probability: a binomial draw per word.

    With `test_tokens`, this number of tokens is drawn without replacement instead.
    """
    if settings.test_tokens is None:
        return generator.binomial(counts, settings.test_fraction)
    if settings.test_tokens >= counts.sum():
        raise UserError(
            f"split: test_tokens {settings.test_tokens:,} leaves none of {counts.sum():,} for training"
        )
    return _without_replacement(counts, settings.test_tokens, generator)


def unseen(counts: Counts, settings: SplitSettings, generator: np.random.Generator) -> Counts:
    """Test counts (V,) if a share of the unique words, regardless of frequency, is only in the test set."""
    chosen = generator.choice(len(counts), round(settings.test_fraction * len(counts)), replace=False)
    test = np.zeros_like(counts)
    test[chosen] = counts[chosen]
    return test


SPLITS = {"standard": standard, "unseen": unseen}


def write_words(path: Path, words: WordSplit) -> None:
    """Write a split atomically."""
    tables.write(path, COLUMNS, words.words, words.train.tolist(), words.test.tolist())


def read_words(path: Path) -> WordSplit:
    """Read a split. Raises `UserError` naming the line if it is not one."""
    words, counts = tables.read(path, COLUMNS)
    train, test = np.ascontiguousarray(counts.T)
    return WordSplit(words, train, test)


def _without_replacement(counts: Counts, tokens: int, generator: np.random.Generator) -> Counts:
    # A multivariate hypergeometric draw; numpy's is limited to 1e9 tokens in total. Given their number,
    # independently drawn tokens are a uniform sample, and they remain one when a few uniformly drawn tokens
    # are added or removed to obtain the exact number.
    drawn = generator.binomial(counts, tokens / counts.sum())
    excess = int(drawn.sum()) - tokens
    pool = drawn if excess > 0 else counts - drawn
    positions = generator.choice(int(pool.sum()), abs(excess), replace=False, shuffle=False)
    moved = np.bincount(np.searchsorted(np.cumsum(pool), positions, side="right"), minlength=len(counts))
    return drawn - moved if excess > 0 else drawn + moved


def _generator(name: str, seed: int) -> np.random.Generator:
    digest = hashlib.sha256(f"{name}/{seed}".encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype="<u4"))


def _main(options: argparse.Namespace) -> None:
    settings = parse(SplitSettings, options.settings, "split settings")
    vocabulary, counts = tables.read(options.vocabulary, VOCABULARY_COLUMNS)
    try:
        words = split(vocabulary, counts[:, 0], options.split, settings)
    except UserError as error:
        raise UserError(f"{options.vocabulary}: {error}") from error
    write_words(options.out, words)
    logger.info(
        "%s words; train %s tokens of %s words, test %s tokens of %s words",
        f"{len(words.words):,}",
        f"{words.train.sum():,}",
        f"{np.count_nonzero(words.train):,}",
        f"{words.test.sum():,}",
        f"{np.count_nonzero(words.test):,}",
    )


def _arguments() -> argparse.ArgumentParser:
    parser = cli.parser(__doc__)
    parser.add_argument("--vocabulary", type=Path, required=True, help="vocabulary file")
    parser.add_argument("--split", choices=sorted(SPLITS), required=True, help="which split")
    parser.add_argument("--settings", type=cli.settings, required=True, help="JSON text or file")
    parser.add_argument("--out", type=Path, required=True, help="split to write")
    return parser


if __name__ == "__main__":
    cli.run(_main, _arguments())
