"""Prepare a data set: tokenize its corpus, draw its splits and choose its vocabulary.

    python -m textlvm.sentences.data.prepare --dataset ptb --out results/sentences/ptb/data \\
        --settings '{"corpus": "ptb", "format": "lines", "tokens": {"method": "tweet"}, …}' \\
        --sources train=ptb.train.txt valid=ptb.valid.txt test=ptb.test.txt

SOURCES are the downloaded files of the corpus's splits, or for a union the folders of its prepared data sets,
`ptb=results/sentences/ptb/data …`. Writes into OUT, either all files or none

    vocabulary.tsv                              `token<TAB>count`, in the order of codes
    <split>.tokens.npy, <split>.offsets.npy     the sentences of each split, see `prepared`
    <split>.labels.npy                          labels, if the corpus has them
    questions.json                              instead of these arrays, for a data set of questions
    statistics.json                             sizes for Table 1, in the format of metrics.json
"""

import argparse
import logging
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from textlvm.runtime import cli
from textlvm.runtime.errors import UserError, nearest
from textlvm.runtime.files import naming
from textlvm.sentences.data.corpus import TokenizedSource, Words, gather, tokenize_to_file
from textlvm.sentences.data.dataset import DatasetSettings, UnionSettings, parse
from textlvm.sentences.data.draws import draw
from textlvm.sentences.data.questions import (
    Question,
    join_tokens,
    read_pickle,
    read_triples,
    shuffled,
    split_tokens,
)
from textlvm.sentences.data.sources import records
from textlvm.sentences.data.tokenizers import Tokenizer, tokenizer
from textlvm.sentences.data.union import unite
from textlvm.sentences.data.vocabulary import Codes, choose
from textlvm.sentences.data.writing import SplitContent, write_question_set, write_sentence_set

__all__ = ["prepare"]

logger = logging.getLogger(__name__)

SCRATCH = ".prepare-"
"""The prefix of temporary folders for provisional codes, next to the output files."""

Sources = Mapping[str, Path]
Rows = np.ndarray[Any, np.dtype[np.int64]]


def prepare(
    name: str, settings: Mapping[str, Any], sources: Sources, out: Path, distinct: int = 1
) -> dict[str, Any]:
    """Prepare the data set `name` in the folder `out`; returns the content of `statistics.json`.

    `settings` come from `dataset.settings_of`. `sources` has the file of each split of the corpus that is
    used, or the folder of each data set of a union. At least `distinct` test sentences must be different.
    Raises `UserError` if a source is missing or has another format, or if a split cannot be used for training
    or evaluation.
    """
    parsed = parse(settings)
    needed = parsed.union if isinstance(parsed, UnionSettings) else parsed.origins
    for source in needed:
        if source not in sources:
            raise UserError(f"data set '{name}': source '{source}' is missing; {nearest(source, sources)}")
    description = {"dataset": name, "corpus": name, "note": parsed.note, "settings": dict(settings)}
    if isinstance(parsed, UnionSettings):
        return unite({member: sources[member] for member in parsed.union}, out, description, distinct)
    description["corpus"] = parsed.corpus
    if parsed.of_questions:
        return _questions(name, parsed, sources, out, description)
    return _sentences(name, parsed, sources, out, description, distinct)


