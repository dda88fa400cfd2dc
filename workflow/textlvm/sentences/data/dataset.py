"""The settings of a data set in config.yaml: its corpus, tokenization and splits.

ptb:
  corpus: ptb
  tokens: {method: tweet}
  vocabulary: {min_count: 2}
yahoo:
  corpus: yahoo
  tokens: {unknown: [_UNK]}
  vocabulary: {min_count: 2}
  # 9,000 and 1,000 sentences of the validation file, drawn disjointly, in place of the training file.
  splits: {train: {of: valid, draw: 9000}, valid: {of: valid, draw: 1000}, test: {of: test}}
  note: trained on 9,000 sentences of the validation file
everything:
  union: [ptb, yahoo]
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from textlvm import spec
from textlvm.corpora.registry import QUESTION_FORMATS, Corpus, SourceFile
from textlvm.runtime.errors import UserError, nearest

__all__ = [
    "SPLITS",
    "DatasetSettings",
    "SplitRule",
    "Tokenization",
    "UnionSettings",
    "VocabularyRule",
    "parse",
    "settings_of",
    "sources_of",
]

SPLITS = ("train", "valid", "test")
METHODS = ("tweet", "whitespace")
SPECIAL_TOKENS = 4  # padding, start, end, unknown


@dataclass(frozen=True)
class Tokenization:
    """The tokenization of a data set's texts. Raises `UserError` for an unknown method."""

    method: str = "whitespace"
    """tweet | whitespace."""
    lower: bool = True
    """Whether text is converted to lower case."""
    unknown: tuple[str, ...] = ("<unk>",)
    """The tokens that the corpus uses for unknown words."""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise UserError(f"tokens: unknown method '{self.method}'; {nearest(self.method, METHODS)}")


@dataclass(frozen=True)
class VocabularyRule:
    """Which words of the training set are kept. Raises `UserError` for invalid values."""

    min_count: int = 1
    """Minimum number of occurrences; 2 gives the paper's vocabulary of PTB."""
    size: int | None = None
    """Maximum number of codes, including the four special tokens: the most frequent words are kept."""

    def __post_init__(self) -> None:
        if self.min_count < 1:
            raise UserError(f"vocabulary: min_count must be at least 1, not {self.min_count}")
        if self.size is not None and self.size < SPECIAL_TOKENS + 2:
            raise UserError(
                f"vocabulary: size must be more than {SPECIAL_TOKENS + 1} or null, not {self.size}"
            )


@dataclass(frozen=True)
class SplitRule:
    """The source of the sentences of a split. Raises `UserError` for invalid values."""

    of: str
    """The split of the corpus: train, valid or test."""
    draw: int | None = None
    """Number of sentences to draw at random, disjoint from other draws; None: all."""

    def __post_init__(self) -> None:
        if self.of not in SPLITS:
            raise UserError(f"splits: a corpus has no split '{self.of}'; {nearest(self.of, SPLITS)}")
        if self.draw is not None and self.draw < 1:
            raise UserError(f"splits: draw must be at least 1 or null, not {self.draw}")


def _default_splits() -> dict[str, SplitRule]:
    return {name: SplitRule(name) for name in SPLITS}


@dataclass(frozen=True)
class DatasetSettings:
    """A data set made from one corpus. Raises `UserError` for inconsistent splits."""

    corpus: str
    """Name of the corpus in the registry."""
    format: str
    """lines | labelled | wikitext | triples | pickle, from the registry."""
    members: Mapping[str, str] = field(default_factory=dict)
    """Where each split of the corpus is in its file: a pattern of archive members, or the key of a pickle."""
    tokens: Tokenization = field(default_factory=Tokenization)
    vocabulary: VocabularyRule = field(default_factory=VocabularyRule)
    splits: Mapping[str, SplitRule] = field(default_factory=_default_splits)
    seed: int = 0
    """Seed of the draws."""
    note: str = ""
    """Difference from the paper's data set, for the notes of tables."""

    def __post_init__(self) -> None:
        if set(self.splits) != set(SPLITS):
            raise UserError(f"splits: set a source for each of {', '.join(SPLITS)}")
        for of in self.origins:
            rules = [rule for rule in self.splits.values() if rule.of == of]
            if len(rules) > 1 and any(rule.draw is None for rule in rules):
                raise UserError(
                    f"splits: {len(rules)} of them come from the corpus's {of}; set `draw` for each of them"
                )

    @property
    def origins(self) -> tuple[str, ...]:
        """The splits of the corpus that are used."""
        used = {rule.of for rule in self.splits.values()}
        return tuple(split for split in SPLITS if split in used)

    @property
    def of_questions(self) -> bool:
        """Whether the data set consists of questions with ranked answers instead of sentences."""
        return self.format in QUESTION_FORMATS


@dataclass(frozen=True)
class UnionSettings:
    """The union of data sets, such as the paper's Everything. Raises `UserError` for fewer than two."""

    union: tuple[str, ...]
    """Names of the data sets."""
    note: str = ""
    """Difference from the paper's data set."""

    def __post_init__(self) -> None:
        if len(self.union) < 2 or len(set(self.union)) < len(self.union):
            raise UserError("union: name two or more different data sets")


def parse(settings: Mapping[str, Any]) -> DatasetSettings | UnionSettings:
    """Parse settings from JSON. Raises `UserError` for an unknown, missing or invalid setting."""
    return spec.parse(UnionSettings if "union" in settings else DatasetSettings, settings, "data set")


def settings_of(entry: Mapping[str, Any], corpora: Mapping[str, Corpus]) -> dict[str, Any]:
    """The arguments of `parse`: a data set's entry of config.yaml with format and members of its corpus."""
    if "union" in entry:
        return dict(entry)
    corpus = corpora[entry["corpus"]]
    return {**entry, "format": corpus.format, "members": {s: m for s, (_, m) in corpus.splits.items()}}


def sources_of(entry: Mapping[str, Any], corpora: Mapping[str, Corpus]) -> dict[str, SourceFile]:
    """The source files of a data set, by split of the corpus; empty for a union.

    Raises `UserError` if the corpus lacks a split that the data set draws from.
    """
    settings = parse(settings_of(entry, corpora))
    if isinstance(settings, UnionSettings):
        return {}
    corpus = corpora[settings.corpus]
    for split in settings.origins:
        if split not in corpus.splits:
            there = ", ".join(f"'{name}'" for name in corpus.splits)
            raise UserError(
                f"corpus '{corpus.name}' has no split '{split}', only {there}: "
                f"say under `splits` where the data set's sentences come from, or use another corpus"
            )
    return {split: corpus.splits[split][0] for split in settings.origins}
