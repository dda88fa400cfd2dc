"""Formats numbers for the page: few digits, minus signs instead of hyphens, powers of ten."""

import re

from textlvm.reporting.shapes import LARGE

__all__ = ["short", "signed", "typeset"]

SUPERSCRIPTS = str.maketrans("0123456789−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def typeset(text: str) -> str:
    """The text of a number with minus signs instead of hyphens and powers of ten instead of exponents.

    >>> typeset("-1.5 ± 0.1"), typeset("1.0e-05"), typeset("5.6e+22"), typeset("stand-in")
    ('−1.5 ± 0.1', '1.0×10⁻⁵', '5.6×10²²', 'stand-in')
    """
    text = re.sub(r"-(?=\d)", "−", text)
    return re.sub(
        r"(?<=\d)e\+?(−?)0*(\d+)", lambda match: "×10" + "".join(match.groups()).translate(SUPERSCRIPTS), text
    )


def short(value: float, digits: int = 5) -> str:
    """A number in a few digits.

    >>> short(11.899999), short(-0.25), short(42068.0), short(3.2e9)
    ('11.9', '−0.25', '42,068', '3.2×10⁹')
    """
    return typeset(f"{value:,.{digits}g}")


def signed(value: float, decimals: int) -> str:
    """A difference with its sign.

    >>> signed(0.034, 2), signed(-1.2, 1), signed(-0.001, 2)
    ('+0.03', '−1.2', '0.00')
    """
    text = f"{value:+.1e}" if abs(value) >= LARGE else f"{value:+.{decimals}f}"
    return typeset(text if float(text) else text[1:])
