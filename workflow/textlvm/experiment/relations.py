"""Checks for the consistency of a configuration that a schema cannot express."""

import os
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from textlvm.corpora.registry import QUESTION_FORMATS, Corpus
from textlvm.experiment.folders import check_folders, check_literal
from textlvm.experiment.paper import Paper
from textlvm.runtime.errors import nearest
from textlvm.runtime.validation import Key, Problem, Section, dotted

__all__ = ["check_label", "check_read", "check_relations"]


def check_relations(config: Section, registry: Mapping[str, Corpus], papers: Iterable[Paper]) -> None:
    """Check a configuration that is valid by its schema.

    `registry` has the registered corpora by name, `papers` those that the configuration lists. Raises
    `Problem` for the first inconsistency.
    """
    check_folders(config["pathvars"])
    for name, corpus in config["corpora"].items():
        check_literal(("corpora", name, "path"), corpus["path"])
        if corpus.get("kind") == "sentences" and "format" not in corpus:
            place: Key = ("corpora", name)
            raise Problem(
                place, f"{dotted(place)} has `kind: sentences`: add its `format`, e.g. `format: lines`"
            )
    papers = tuple(papers)
    for paper in papers:
        paper.planner.check(config[paper.name])
    formats = {name: corpus.format for name, corpus in registry.items()}
    formats |= {name: entry["format"] for name, entry in config["corpora"].items() if "format" in entry}
    for paper in papers:
        for key, name, content in paper.planner.corpora(config[paper.name]):
            _check_corpus(key, name, config["corpora"], registry)
            if content != "words":
                _check_format(key, name, content, formats)


def check_read(key: Key, entry: Section, read: Collection[str], by: str) -> None:
    """Check that an entry sets only settings that its kind of model uses."""
    for setting in entry.get("model", {}):
        if setting not in read:
            name = dotted((*key, setting))
            raise Problem((*key, setting), f"{name} has no effect for {by}: remove it")


def check_label(key: Key, label: tuple[Any, ...], labels: dict[tuple[Any, ...], str]) -> None:
    """Check that the rows of a table have different labels."""
    if label in labels:
        raise Problem(
            (*key, "row"), f"{dotted(key)} has the same row label as {labels[label]}: use different ones"
        )
    labels[label] = str(key[-1])


def _check_format(key: Key, name: str, content: str, formats: Mapping[str, str | None]) -> None:
    """Check that a data set's corpus has questions with ranked answers, or sentences, as required."""
    of_questions = content == "questions"
    wanted = "questions with ranked answers" if of_questions else "sentences"
    fitting = [
        other for other, format in formats.items() if format and (format in QUESTION_FORMATS) == of_questions
    ]
    if name not in fitting:
        raise Problem(key, f"{dotted(key)} is '{name}', which has no {wanted}; {nearest(name, fitting)}")


def _check_corpus(key: Key, name: str, given: Section, registry: Collection[str]) -> None:
    """Check that a corpus in use is known, and that the user's file for it exists."""
    if name not in registry and name not in given:
        subject = f"{dotted(key[:-1])} lists" if isinstance(key[-1], int) else f"{dotted(key)} is"
        raise Problem(key, f"{subject} '{name}'; {nearest(name, {*registry, *given})}")
    # Unlike Path.exists, also if the name is too long or the folder is not readable.
    if name in given and not os.path.exists(given[name]["path"]):  # noqa: PTH110
        place: Key = ("corpora", name, "path")
        raise Problem(place, f"{dotted(place)}: there is no file or folder {given[name]['path']}")
