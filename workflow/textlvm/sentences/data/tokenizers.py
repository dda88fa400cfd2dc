"""From a line of text to tokens: as the paper's data sets come, and as a user types.

`tweet` is NLTK's TweetTokenizer: with it, and words seen more than once, Penn Treebank has exactly the
paper's 9,877 words. `whitespace` is for corpora that come with spaces between their tokens. Both read texts
without invisible characters and with letters in their usual form (`textlvm.corpora.characters`). Tokens are
characters that UTF-8 can write, without tabs and ends of lines; one of TweetTokenizer's can have spaces in
it, such as the telephone number `+1 (800) 555-1234`.
"""

import re
from collections.abc import Callable

from textlvm.corpora.characters import plain
from textlvm.runtime.errors import UserError
from textlvm.sentences.data.dataset import Tokenization
from textlvm.sentences.data.vocabulary import UNKNOWN

__all__ = ["Tokenizer", "tokenizer", "typed"]

Tokenizer = Callable[[str], list[str]]

# As TweetTokenizer has it, which leaves to Python what a number is.
REFERENCE = re.compile(r"&#([xX]?)([^&;\s]+);")
SURROGATES = range(0xD800, 0xE000)
CONTROL_CHARACTERS = {*range(0x20), 0x7F}


def tokenizer(settings: Tokenization) -> Tokenizer:
    """The function that cuts a corpus's lines into tokens, with `<unk>` for its unknown words.

    >>> tokenizer(Tokenization(unknown=("_UNK",)))("What is _UNK ?")
    ['what', 'is', '<unk>', '?']
    """
    unknown = _unknown(settings)
    cut = _tweets(settings.lower) if settings.method == "tweet" else _words(settings.lower)
    return lambda text: [UNKNOWN if token in unknown else token for token in cut(text)]


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
        parts = unknown.split(_readable(text))
        between = [cut(part.lower() if settings.lower else part) for part in parts]
        return between[0] + [token for part in between[1:] for token in (UNKNOWN, *part)]

    return tokenize


def _words(lower: bool) -> Tokenizer:
    if lower:
        return lambda text: _readable(text).lower().split()
    return lambda text: _readable(text).split()


def _tweets(lower: bool) -> Tokenizer:
    # Importing NLTK takes seconds; the workflow's front end reads settings and never cuts a line.
    from nltk.tokenize.casual import TweetTokenizer

    cut = TweetTokenizer(preserve_case=not lower).tokenize

    def tokenize(text: str) -> list[str]:
        try:
            return cut(_readable(REFERENCE.sub(_referred, text)))
        except TimeoutError as error:
            raise UserError(
                f"TweetTokenizer is too slow for the text that begins with {text[:60]!r}; split the text "
                "into sentences"
            ) from error

    return tokenize


def _referred(reference: re.Match[str]) -> str:
    """Decode a numeric character reference that TweetTokenizer would decode wrongly."""
    try:
        number = int(reference[2], 16 if reference[1] else 10)
    except ValueError:
        return reference[0]
    if number in CONTROL_CHARACTERS:
        return " "
    return chr(number) if number in SURROGATES else reference[0]


def _readable(text: str) -> str:
    """A text before tokenization, with surrogate pairs joined; an unpaired surrogate becomes U+FFFD."""
    if text.isascii():
        return text
    return plain(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))


def _unknown(settings: Tokenization) -> frozenset[str]:
    return frozenset(name.lower() if settings.lower else name for name in settings.unknown)
