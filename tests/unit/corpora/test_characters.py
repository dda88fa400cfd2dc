import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.corpora.characters import INVISIBLE, plain, usual


def test_invisible_characters_are_format_characters_or_marks():
    found = [chr(code) for code in range(0x110000) if INVISIBLE.fullmatch(chr(code))]
    assert {"\u00ad", "\u200c", "\u200d", "\u2060", "\ufeff", "\ufe0f"} < {*found}
    assert "\u200b" not in found
    assert {unicodedata.category(character) for character in found} <= {"Cf", "Mn", "Cn"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("infor\u00admation", "information"),
        ("\ufeff\u2060 \u00ad", " "),
        ("a\u00ad\u200d", "a"),
        ("one\u200btwo", "one two"),
        ("a\u200db\u200d \u200d", "ab "),
        ("\ufb01nd \uff21\uff42", "find Ab"),
        ("cafe\u0301", "caf\u00e9"),
        ("\u00bd n\u00ba x\u00b2 \u2026 \u2122", "\u00bd n\u00ba x\u00b2 \u2026 \u2122"),
        ("\u2764\ufe0f \U0001f469\u200d\U0001f680", "\u2764 \U0001f469\u200d\U0001f680"),
    ],
)
def test_plain(text, expected):
    assert plain(text) == expected


@given(st.text())
def test_plain_is_idempotent(text):
    assert plain(plain(text)) == plain(text)


@given(st.characters())
def test_usual_form_of_a_letter_has_only_letters_and_marks(character):
    assert character.isalnum() <= all(
        c.isalnum() or unicodedata.category(c)[0] == "M" for c in usual(character)
    )
