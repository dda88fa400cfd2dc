"""Write stand-ins for the paper's corpora, from the documentation of the installed Python packages.

They require no network access. They have the formats of the corpora but other language, so results on them
only show that the workflow runs. `textlvm.corpora.documentation` writes the file of docstrings.

    python -m textlvm.sentences.data.standins --docstrings docstrings.jsonl --most 4000 \\
        --out sentences=sentences.txt labelled=labelled.txt answers=answers.txt \\
              paragraphs=paragraphs.txt questions=questions.txt

Writes the requested files, in lower case with spaces between tokens

    sentences    one sentence of 4 to 10 frequent tokens per line, for Penn Treebank
    labelled     `kind<TAB>text`, the kind of object and 30 to 200 tokens about it, for Yelp15
    answers      `what does … do ? text`, 20 to 200 tokens, for Yahoo Answers
    paragraphs   60 to 250 tokens below a heading ` = name = `, for WikiText-103
    questions    `what does … do#text#1` and 2 to 4 lines with texts about other objects, for YahooCQA
"""

import argparse
import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from textlvm.corpora.documentation import Docstring, read
from textlvm.runtime import cli, files
from textlvm.runtime.errors import UserError, nearest
from textlvm.sentences.data.prose import question, sentences

__all__ = ["FORMS", "make"]

# One in OBJECTS_PER_QUESTION objects is used for `questions`, the others for `answers`.
OBJECTS_PER_QUESTION = 4
LEAST_WRONG, MOST_WRONG = 2, 4
# A small model can reconstruct short sentences of frequent words after training on thousands of them. From
# CANDIDATES * `most` sentences, those that consist of the FREQUENT most frequent tokens are kept.
CANDIDATES = 10
FREQUENT = 1500

Tokens = tuple[str, ...]

logger = logging.getLogger(__name__)


def make(documentation: Iterable[Docstring], forms: Iterable[str], most: int) -> dict[str, str]:
    """The contents of the stand-ins by form, with at most `most` paragraphs, … or questions.

    Sentences are those of frequent words among `CANDIDATES` times as many. Texts are unique, and reading
    stops when every form has enough. An object is used in `answers` or in `questions`, not in both. Raises
    `UserError` for an unknown form, and for a form without any text.
    """
    collected: dict[str, dict[str, str]] = {form: {} for form in forms}
    for form in collected:
        if form not in FORMS:
            raise UserError(f"there is no stand-in '{form}'; {nearest(form, FORMS)}")
    limits = {form: most * CANDIDATES if form == "sentences" else most for form in collected}
    for docstring in documentation:
        prose = list(sentences(docstring.text))
        for form, texts in collected.items():
            for text, context in FORMS[form](docstring, prose):
                if len(texts) < limits[form]:
                    texts.setdefault(text, context)
        if all(len(texts) >= limits[form] for form, texts in collected.items()):
            break
    if "sentences" in collected:
        collected["sentences"] = _with_frequent_tokens(collected["sentences"])
    for form, texts in collected.items():
        if len(texts) < (MOST_WRONG + 1 if form == "questions" else 1):
            raise UserError(
                f"this Python has too little documentation for the stand-in '{form}': raise --most or "
                "use another Python"
            )
    return {form: "".join(WRITERS.get(form, _lines)(texts)) for form, texts in collected.items()}


def _single_sentences(docstring: Docstring, prose: Sequence[Tokens]) -> Iterator[tuple[str, str]]:
    for sentence in prose:
        if 4 <= len(sentence) <= 10:
            yield " ".join(sentence), ""


def _with_frequent_tokens(texts: Mapping[str, str]) -> dict[str, str]:
    """The texts whose tokens are all among the `FREQUENT` most frequent tokens of all texts."""
    counts = Counter(token for text in texts for token in text.split())
    frequent = {token for token, _ in counts.most_common(FREQUENT)}
    return {text: context for text, context in texts.items() if frequent.issuperset(text.split())}


def _labelled(docstring: Docstring, prose: Sequence[Tokens]) -> Iterator[tuple[str, str]]:
    yield from ((text, docstring.kind) for text in _leading_text(prose, 30, 200))


