"""Tokenizers for lines of a corpus and for text that a user types.

`tweet` is NLTK's TweetTokenizer: with it, and words that occur at least twice, Penn Treebank has exactly the
paper's 9,877 words. `whitespace` is for corpora that are already tokenized. In both, invisible characters
are removed and letters are normalized first (`textlvm.corpora.characters`). Tokens can be encoded in UTF-8
and contain no tabs or line breaks; a token of TweetTokenizer may contain spaces, such as the telephone number
`+1 (800) 555-1234`.
"""

import re
from collections.abc import Callable

from textlvm.corpora.characters import plain
from textlvm.runtime.errors import UserError
from textlvm.sentences.data.dataset import Tokenization
from textlvm.sentences.data.vocabulary import UNKNOWN

__all__ = ["Tokenizer", "tokenizer", "typed_tokenizer"]

Tokenizer = Callable[[str], list[str]]

# Numeric character references, in the form that TweetTokenizer accepts.
REFERENCE = re.compile(r"&#([xX]?)([^&;\s]+);")
SURROGATES = range(0xD800, 0xE000)
CONTROL_CHARACTERS = {*range(0x20), 0x7F}


def tokenizer(settings: Tokenization) -> Tokenizer:
    """The function that tokenizes the lines of a corpus, with `<unk>` for the corpus's unknown words.

    >>> tokenizer(Tokenization(unknown=("_UNK",)))("What is _UNK ?")
    ['what', 'is', '<unk>', '?']
    """
    unknown = {name.lower() if settings.lower else name for name in settings.unknown}
    split = _tweets(settings.lower) if settings.method == "tweet" else _words(settings.lower)
    return lambda text: [UNKNOWN if token in unknown else token for token in split(text)]


def typed_tokenizer(settings: Tokenization) -> Tokenizer:
    """The function that tokenizes text that a user types, in the same way as the corpus.

    Corpora that are already tokenized follow the conventions of the Penn Treebank (`do n't`), which users do
    not type.

    >>> typed_tokenizer(Tokenization())("Don't panic, <unk>!")
    ['do', "n't", 'panic', ',', '<unk>', '!']
    """
    if settings.method == "tweet":
        return tokenizer(settings)
    from nltk.tokenize import NLTKWordTokenizer

    split = NLTKWordTokenizer().tokenize
    unknown = re.compile("|".join(map(re.escape, sorted({UNKNOWN, *settings.unknown}))))

    def tokenize(text: str) -> list[str]:
        parts = unknown.split(_normalized(text))
        first, *others = [split(part.lower() if settings.lower else part) for part in parts]
        return first + [token for part in others for token in (UNKNOWN, *part)]

    return tokenize


def _words(lower: bool) -> Tokenizer:
    if lower:
        return lambda text: _normalized(text).lower().split()
    return lambda text: _normalized(text).split()


def _tweets(lower: bool) -> Tokenizer:
    # Imported here because it takes seconds, and the workflow only reads the settings.
    from nltk.tokenize.casual import TweetTokenizer

    split = TweetTokenizer(preserve_case=not lower).tokenize

    def tokenize(text: str) -> list[str]:
        try:
            return split(_normalized(REFERENCE.sub(_decoded, text)))
        except TimeoutError as error:
            raise UserError(
                f"TweetTokenizer is too slow for the text that begins with {text[:60]!r}; split the text "
                "into sentences"
            ) from error

    return tokenize


def _decoded(reference: re.Match[str]) -> str:
    """Decode a numeric character reference that TweetTokenizer would decode wrongly."""
    try:
        number = int(reference[2], 16 if reference[1] else 10)
    except ValueError:
        return reference[0]
    if number in CONTROL_CHARACTERS:
        return " "
    return chr(number) if number in SURROGATES else reference[0]


def _normalized(text: str) -> str:
    """The text with surrogate pairs joined and characters normalized; unpaired surrogates become U+FFFD."""
    if text.isascii():
        return text
    return plain(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
