"""Project Gutenberg's own words around a text: the header and the licence that follows it."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

__all__ = ["body"]

START = re.compile(rb"\*{3} ?START OF (?:THE|THIS) PROJECT GUTENBERG[^*]{0,1000}\*{3}", re.IGNORECASE)
END = re.compile(
    rb"\n(?:\*{3} ?END OF (?:THE|THIS) PROJECT GUTENBERG|End of (?:the |this )?Project Gutenberg)",
    re.IGNORECASE,
)
HEADER = 1 << 17
LONGEST_END = 64


def body(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The part of a text between Project Gutenberg's start and end marks, as blocks; reads all of `blocks`.

    Where a mark is missing (the start mark within the first 128 KiB; older editions have none), the text
    is kept on that side.

    >>> header = b"Licence\\n*** START OF THE PROJECT GUTENBERG EBOOK EMMA ***"
    >>> footer = b"\\n*** END OF THE PROJECT GUTENBERG EBOOK EMMA ***\\nLicence"
    >>> b"".join(body([header, b"\\nEmma", footer]))
    b'\\nEmma'
    """
    blocks = iter(blocks)
    head = b""
    for block in blocks:
        head += block
        if len(head) > HEADER:
            break
    start = START.search(head)
    rest = b""
    ended = False
    for block in chain([head[start.end() :] if start else head], blocks):
        if ended:
            continue
        rest += block
        end = END.search(rest)
        ended = end is not None
        # The end mark may run from one block into the next: that much is held back.
        ready = end.start() if end else max(0, len(rest) - LONGEST_END)
        yield rest[:ready]
        rest = b"" if end else rest[ready:]
    yield rest
