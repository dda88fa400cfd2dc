"""Invisible characters, and letters in unusual forms.

Unicode's default ignorable code points (soft hyphen, joiners, byte order mark, direction marks, variation
selectors) do not separate words and are deleted. U+200B, the zero-width space, separates words. Ligatures,
full-width and other presentation forms of letters and digits are replaced by their usual forms, according to
Unicode's compatibility decomposition (NFKC): U+FB01 by `fi`, U+FF21 by `A`, the long s U+017F by `s`.
Unchanged are superscripts and subscripts, since `nº` is not `no`, and characters whose decomposition is not
only letters and digits, such as fractions.

Sources: Unicode Standard Annexes 15 (normalisation), 29 (words) and 44 (Default_Ignorable_Code_Point).
"""

import re
import unicodedata
from functools import lru_cache

__all__ = ["INVISIBLE", "ZERO_WIDTH_SPACE", "plain", "usual"]

ZERO_WIDTH_SPACE = "\u200b"
# Without U+200D, the Hangul fillers, which are letters, and the beams and slurs of musical notation.
WITHOUT_JOINER = (
    r"\u00ad\u034f\u061c\u180b-\u180f\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f"
    r"\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff"
)
INVISIBLE = re.compile(rf"[\u200d{WITHOUT_JOINER}]+")
INVISIBLE_WITHOUT_JOINER = re.compile(f"[{WITHOUT_JOINER}]+")
# A joiner between two symbols combines them into one emoji.
JOINER_OUTSIDE_EMOJI = re.compile(r"(?<![^\w\s])\u200d+|\u200d+(?![^\w\s])")
SUPERSCRIPT_OR_SUBSCRIPT = ("<super>", "<sub>")


@lru_cache(maxsize=1 << 12)
def usual(character: str) -> str:
    """Return a letter or digit in its usual form, possibly several characters; others are unchanged.

    >>> [usual(character) for character in "\ufb01\uff21\u00ba\u00bd"]
    ['fi', 'A', 'º', '½']
    """
    if not character.isalnum() or unicodedata.decomposition(character).startswith(SUPERSCRIPT_OR_SUBSCRIPT):
        return character
    form = unicodedata.normalize("NFKC", character)
    return form if all(c.isalnum() or unicodedata.category(c)[0] == "M" for c in form) else character


def plain(text: str) -> str:
    """Remove invisible characters, replace U+200B by a space, and write letters in usual, composed forms.

    Joiners within an emoji are kept.

    >>> plain("infor\u00admation\u200bcafe\u0301")
    'information café'
    """
    if text.isascii():
        return text
    text = INVISIBLE_WITHOUT_JOINER.sub("", text).replace(ZERO_WIDTH_SPACE, " ")
    text = JOINER_OUTSIDE_EMOJI.sub("", text)
    return unicodedata.normalize("NFC", "".join(map(usual, text)))
