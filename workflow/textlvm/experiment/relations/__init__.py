"""How the values of a configuration must fit together: what a schema cannot say."""

from collections.abc import Collection, Mapping
from pathlib import Path

from textlvm.corpora.registry import Corpus
from textlvm.experiment.relations.folders import check_folders, check_literal, check_writable
from textlvm.experiment.relations.problem import Key, Problem, Section, dotted
from textlvm.experiment.relations.sentences import OF_QUESTIONS, QUESTIONS, check_sentences
from textlvm.experiment.relations.words import check_words
from textlvm.runtime.errors import nearest

__all__ = ["Key", "Problem", "check_relations", "check_writable", "dotted"]


def check_relations(config: Section, registry: Mapping[str, Corpus]) -> None:
    """Check a configuration that its schema allows; `registry` has the registered corpora by name.

    Raises `Problem` for the first thing that does not fit.
    """
    check_folders(config["pathvars"])
    for name, corpus in config["corpora"].items():
        check_literal(("corpora", name, "path"), corpus["path"])
    words, sentences = config["words"], config["sentences"]
    used: list[tuple[Key, str]] = []
    if "words" in config["papers"]:
        used += [(("words", "corpora", i), name) for i, name in enumerate(words["corpora"])]
        check_words(words)
    if "sentences" in config["papers"]:
        used += [
            (("sentences", "datasets", name, "corpus"), entry["corpus"])
            for name, entry in sentences["datasets"].items()
            if "corpus" in entry
        ]
        check_sentences(sentences)
    formats = {name: corpus.format for name, corpus in registry.items()}
    formats |= {name: own["format"] for name, own in config["corpora"].items() if "format" in own}
    for key, name in used:
        _check_corpus(key, name, config["corpora"], registry)
        if key[0] == "sentences":
            _check_format(key, name, formats)


def _check_format(key: Key, name: str, formats: Mapping[str, str | None]) -> None:
    """A data set's corpus has what is read from it: questions with ranked answers, or sentences."""
    wanted = "questions with ranked answers" if QUESTIONS in key else "sentences"
    fitting = [
        other
        for other, format in formats.items()
        if format and (format in OF_QUESTIONS) == (QUESTIONS in key)
    ]
    if name not in fitting:
        raise Problem(key, f"{dotted(key)} is '{name}', which has no {wanted}; {nearest(name, fitting)}")


def _check_corpus(key: Key, name: str, own: Section, registry: Collection[str]) -> None:
    """A corpus in use is known, and the file that the user gives for it is there."""
    if name not in registry and name not in own:
        said = f"{dotted(key[:-1])} lists" if isinstance(key[-1], int) else f"{dotted(key)} is"
        raise Problem(key, f"{said} '{name}'; {nearest(name, {*registry, *own})}")
    if name in own and not _is_there(Path(own[name]["path"])):
        place: Key = ("corpora", name, "path")
        raise Problem(place, f"{dotted(place)}: there is no file or folder {own[name]['path']}")


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, or in a folder that may not be read
        return False
