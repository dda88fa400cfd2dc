"""Read the sentences of a corpus's files, with their labels if there are any.

Formats: `lines`, one sentence per line; `labelled`, a label, a tab or space, and a sentence per line;
`wikitext`, one paragraph per line, without headings ` = Title = `. Blank lines are skipped in all formats.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from textlvm.corpora import containers
from textlvm.corpora.tokens import decode
from textlvm.runtime.errors import UserError

__all__ = ["Record", "records"]

# A file without labels is noticed because the first words of its sentences are too many different labels.
MOST_LABELS = 1000


@dataclass(frozen=True, slots=True)
class Record:
    """One sentence of a file, unchanged."""

    text: str
    label: str | None = None


def records(path: Path, format: str, members: str = "*") -> Iterator[Record]:
    """The sentences of a file in order; of an archive, those of the members that match the pattern `members`.

    Raises `UserError` if the file cannot be read, has another format or contains no sentences.
    """
    empty = True
    for record in _records(path, format, members):
        empty = False
        yield record
    if empty:
        raise UserError(
            f"{path} contains no sentences; supply another file, or correct `format` of its corpus"
        )


def _records(path: Path, format: str, members: str) -> Iterator[Record]:
    labels: set[str] = set()
    for name, blocks in containers.texts(path, members):
        for number, line in containers.lines(blocks, name):
            text = decode(line).removeprefix("\ufeff").strip()
            if format == "labelled":
                label, *rest = text.split(maxsplit=1) or [""]
                labels.add(label)
                if len(labels) > MOST_LABELS:
                    raise UserError(
                        f"{name}, line {number}: more than {MOST_LABELS} different labels so far; "
                        "the format `labelled` has `label sentence` on each line"
                    )
                yield from (Record(sentence, label) for sentence in rest)
            elif text and not (format == "wikitext" and _is_heading(text)):
                yield Record(text)


def _is_heading(text: str) -> bool:
    # Some table legends begin like a heading but end differently. They count as paragraphs: then the test
    # file has 2,185 paragraphs, as in the paper.
    return text.startswith("= ") and text.endswith(" =")
