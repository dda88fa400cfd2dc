"""Removal of the header and the licence that Project Gutenberg adds to a text."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

__all__ = ["body"]

START = re.compile(rb"\*{3} ?START OF (?:THE|THIS) PROJECT GUTENBERG[^*]{0,1000}\*{3}", re.IGNORECASE)
END = re.compile(
    rb"\n(?:\*{3} ?END OF (?:THE|THIS) PROJECT GUTENBERG|End of (?:the |this )?Project Gutenberg)",
    re.IGNORECASE,
)
MAX_HEADER = 1 << 17
MAX_END_MARK = 64


def body(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the part of a text between Project Gutenberg's start and end marks; reads all of `blocks`.

    If a mark is missing, as in older editions, nothing is removed on that side. The start mark is searched
    only in the first 128 KiB.

    >>> header = b"Licence\\n*** START OF THE PROJECT GUTENBERG EBOOK EMMA ***"
    >>> footer = b"\\n*** END OF THE PROJECT GUTENBERG EBOOK EMMA ***\\nLicence"
    >>> b"".join(body([header, b"\\nEmma", footer]))
    b'\\nEmma'
    """
    blocks = iter(blocks)
    head = b""
    for block in blocks:
        head += block
        if len(head) > MAX_HEADER:
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
        # The end mark may span two blocks, so its maximum length is held back.
        ready = end.start() if end else max(0, len(rest) - MAX_END_MARK)
        yield rest[:ready]
        rest = b"" if end else rest[ready:]
    yield rest
