"""Write a prepared data set, either all its files or none, with the statistics for Table 1."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textlvm.estimate import Estimate, exact
from textlvm.runtime import files
from textlvm.runtime.errors import UserError
from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.data.questions import Question, write_questions
from textlvm.sentences.data.vocabulary import SPECIALS, UNK, Codes, Vocabulary, write_vocabulary

__all__ = ["SplitContent", "write_question_set", "write_sentence_set"]

STATISTICS = "statistics.json"
VOCABULARY = "vocabulary.tsv"
QUESTIONS = "questions.json"


@dataclass(frozen=True)
class SplitContent:
    """The sentences of one split."""

    lengths: NDArray[np.int64]
    """Number of words of every sentence, shape (N,)."""
    blocks: Iterable[Codes]
    """The concatenated codes of the sentences, in blocks of any size."""
    labels: Codes | None = None
    """Label of every sentence, shape (N,), as an index into the names of the labels."""


def write_sentence_set(
    out: Path,
    vocabulary: Vocabulary,
    parts: Mapping[str, SplitContent],
    description: Mapping[str, Any],
    distinct: int = 1,
) -> dict[str, Any]:
    """Write a data set of sentences, `parts` by split, and return the content of `statistics.json`.

    `description` is its first part: name, settings and other properties of the data set. Raises `UserError`
    if the vocabulary has only one word, if the test sentences have no word of the vocabulary, or if they have
    fewer than `distinct` different sentences.
    """
    arrays = [f"{split}.{kind}.npy" for split in parts for kind in ("tokens", "offsets")]
    arrays += [f"{split}.labels.npy" for split, part in parts.items() if part.labels is not None]
    with _replacing_all(out, [STATISTICS, VOCABULARY, *arrays]) as paths:
        unknown = {}
        for split, part in parts.items():
            offsets = np.concatenate([[0], np.cumsum(part.lengths)]).astype(np.int64)
            np.save(paths[f"{split}.offsets.npy"], offsets)
            unknown[split] = _write_tokens(paths[f"{split}.tokens.npy"], int(offsets[-1]), part.blocks)
            if part.labels is not None:
                np.save(paths[f"{split}.labels.npy"], part.labels)
        place = f"data set '{description['dataset']}'"
        _check_vocabulary(place, vocabulary)
        test_set = SentenceSet(np.load(paths["test.tokens.npy"]), np.load(paths["test.offsets.npy"]))
        _check_test(place, test_set, distinct)
        write_vocabulary(paths[VOCABULARY], vocabulary)
        train, test = parts["train"].lengths, parts["test"].lengths
        metrics = {split: exact(len(part.lengths), "sentences") for split, part in parts.items()} | {
            "vocabulary": exact(len(vocabulary), "words"),
            "words_mean": exact(float(train.mean()), "words/sentence"),
            "words_sd": exact(float(train.std()), "words/sentence"),
            "unknown_test": exact(unknown["test"] / int(test.sum()), "share"),
        }
        return _write_statistics(paths[STATISTICS], description, metrics)


def write_question_set(
    out: Path,
    vocabulary: Vocabulary,
    splits: Mapping[str, Sequence[Question]],
    description: Mapping[str, Any],
) -> dict[str, Any]:
    """Write a data set of questions with its vocabulary, and return the content of `statistics.json`.

    Raises `UserError` if the vocabulary has only one word.
    """
    _check_vocabulary(f"data set '{description['dataset']}'", vocabulary)
    with _replacing_all(out, [STATISTICS, VOCABULARY, QUESTIONS]) as paths:
        write_questions(paths[QUESTIONS], splits)
        write_vocabulary(paths[VOCABULARY], vocabulary)
        metrics = {"vocabulary": exact(len(vocabulary), "words")}
        for split, questions in splits.items():
            metrics[split] = exact(sum(len(question.answers) for question in questions), "pairs")
            metrics[f"questions_{split}"] = exact(len(questions), "questions")
        return _write_statistics(paths[STATISTICS], description, metrics)


def _write_tokens(path: Path, size: int, blocks: Iterable[Codes]) -> int:
    """Write an array of `size` codes block by block; returns how many of them are <unk>."""
    unknown = 0
    header = {"descr": "<i4", "fortran_order": False, "shape": (size,)}
    # Not through a memory map: if the disk is full, writing to it kills the process without a message.
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(block.astype("<i4").tobytes())
            unknown += int(np.count_nonzero(block == UNK))
    return unknown


def _check_vocabulary(place: str, vocabulary: Vocabulary) -> None:
    """Raises `UserError` for a vocabulary of one word, which every model predicts."""
    words = vocabulary.tokens[len(SPECIALS) :]
    if len(words) == 1:
        raise UserError(
            f"{place}: its vocabulary has only the word '{words[0]}'; supply more sentences, or lower "
            "vocabulary.min_count"
        )


def _check_test(place: str, test: SentenceSet, distinct: int) -> None:
    """Check before training that the test sentences can be evaluated. Raises `UserError` otherwise."""
    if np.all(test.tokens == UNK):
        raise UserError(
            f"{place}: its vocabulary, that of the training sentences, has no word of the test sentences; "
            "supply sentences from the same source, or lower vocabulary.min_count"
        )
    number = len({sentence.tobytes() for sentence in test})
    if number < distinct:
        raise UserError(
            f"{place}: {number} test sentences are distinct in words of the vocabulary, but entropies from "
            f"{distinct - 1} neighbours require {distinct}; supply more, or lower "
            "evaluation.entropy_neighbours"
        )


def _write_statistics(
    path: Path, description: Mapping[str, Any], metrics: Mapping[str, Estimate]
) -> dict[str, Any]:
    result = {
        "paper": "sentences",
        **description,
        "split": "standard",
        "run": "data",
        "seed": 0,
        "status": "done",
        "metrics": {name: metric.to_json() for name, metric in metrics.items()},
    }
    files.write_json(path, result)
    return result


@contextmanager
def _replacing_all(folder: Path, names: Sequence[str]) -> Iterator[dict[str, Path]]:
    """Temporary paths for several files of a folder, all renamed at the end, the first name last."""
    for name in names:
        files.remove_temporaries(folder / name)
    with ExitStack() as stack:
        yield {name: stack.enter_context(files.replacing(folder / name)) for name in names}
