"""Count the tokens of a source, or merge the counts of several.

`count` reads text (plain, compressed or in an archive) or a list of lines `word count`, from one file or from
the files of a folder: all of them, or those of a share (`textlvm.corpora.folders`). `merge` adds up the
counts of several files or shares of a corpus, which separate jobs have counted; the result does not depend on
how the text was divided or on the order of the files.

    python -m textlvm.corpora.counting count --source novels.tar.gz --kind text --out novels.tsv
    python -m textlvm.corpora.counting count --source novels --kind text --first=m.txt --end=p.txt --out m.tsv
    python -m textlvm.corpora.counting merge --counts a.tsv b.tsv --out both.tsv

Writes OUT: lines `word<TAB>count` under a header line, the most frequent word first, equal counts in
alphabetical order. It contains all tokens, as defined in `textlvm.corpora.tokens`;
`textlvm.corpora.vocabulary` selects the words among them.
"""

import argparse
import hashlib
import logging
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from textlvm.corpora import containers, gutenberg, tables
from textlvm.corpora.folders import listing
from textlvm.corpora.tokens import TokenCounter, decode
from textlvm.runtime import cli
from textlvm.runtime.errors import UserError

__all__ = ["count", "is_count", "merge", "read_counts", "write_counts"]

COLUMNS = ("word", "count")
MAX_COUNT = 10**18 - 1  # every number with at most 18 digits fits in a 64-bit integer

logger = logging.getLogger(__name__)


def count(
    source: Path,
    kind: str = "text",
    members: str = "*",
    cleaning: str | None = None,
    first: str = "",
    end: str = "",
) -> dict[str, int]:
    """Count the tokens of a file, or of the files of a folder with names from `first` to before `end`.

    Memory is bounded by the number of distinct tokens, not by the length of the text.

    `kind` is "text", or "counts" for lists of lines `word count`, whose counts are added up. `members` is a
    shell pattern of the files to read in an archive. `cleaning="gutenberg"` removes the header and licence
    around each text, and counts only the first of identical files in an archive. Raises `UserError` if a file
    cannot be read, is damaged, contains no token, or is not such a list.
    """
    texts = _texts(source, members, first, end)
    if kind == "counts":
        counts: dict[str, int] = {}
        for name, blocks in texts:
            _add_list(counts, blocks, name)
    elif cleaning == "gutenberg":
        counts = _count_distinct_books(texts)
    else:
        counter = TokenCounter()
        for _, blocks in texts:
            counter.update(blocks)
        counts = counter.counts()
    # A share of a folder may contain no words.
    if not counts and not first and not end:
        raise UserError(
            f"{source} contains no words; supply a file with text, or correct `kind` of its corpus"
        )
    return counts


def merge(paths: Iterable[Path]) -> dict[str, int]:
    """Add up counts files. Raises `UserError` if one is not a counts file, or if they have no words."""
    counts: dict[str, int] = {}
    paths = list(paths)
    for path in paths:
        _add(counts, read_counts(path))
    if not counts:
        raise UserError(
            f"the counts in {paths[0].parent} contain no words; correct `path` or `kind` of their corpus"
        )
    return counts


def read_counts(path: Path) -> dict[str, int]:
    """Read a counts file, in the order of the file. Raises `UserError` if it is not one."""
    words, numbers = tables.read(path, COLUMNS)
    return dict(zip(words, numbers[:, 0].tolist(), strict=True))


def write_counts(path: Path, counts: dict[str, int]) -> None:
    """Write a counts file atomically, the most frequent word first, equal counts in alphabetical order."""
    words = sorted(sorted(counts), key=counts.__getitem__, reverse=True)
    tables.write(path, COLUMNS, words, (counts[word] for word in words))


def _texts(source: Path, members: str, first: str, end: str) -> Iterator[tuple[str, Iterator[bytes]]]:
    for path in _paths(source, first, end):
        yield from containers.texts(path, members)


def _paths(source: Path, first: str, end: str) -> list[Path]:
    try:
        if not source.is_dir():
            return [source]
        files = listing(source)
    except OSError as error:
        raise UserError(f"cannot read {error.filename or source}: {error.strerror}") from error
    for link in files.links:
        logger.warning("%s: skipped %s, which is a link", source, link)
    return [source / name for name in files.between(first, end)]


def _count_distinct_books(texts: Iterable[tuple[str, Iterable[bytes]]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    seen = set()
    for _, blocks in texts:
        digest = hashlib.sha256()
        book = TokenCounter()
        book.update(gutenberg.body(_hashed(blocks, digest)))
        if digest.digest() not in seen:
            seen.add(digest.digest())
            _add(counts, book.counts())
    return counts


def _add(counts: dict[str, int], more: dict[str, int]) -> None:
    for word, number in more.items():
        counts[word] = counts.get(word, 0) + number


def _hashed(blocks: Iterable[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    for block in blocks:
        digest.update(block)
        yield block


def _add_list(counts: dict[str, int], blocks: Iterable[bytes], name: str) -> None:
    for number, line in containers.lines(blocks, name):
        text = decode(line)
        if number == 1:
            text = text.removeprefix("\ufeff")
        fields = text.split()
        if not fields or (number == 1 and tuple(fields) == COLUMNS):
            continue
        if len(fields) != 2 or not is_count(fields[1]):
            raise UserError(f"{name}, line {number}: expected `word count`, found {text[:60]!r}")
        word = fields[0].lower().replace("’", "'")
        counts[word] = counts.get(word, 0) + int(fields[1])
        if counts[word] > MAX_COUNT:
            raise UserError(
                f"{name}, line {number}: counts of {word[:60]!r} add up to more than {MAX_COUNT:,}"
            )


def is_count(field: str) -> bool:
    """Whether a text is a whole number that a count can have."""
    return field.isascii() and field.isdigit() and len(field) <= len(str(MAX_COUNT))


def _main(options: argparse.Namespace) -> None:
    begin = time.perf_counter()
    if options.command == "count":
        counts = count(
            options.source, options.kind, options.members, options.cleaning, options.first, options.end
        )
    else:
        counts = merge(options.counts)
    write_counts(options.out, counts)
    seconds = time.perf_counter() - begin
    logger.info("%s tokens, %s distinct, %.1f s", f"{sum(counts.values()):,}", f"{len(counts):,}", seconds)


def _arguments() -> argparse.ArgumentParser:
    parser = cli.parser(__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    counting = commands.add_parser("count", help="count a file or a folder")
    counting.add_argument("--source", type=Path, required=True, help="text, archive, list or folder to read")
    counting.add_argument("--kind", choices=["text", "counts"], required=True, help="content of the source")
    counting.add_argument("--members", default="*", help="shell pattern of the files to read in an archive")
    counting.add_argument("--cleaning", choices=["gutenberg"], help="what to remove from each text")
    counting.add_argument("--first", default="", help="in a folder, the first name to count")
    counting.add_argument("--end", default="", help="in a folder, the first name not to count")
    merging = commands.add_parser("merge", help="add up several counts files")
    merging.add_argument("--counts", type=Path, nargs="+", required=True, help="counts files")
    for command in (counting, merging):
        command.add_argument("--out", type=Path, required=True, help="counts file to write")
        command.add_argument("--log", type=Path, default=argparse.SUPPRESS, help="also write the log here")
    return parser


if __name__ == "__main__":
    cli.run(_main, _arguments())