def _sentences(
    name: str,
    settings: DatasetSettings,
    sources: Sources,
    out: Path,
    description: dict[str, Any],
    distinct: int,
) -> dict[str, Any]:
    words, labels = Words(), Words()
    tokenize = tokenizer(settings.tokens)
    out.mkdir(parents=True, exist_ok=True)
    for leftover in out.glob(f"{SCRATCH}*"):  # of a preparation that was killed
        shutil.rmtree(leftover)
    with naming(out), tempfile.TemporaryDirectory(prefix=SCRATCH, dir=out) as scratch:
        tokenized = {}
        for split in settings.origins:
            texts = records(sources[split], settings.format, settings.members.get(split, "*"))
            tokenized[split] = tokenize_to_file(texts, tokenize, words, labels, Path(scratch, split))
            logger.info("%s: %s sentences", sources[split], f"{len(tokenized[split].sentences):,}")
        sizes = {split: len(source.sentences) for split, source in tokenized.items()}
        rows = draw(sizes, settings.splits, name, settings.seed)
        origin = {split: tokenized[rule.of] for split, rule in settings.splits.items()}
        counts = np.zeros(len(words), dtype=np.int64)
        for block in gather(origin["train"].sentences, rows["train"]):
            counts += np.bincount(block, minlength=len(words))
        vocabulary = choose(list(words), counts, settings.vocabulary)
        codes, names = vocabulary.encode(words), sorted(labels)
        ranks = np.array([names.index(label) for label in labels], dtype=np.int32)
        parts = {split: _split_content(origin[split], rows[split], codes, ranks) for split in settings.splits}
        described = {**description, "labels": names} if names else description
        return write_sentence_set(out, vocabulary, parts, described, distinct)


def _split_content(source: TokenizedSource, rows: Rows, codes: Codes, ranks: Codes) -> SplitContent:
    labels = None if source.labels is None else ranks[source.labels[rows]]
    blocks = (codes[block] for block in gather(source.sentences, rows))
    return SplitContent(source.sentences.lengths[rows], blocks, labels)


def _questions(
    name: str, settings: DatasetSettings, sources: Sources, out: Path, description: dict[str, Any]
) -> dict[str, Any]:
    tokenize = tokenizer(settings.tokens)
    shuffled_questions = {}
    for split in settings.origins:
        member = settings.members.get(split, "*")
        read = read_triples if settings.format == "triples" else read_pickle
        shuffled_questions[split] = [shuffled(question) for question in read(sources[split], member)]
        logger.info("%s: %s questions", sources[split], f"{len(shuffled_questions[split]):,}")
    sizes = {split: len(questions) for split, questions in shuffled_questions.items()}
    rows = draw(sizes, settings.splits, name, settings.seed)
    splits = {
        split: [_cut_question(shuffled_questions[rule.of][row], tokenize) for row in rows[split]]
        for split, rule in settings.splits.items()
    }
    counts = Counter(token for text in _texts(splits["train"]) for token in split_tokens(text))
    vocabulary = choose(list(counts), np.array(list(counts.values())), settings.vocabulary)
    return write_question_set(out, vocabulary, splits, description)


def _cut_question(question: Question, tokenize: Tokenizer) -> Question:
    return replace(
        question,
        question=join_tokens(tokenize(question.question)),
        answers=tuple(join_tokens(tokenize(answer)) for answer in question.answers),
    )


def _texts(questions: list[Question]) -> Iterator[str]:
    for question in questions:
        yield question.question
        yield from question.answers


def _source(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not name or not path:
        raise argparse.ArgumentTypeError(f"expected NAME=PATH, got '{text}'")
    return name, cli.path(path)


def _main(options: argparse.Namespace) -> None:
    result = prepare(options.dataset, options.settings, dict(options.sources), options.out, options.distinct)
    metrics = result["metrics"].items()
    logger.info("%s: %s", options.dataset, ", ".join(f"{name} {m['value']:,.6g}" for name, m in metrics))


def _arguments() -> argparse.ArgumentParser:
    parser = cli.parser(__doc__)
    parser.add_argument(
        "--dataset", required=True, help="name of the data set; it determines which sentences are drawn"
    )
    parser.add_argument("--settings", type=cli.settings, required=True, help="JSON text or file")
    parser.add_argument("--sources", type=_source, nargs="+", required=True, metavar="NAME=PATH")
    parser.add_argument(
        "--distinct", type=cli.at_least(1), default=1, help="required number of distinct test sentences"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    return parser


if __name__ == "__main__":
    cli.run(_main, _arguments())
