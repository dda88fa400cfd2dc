"""Sentences of prose from docstrings, and questions about the documented objects."""

import re
from collections.abc import Iterator

from textlvm.corpora.documentation import Docstring

__all__ = ["question", "sentences"]

# Beginnings of lines of examples, lists, fields and directives.
NOT_PROSE = re.compile(r"\s|>>>|\.\.|[-*+@:|=#<]|\d+[.)]")
UNDERLINE = re.compile(r"([-=~^\"'*#])\1{2,}\s*")
# `text`, :role:`text`, :role:`text <target>`
MARKUP = re.compile(r"(?::[\w:+-]+:)?`+~?([^`<]*?)(?:\s*<[^`]*>)?`+_*|\*\*?([^*\s][^*]*)\*\*?")
SENTENCE_END = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)\s+(?=[A-Z])")
TOKEN = re.compile(r"\w+(?:['.-]\w+)*|[^\w\s]")
ORDINARY = re.compile(r"[a-z]+(?:['-][a-z]+)*|[.,;:!?'\"()]")
LEAST_ORDINARY = 0.8  # share of tokens; a sentence with less is mostly code
NAME_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
QUESTIONS = {
    "module": "what is in the module {name}",
    "class": "what is the class {name} of {owner}",
    "function": "what does the function {name} of {owner} do",
    "method": "what does the method {name} of {owner} do",
}


def sentences(docstring: str) -> Iterator[tuple[str, ...]]:
    """The sentences of a docstring's prose as lower-case tokens, without examples, lists, fields and markup.

    >>> list(sentences("Return a `list`.  It may be empty.\\n\\n    >>> f()"))
    [('return', 'a', 'list', '.'), ('it', 'may', 'be', 'empty', '.')]
    """
    for block in re.split(r"\n\s*\n", docstring):
        lines = block.splitlines()
        if any(NOT_PROSE.match(line) or UNDERLINE.fullmatch(line) for line in lines):
            continue
        text = MARKUP.sub(lambda match: match[1] or match[2] or "", " ".join(block.split()))
        for sentence in SENTENCE_END.split(text):
            tokens = tuple(TOKEN.findall(sentence.lower()))
            ordinary = sum(ORDINARY.fullmatch(token) is not None for token in tokens)
            if tokens and tokens[-1] in ".!?" and ordinary >= LEAST_ORDINARY * len(tokens):
                yield tokens


def question(docstring: Docstring) -> tuple[str, ...] | None:
    """Make a question about an object, as tokens without the question mark; None for a topic.

    >>> question(Docstring("email.Message.getPart", "method", "email", ""))
    ('what', 'does', 'the', 'method', 'get', 'part', 'of', 'message', 'do')
    """
    if docstring.kind not in QUESTIONS:
        return None
    *owners, name = docstring.name.split(".")
    words = {"name": _words(name), "owner": _words(owners[-1]) if owners else "python"}
    if not all(words.values()):
        return None
    return tuple(QUESTIONS[docstring.kind].format(**words).split())


def _words(name: str) -> str:
    """A name as words.

    >>> _words("HTTPServer.parse_args2")
    'http server parse args 2'
    """
    return " ".join(NAME_WORD.findall(name)).lower()