def _paragraphs(docstring: Docstring, prose: Sequence[Tokens]) -> Iterator[tuple[str, str]]:
    yield from ((text, docstring.name) for text in _leading_text(prose, 60, 250))


def _answers(docstring: Docstring, prose: Sequence[Tokens]) -> Iterator[tuple[str, str]]:
    asked = question(docstring)
    if asked and not _is_for_questions(docstring):
        for text in _leading_text([(*asked, "?"), *prose], 20, 200):
            yield text, ""


def _questions(docstring: Docstring, prose: Sequence[Tokens]) -> Iterator[tuple[str, str]]:
    asked = question(docstring)
    if asked and _is_for_questions(docstring):
        yield from ((text, " ".join(asked)) for text in _leading_text(prose, 5, 50))


FORMS: Mapping[str, Callable[[Docstring, Sequence[Tokens]], Iterator[tuple[str, str]]]] = {
    "sentences": _single_sentences,
    "labelled": _labelled,
    "answers": _answers,
    "paragraphs": _paragraphs,
    "questions": _questions,
}
"""The texts of each format from a docstring and its sentences."""


def _leading_text(prose: Sequence[Tokens], least: int, most: int) -> Iterator[str]:
    """The first sentences that fit into `most` tokens as one text, if it has at least `least` tokens."""
    tokens: list[str] = []
    for sentence in prose:
        if len(tokens) + len(sentence) > most:
            break
        tokens += sentence
    if len(tokens) >= least:
        yield " ".join(tokens)


def _is_for_questions(docstring: Docstring) -> bool:
    return hashlib.sha256(docstring.name.encode()).digest()[0] % OBJECTS_PER_QUESTION == 0


def _lines(texts: Mapping[str, str]) -> Iterator[str]:
    return (f"{text}\n" for text in texts)


def _labelled_lines(texts: Mapping[str, str]) -> Iterator[str]:
    return (f"{label}\t{text}\n" for text, label in texts.items())


def _articles(texts: Mapping[str, str]) -> Iterator[str]:
    return (f" \n = {heading} = \n \n {text} \n" for text, heading in texts.items())


def _triples(texts: Mapping[str, str]) -> Iterator[str]:
    answers = [text.replace("#", "") for text in texts]
    questions: dict[str, int] = {}
    for right, asked in enumerate(texts.values()):
        questions.setdefault(asked, right)
    for asked, right in questions.items():
        rng = np.random.default_rng(list(hashlib.sha256(asked.encode()).digest()))
        drawn = rng.choice(len(answers) - 1, rng.integers(LEAST_WRONG, MOST_WRONG + 1), replace=False)
        # Indices are shifted by one from the right answer on, so that it is never drawn.
        yield from (f"{asked}#{answers[i + (i >= right)]}#0\n" for i in drawn)
        yield f"{asked}#{answers[right]}#1\n"


WRITERS: Mapping[str, Callable[[Mapping[str, str]], Iterator[str]]] = {
    "labelled": _labelled_lines,
    "paragraphs": _articles,
    "questions": _triples,
}


def _place(text: str) -> tuple[str, Path]:
    form, _, path = text.partition("=")
    if not form or not path:
        raise argparse.ArgumentTypeError(f"expected FORM=PATH, got '{text}'")
    return form, cli.path(path)


def _main(options: argparse.Namespace) -> None:
    paths = dict(options.out)
    for form, text in make(read(options.docstrings), paths, options.most).items():
        # A docstring may contain unpaired surrogates, which UTF-8 cannot encode.
        files.write_bytes(paths[form], text.encode("utf-8", errors="replace"))
        logger.info("%s: %s characters", paths[form], f"{len(text):,}")


def _arguments() -> argparse.ArgumentParser:
    parser = cli.parser(__doc__)
    parser.add_argument("--docstrings", type=cli.path, required=True, help="the file of docstrings")
    parser.add_argument("--out", type=_place, nargs="+", required=True, metavar="FORM=PATH")
    parser.add_argument(
        "--most", type=cli.at_least(1), default=4000, help="sentences, texts or questions of each form"
    )
    return parser


if __name__ == "__main__":
    cli.run(_main, _arguments())
