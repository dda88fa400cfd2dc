"""Questions with ranked answers: reading YahooCQA in either of its forms, and the prepared data set's file.

The file `questions.json` holds tokens, not codes: the same questions are put to models with different
vocabularies (trained on Yahoo, on Everything, on the questions themselves), each of which reads its own
codes with `load`. Tabs are between them, since a token can have spaces in it.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textlvm.corpora import containers
from textlvm.corpora.tokens import decode
from textlvm.runtime.errors import UserError, nearest, repair
from textlvm.runtime.files import read_input, write_json
from textlvm.sentences.data import plain_pickle
from textlvm.sentences.data.vocabulary import Codes, Vocabulary

__all__ = [
    "CodedQuestion",
    "Question",
    "joined",
    "load",
    "parted",
    "read_pickle",
    "read_triples",
    "shuffled",
    "write_questions",
]

MOST_REPEATED = 100
"""Times the size of a pickle that its answers may have, with ROW bytes beside the text of each."""
ROW = 64
SEPARATOR = "\t"

logger = logging.getLogger(__name__)

Answers = tuple[str, list[tuple[str, bool]]]
"""A question with its answers, each with whether it is right."""


@dataclass(frozen=True)
class Question:
    """A question, its answers and the index of the right one; texts as in the corpus."""

    question: str
    answers: tuple[str, ...]
    best: int
    """Index of the right answer."""


@dataclass(frozen=True)
class CodedQuestion:
    """A question in the codes of a vocabulary."""

    question: Codes
    answers: tuple[Codes, ...]
    best: int


def read_triples(path: Path, members: str = "*") -> Iterator[Question]:
    """Questions of a text file with lines `question#answer#label`, the answers of one question together.

    The label is 1 for the right answer and 0 for the others. Raises `UserError` for a line of another form.
    """
    return _single(_groups(path, members), str(path))


def read_pickle(path: Path, key: str) -> Iterator[Question]:
    """Questions of a pickle `{split: {question: [[answer, label], …]}}`, of the split `key`.

    Only containers, texts and numbers are ever built: a pickle that asks for anything else runs nothing and
    raises `UserError`, and so does one of another form. Texts that Python 2 wrote are read as UTF-8, or
    Windows-1252 where they are not.
    """
    return _single(_entries(path, key), f"{path}, split '{key}'")


def shuffled(question: Question) -> Question:
    """The question with its answers in an order that depends only on its text.

    Corpora list the right answer last; with ties in a score, its place must not decide its rank.
    """
    order = sorted(
        range(len(question.answers)),
        key=lambda i: hashlib.sha256(f"{question.question}\0{question.answers[i]}\0{i}".encode()).digest(),
    )
    answers = tuple(question.answers[i] for i in order)
    return Question(question.question, answers, order.index(question.best))


def write_questions(path: Path, splits: Mapping[str, Iterable[Question]]) -> None:
    """Write `questions.json`, atomically; texts are tokens put together by `joined`."""
    write_json(
        path,
        {
            split: [{"question": q.question, "answers": q.answers, "best": q.best} for q in questions]
            for split, questions in splits.items()
        },
    )


def load(folder: Path, split: str, vocabulary: Vocabulary) -> tuple[CodedQuestion, ...]:
    """The questions of a split of a prepared data set, in the codes of any vocabulary.

    Raises `UserError` if the file is damaged.
    """
    path = Path(folder) / "questions.json"
    try:
        return tuple(
            CodedQuestion(
                vocabulary.encode(parted(entry["question"])),
                tuple(vocabulary.encode(parted(answer)) for answer in entry["answers"]),
                entry["best"],
            )
            for entry in read_input(path)[split]
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise UserError(f"{path} contains no questions in this format ({error!r}); {repair(path)}") from error


def joined(tokens: Iterable[str]) -> str:
    """Tokens as one text, from which `parted` gets them back."""
    return SEPARATOR.join(tokens)


def parted(text: str) -> list[str]:
    """The tokens of a text.

    >>> parted(joined(["call", "+1 (800) 555-1234"]))
    ['call', '+1 (800) 555-1234']
    """
    return text.split(SEPARATOR) if text else []


def _groups(path: Path, members: str) -> Iterator[Answers]:
    """Each question of a file of triples with its answers."""
    for name, blocks in containers.texts(path, members):
        asked: str | None = None
        rows: list[tuple[str, bool]] = []
        for number, line in containers.lines(blocks, name):
            text = decode(line).removeprefix("\ufeff").strip()
            if not text:
                continue
            question, _, rest = text.partition("#")
            answer, mark, label = rest.rpartition("#")
            if not mark or label not in ("0", "1"):
                raise UserError(
                    f"{name}, line {number}: expected `question#answer#0` or `…#1`, found {text[:60]!r}"
                )
            if question != asked and asked is not None:
                yield asked, rows
                rows = []
            asked = question
            rows.append((answer, label == "1"))
        if asked is not None:
            yield asked, rows


def _entries(path: Path, key: str) -> Iterator[Answers]:
    """Each question of a split of a pickle with its answers."""
    for name, blocks in containers.texts(path, "*.pkl", binary=True):
        data = _bounded(blocks, name)
        left = MOST_REPEATED * len(data)
        try:
            content = plain_pickle.load(data)
        except plain_pickle.NotPlain as error:
            raise UserError(
                f"{name} is not a pickle of plain containers and texts ({error}); download the file again"
            ) from error
        splits = {_text(split, name): value for split, value in _typed(content, dict, name).items()}
        if key not in splits:
            raise UserError(f"{name}: there is no split '{key}'; {nearest(key, splits)}")
        for question, answers in _typed(splits[key], dict, name).items():
            rows = []
            for row in _typed(answers, list | tuple, name):
                rows.append(_answer(row, name))
                # A pickle may contain the same list many times.
                left -= ROW + len(rows[-1][0])
                if left < 0:
                    raise UserError(f"{name} repeats the same entry too often; download the file again")
            yield _text(question, name), rows


def _bounded(blocks: Iterable[bytes], name: str) -> bytes:
    data = bytearray()
    for block in blocks:
        data += block
        if len(data) > plain_pickle.LARGEST:
            raise UserError(f"{name} has more than {plain_pickle.LARGEST:,} bytes; download the file again")
    return bytes(data)


def _answer(row: Any, name: str) -> tuple[str, bool]:
    if len(_typed(row, list | tuple, name)) != 2:
        raise UserError(f"{name}: expected pairs of an answer and a label, found {len(row)} items")
    answer, label = row
    return _text(answer, name), label in (1, "1", b"1")


def _text(value: Any, name: str) -> str:
    if isinstance(value, bytes):
        return decode(value)
    # A pickle may have halves of characters, which UTF-8 does not.
    return str(_typed(value, str, name)).encode(errors="replace").decode()


def _typed(value: Any, kind: Any, name: str) -> Any:
    if not isinstance(value, kind):
        actual = type(value).__name__
        raise UserError(
            f"{name}: expected {{split: {{question: [[answer, label], …]}}}}, found a {actual} in it"
        )
    return value


def _single(groups: Iterable[Answers], place: str) -> Iterator[Question]:
    """Questions with one right answer; a question that is repeated n times in a row counts n times.

    Raises `UserError` if there is none.
    """
    left_out = kept = 0
    for question, rows in groups:
        right = [i for i, (_, is_right) in enumerate(rows) if is_right]
        size = len(rows) // max(len(right), 1)
        alike = [(n * size) <= best < (n + 1) * size for n, best in enumerate(right)]
        complete = question.strip() and all(answer.strip() for answer, _ in rows)
        if not right or len(rows) % len(right) or not all(alike) or not complete:
            left_out += 1
            continue
        kept += len(right)
        for n, best in enumerate(right):
            answers = tuple(answer for answer, _ in rows[n * size : (n + 1) * size])
            yield Question(question, answers, best - n * size)
    if left_out:
        logger.warning("%s: skipped %s questions without exactly one right answer", place, f"{left_out:,}")
    if not kept:
        raise UserError(f"{place} contains no questions with exactly one right answer; supply another file")
