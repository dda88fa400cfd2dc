"""Detection of markup in plain text, whose tags would be counted as words.

The content decides, because names are unreliable: the beginning of the file, or its tags. A text that begins
with a tag is markup if it has end tags throughout; other texts are if end tags of HTML's blocks are frequent.
A text that mentions tags, or has only inline tags such as `<i>`, is not markup, and neither are the special
tokens of corpora: `<unk>`, `<br />`, `<s> … </s>`.
"""

import re

__all__ = ["form"]

BEGINNINGS = {
    b"<?xml": "XML",
    b"<!doctype": "HTML",
    b"<html": "HTML",
    b"{\\rtf": "RTF",
    b"%pdf-": "PDF",
    b"%!ps": "PostScript",
    # The first member of such an archive, which says what the archive is.
    b"application/epub+zip": "an e-book",
    b"application/vnd.oasis.opendocument": "an office document",
}
TAG = re.compile(rb"<[!?a-z]")
END_TAG = re.compile(rb"</(?!s\s*>)[a-z][a-z0-9._:-]*\s*>")
BLOCK_END_TAG = re.compile(
    rb"</(?:html|head|title|script|style|body|div|section|article|h[1-6]|p|blockquote|ul|ol|li|dl|dt|dd|table"
    rb"|tr|td|th)\s*>"
)
BYTES_TO_AN_END_TAG = 2000
BYTES_TO_A_BLOCK = 500
FEWEST_BLOCKS = 10


def form(block: bytes) -> str | None:
    """Name the markup language of a text by its first bytes; None for plain text.

    >>> form(b"<!DOCTYPE html><p>Tick.</p>"), form(b"The tag <p> begins a paragraph, </p> ends it.")
    ('HTML', None)
    """
    text = block.removeprefix(b"\xef\xbb\xbf").lstrip()
    beginning = text[:64].lower()
    for signature, name in BEGINNINGS.items():
        if beginning.startswith(signature):
            return name
    if b"</" not in text:
        return None
    text = text.lower()
    ends = len(END_TAG.findall(text))
    if (
        TAG.match(text)
        and ends * BYTES_TO_AN_END_TAG > len(text)
        and (ends > 2 or text.rstrip()[-1:] == b">")
    ):
        return "markup"
    blocks = len(BLOCK_END_TAG.findall(text))
    return "HTML" if blocks >= FEWEST_BLOCKS and blocks * BYTES_TO_A_BLOCK > len(text) else None
