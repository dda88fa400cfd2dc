"""Invisible characters, and letters in unusual forms.

Unicode's default ignorable code points (soft hyphen, joiners, byte order mark, marks of direction, variation
selectors) do not end a word and are deleted in it. U+200B, the zero-width space, separates words. Ligatures,
full-width and other presentation forms of letters and digits are written as their usual ones, by Unicode's
compatibility decomposition (NFKC): U+FB01 as `fi`, U+FF21 as `A`, the long s U+017F as `s`. Left as they are:
letters and digits above or below the line, since `nº` is not `no`, and those that NFKC takes apart with other
characters, such as fractions.

Sources: Unicode Standard Annexes 15 (normalisation), 29 (words) and 44 (Default_Ignorable_Code_Point).
"""

import re
import unicodedata
from functools import lru_cache

__all__ = ["INVISIBLE", "ZERO_WIDTH_SPACE", "plain", "usual"]

ZERO_WIDTH_SPACE = "\u200b"
# Without the fillers of Hangul, which are letters, and the beams and slurs of musical notation.
BUT_JOINER = (
    r"\u00ad\u034f\u061c\u180b-\u180f\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f"
    r"\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff"
)
INVISIBLE = re.compile(rf"[\u200d{BUT_JOINER}]+")
INVISIBLE_BUT_JOINER = re.compile(f"[{BUT_JOINER}]+")
# Between two symbols it makes one emoji of them.
JOINER_OF_NO_EMOJI = re.compile(r"(?<![^\w\s])\u200d+|\u200d+(?![^\w\s])")
ABOVE_OR_BELOW = ("<super>", "<sub>")


@lru_cache(maxsize=1 << 12)
def usual(character: str) -> str:
    """A letter or digit in its usual form, which can be several characters; other characters are unchanged.

    >>> [usual(character) for character in "\ufb01\uff21\u00ba\u00bd"]
    ['fi', 'A', 'º', '½']
    """
    if not character.isalnum() or unicodedata.decomposition(character).startswith(ABOVE_OR_BELOW):
        return character
    form = unicodedata.normalize("NFKC", character)
    return form if all(c.isalnum() or unicodedata.category(c)[0] == "M" for c in form) else character


def plain(text: str) -> str:
    """A text without invisible characters, a space for U+200B, and letters in their usual, composed forms.

    Joiners within an emoji stay.

    >>> plain("infor\u00admation\u200bcafe\u0301")
    'information café'
    """
    if text.isascii():
        return text
    text = INVISIBLE_BUT_JOINER.sub("", text).replace(ZERO_WIDTH_SPACE, " ")
    text = JOINER_OF_NO_EMOJI.sub("", text)
    return unicodedata.normalize("NFC", "".join(map(usual, text)))
