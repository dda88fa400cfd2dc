"""Detection of markup in plain text, whose tags would be counted as words.

The beginning of the file and its tags decide, because names are unreliable. A text that begins with a tag is
markup if it has end tags throughout; another text is markup if end tags of HTML's block elements are
frequent. A text that mentions tags or has only inline tags such as `<i>` is not markup. Special tokens of
corpora are not tags: `<unk>`, `<br />`, `<s> … </s>`.
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
    # The first member of such an archive, which gives its type.
    b"application/epub+zip": "an e-book",
    b"application/vnd.oasis.opendocument": "an office document",
}
TAG = re.compile(rb"<[!?a-z]")
END_TAG = re.compile(rb"</(?!s\s*>)[a-z][a-z0-9._:-]*\s*>")
BLOCK_END_TAG = re.compile(
    rb"</(?:html|head|title|script|style|body|div|section|article|h[1-6]|p|blockquote|ul|ol|li|dl|dt|dd|table"
    rb"|tr|td|th)\s*>"
)
MAX_BYTES_PER_END_TAG = 2000
MAX_BYTES_PER_BLOCK = 500
MIN_BLOCKS = 10


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
        and ends * MAX_BYTES_PER_END_TAG > len(text)
        and (ends > 2 or text.rstrip()[-1:] == b">")
    ):
        return "markup"
    blocks = len(BLOCK_END_TAG.findall(text))
    return "HTML" if blocks >= MIN_BLOCKS and blocks * MAX_BYTES_PER_BLOCK > len(text) else None
