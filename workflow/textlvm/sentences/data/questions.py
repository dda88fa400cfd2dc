"""Questions with ranked answers: both formats of YahooCQA, and the file of a prepared data set.

The file `questions.json` contains tokens, not codes, because models with different vocabularies (trained on
Yahoo, on Everything, on the questions) rank the same answers; `load` encodes them. Tokens are separated by
tabs, since a token may contain spaces.
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
    "join_tokens",
    "load",
    "read_pickle",
    "read_triples",
    "shuffled",
    "split_tokens",
    "write_questions",
]

MOST_REPEATED = 100
"""Maximum ratio of the size of all answers, with ROW additional bytes for each, to the size of the pickle."""
ROW = 64
SEPARATOR = "\t"

logger = logging.getLogger(__name__)

Answers = tuple[str, list[tuple[str, bool]]]
"""A question and its answers, each with whether it is right."""


@dataclass(frozen=True)
class Question:
    """A question, its answers and the index of the right one, as texts."""

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
    """Questions of a text file with lines `question#answer#label`; answers of a question are consecutive.

    The label is 1 for the right answer and 0 for the others. Raises `UserError` for a line of another form.
    """
    return _single(_groups(path, members), str(path))


def read_pickle(path: Path, key: str) -> Iterator[Question]:
    """Questions of the split `key` of a pickle `{split: {question: [[answer, label], …]}}`.

    Texts written by Python 2 are decoded as UTF-8, or as Windows-1252 if they are not UTF-8. Raises
    `UserError` for a pickle of another form, and without running its code for a pickle of other objects than
    containers, texts and numbers.
    """
    return _single(_entries(path, key), f"{path}, split '{key}'")


def shuffled(question: Question) -> Question:
    """The question with its answers in a pseudorandom order that depends only on the texts.

    Corpora list the right answer last; if scores are tied, its position must not determine its rank.
    """
    order = sorted(
        range(len(question.answers)),
        key=lambda i: hashlib.sha256(f"{question.question}\0{question.answers[i]}\0{i}".encode()).digest(),
    )
    answers = tuple(question.answers[i] for i in order)
    return Question(question.question, answers, order.index(question.best))


def write_questions(path: Path, splits: Mapping[str, Iterable[Question]]) -> None:
    """Write `questions.json` atomically; texts are the results of `join_tokens`."""
    write_json(
        path,
        {
            split: [{"question": q.question, "answers": q.answers, "best": q.best} for q in questions]
            for split, questions in splits.items()
        },
    )


def load(folder: Path, split: str, vocabulary: Vocabulary) -> tuple[CodedQuestion, ...]:
    """The questions of a split of a prepared data set, encoded with `vocabulary`.

    Raises `UserError` if the file is damaged.
    """
    path = Path(folder) / "questions.json"
    try:
        return tuple(
            CodedQuestion(
                vocabulary.encode(split_tokens(entry["question"])),
                tuple(vocabulary.encode(split_tokens(answer)) for answer in entry["answers"]),
                entry["best"],
            )
            for entry in read_input(path)[split]
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise UserError(f"{path} contains no questions in this format ({error!r}); {repair(path)}") from error


def join_tokens(tokens: Iterable[str]) -> str:
    """Join tokens into one text; the inverse of `split_tokens`."""
    return SEPARATOR.join(tokens)


def split_tokens(text: str) -> list[str]:
    """The tokens of a text.

    >>> split_tokens(join_tokens(["call", "+1 (800) 555-1234"]))
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
        data = _read_bounded(blocks, name)
        remaining = MOST_REPEATED * len(data)
        try:
            content = plain_pickle.load(data)
        except plain_pickle.NotPlain as error:
            raise UserError(
                f"{name} is not a pickle of plain containers and texts ({error}); download the file again"
            ) from error
        splits = {_text(split, name): value for split, value in _check_type(content, dict, name).items()}
        if key not in splits:
            raise UserError(f"{name}: there is no split '{key}'; {nearest(key, splits)}")
        for question, answers in _check_type(splits[key], dict, name).items():
            rows = []
            for row in _check_type(answers, list | tuple, name):
                rows.append(_answer(row, name))
                # A pickle may contain the same list many times.
                remaining -= ROW + len(rows[-1][0])
                if remaining < 0:
                    raise UserError(f"{name} repeats the same entry too often; download the file again")
            yield _text(question, name), rows


def _read_bounded(blocks: Iterable[bytes], name: str) -> bytes:
    data = bytearray()
    for block in blocks:
        data += block
        if len(data) > plain_pickle.LARGEST:
            raise UserError(f"{name} has more than {plain_pickle.LARGEST:,} bytes; download the file again")
    return bytes(data)


def _answer(row: Any, name: str) -> tuple[str, bool]:
    if len(_check_type(row, list | tuple, name)) != 2:
        raise UserError(f"{name}: expected pairs of an answer and a label, found {len(row)} items")
    answer, label = row
    return _text(answer, name), label in (1, "1", b"1")


def _text(value: Any, name: str) -> str:
    if isinstance(value, bytes):
        return decode(value)
    # A pickle may contain unpaired surrogates, which UTF-8 cannot encode.
    return str(_check_type(value, str, name)).encode(errors="replace").decode()


def _check_type(value: Any, kind: Any, name: str) -> Any:
    if not isinstance(value, kind):
        actual = type(value).__name__
        raise UserError(
            f"{name}: expected {{split: {{question: [[answer, label], …]}}}}, found a {actual} in it"
        )
    return value


def _single(groups: Iterable[Answers], place: str) -> Iterator[Question]:
    """Questions with one right answer; n consecutive repetitions of a question are n questions.

    Raises `UserError` if there is no such question.
    """
    skipped = kept = 0
    for question, rows in groups:
        right = [i for i, (_, is_right) in enumerate(rows) if is_right]
        size = len(rows) // max(len(right), 1)
        alike = [(n * size) <= best < (n + 1) * size for n, best in enumerate(right)]
        complete = question.strip() and all(answer.strip() for answer, _ in rows)
        if not right or len(rows) % len(right) or not all(alike) or not complete:
            skipped += 1
            continue
        kept += len(right)
        for n, best in enumerate(right):
            answers = tuple(answer for answer, _ in rows[n * size : (n + 1) * size])
            yield Question(question, answers, best - n * size)
    if skipped:
        logger.warning("%s: skipped %s questions without exactly one right answer", place, f"{skipped:,}")
    if not kept:
        raise UserError(f"{place} contains no questions with exactly one right answer; supply another file")
