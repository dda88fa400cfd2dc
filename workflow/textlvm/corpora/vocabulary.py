"""Choose the vocabulary of the words paper from the counts of a corpus.

A word of the vocabulary has letters a to z only, a length within bounds and enough occurrences
(Schmidt and Hofmann 2018, Section 5: 2 to 12 letters, at least 10 occurrences).

    python -m textlvm.corpora.vocabulary --counts counts.tsv --out vocabulary.tsv \\
        --settings '{"min_length": 2, "max_length": 12, "min_count": 10}'

Writes OUT: lines `word<TAB>count` under a header line, the most frequent word first.
"""

import argparse
import logging
import re
from dataclasses import dataclass
from pathlib import Path

from textlvm.corpora.counting import read_counts, write_counts
from textlvm.runtime import cli
from textlvm.runtime.errors import UserError
from textlvm.spec import parse

__all__ = ["VocabularySettings", "vocabulary"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class VocabularySettings:
    """The definition of a word. Raises `UserError` if the bounds exclude every word."""

    min_length: int = 2
    """Minimum number of letters."""
    max_length: int = 12
    """Maximum number of letters."""
    min_count: int = 10
    """Minimum number of occurrences in the corpus."""

    def __post_init__(self) -> None:
        if not 1 <= self.min_length <= self.max_length:
            raise UserError(
                f"vocabulary: min_length {self.min_length} and max_length {self.max_length} must satisfy "
                "1 <= min_length <= max_length"
            )
        if self.min_count < 1:
            raise UserError(f"vocabulary: min_count must be at least 1, not {self.min_count}")


def vocabulary(counts: dict[str, int], settings: VocabularySettings) -> dict[str, int]:
    """Return the words of `counts` with their counts. Raises `UserError` if there are fewer than two.

    >>> vocabulary({"the": 30, "it's": 20, "a": 90, "rare": 9, "and": 25}, VocabularySettings())
    {'the': 30, 'and': 25}
    """
    word = re.compile(f"[a-z]{{{settings.min_length},{settings.max_length}}}")
    result = {
        token: count
        for token, count in counts.items()
        if count >= settings.min_count and word.fullmatch(token)
    }
    if len(result) < 2:
        many = "only one" if result else "no"
        raise UserError(
            f"{many} word of {settings.min_length} to {settings.max_length} letters occurs "
            f"at least {settings.min_count} times; use a larger corpus or lower min_count"
        )
    return result


def _main(options: argparse.Namespace) -> None:
    settings = parse(VocabularySettings, options.settings, "vocabulary settings")
    try:
        words = vocabulary(read_counts(options.counts), settings)
    except UserError as error:
        raise UserError(f"{options.counts}: {error}") from error
    write_counts(options.out, words)
    logger.info("%s words, %s tokens", f"{len(words):,}", f"{sum(words.values()):,}")


def _arguments() -> argparse.ArgumentParser:
    parser = cli.parser(__doc__)
    parser.add_argument("--counts", type=Path, required=True, help="counts file")
    parser.add_argument("--settings", type=cli.settings, required=True, help="JSON text or file")
    parser.add_argument("--out", type=Path, required=True, help="vocabulary to write")
    return parser


if __name__ == "__main__":
    cli.run(_main, _arguments())
