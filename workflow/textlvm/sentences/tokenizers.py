"""From a line of text to tokens: as the paper's data sets come, and as a user types.

`tweet` is NLTK's TweetTokenizer: with it, and words seen more than once, Penn Treebank has exactly the
paper's 9,877 words. `whitespace` is for corpora that come with spaces between their tokens.
"""

import re
from collections.abc import Callable

from textlvm.sentences.dataset import Tokenization
from textlvm.sentences.vocabulary import UNKNOWN

__all__ = ["Tokenizer", "tokenizer", "typed"]

Tokenizer = Callable[[str], list[str]]


def tokenizer(settings: Tokenization) -> Tokenizer:
    """The function that cuts a corpus's lines into tokens, with `<unk>` for its unknown words.

    >>> tokenizer(Tokenization(unknown=("_UNK",)))("What is _UNK ?")
    ['what', 'is', '<unk>', '?']
    """
    unknown = _unknown(settings)
    if settings.method == "tweet":
        # Importing NLTK takes seconds; the workflow's front end reads settings and never cuts a line.
        from nltk.tokenize.casual import TweetTokenizer

        cut = TweetTokenizer(preserve_case=not settings.lower).tokenize
        return lambda text: [UNKNOWN if token in unknown else token for token in cut(text)]
    if settings.lower:
        return lambda text: [UNKNOWN if token in unknown else token for token in text.lower().split()]
    return lambda text: [UNKNOWN if token in unknown else token for token in text.split()]


def typed(settings: Tokenization) -> Tokenizer:
    """The function that cuts what a user types in the way of a corpus.

    Corpora with spaces between their tokens follow the conventions of the Penn Treebank (`do n't`), which
    nobody types.

    >>> typed(Tokenization())("Don't panic, <unk>!")
    ['do', "n't", 'panic', ',', '<unk>', '!']
    """
    if settings.method == "tweet":
        return tokenizer(settings)
    from nltk.tokenize import NLTKWordTokenizer

    cut = NLTKWordTokenizer().tokenize
    unknown = re.compile("|".join(map(re.escape, sorted({UNKNOWN, *settings.unknown}))))

    def tokenize(text: str) -> list[str]:
        between = [cut(part.lower() if settings.lower else part) for part in unknown.split(text)]
        return between[0] + [token for part in between[1:] for token in (UNKNOWN, *part)]

    return tokenize


def _unknown(settings: Tokenization) -> frozenset[str]:
    return frozenset(name.lower() if settings.lower else name for name in settings.unknown)
