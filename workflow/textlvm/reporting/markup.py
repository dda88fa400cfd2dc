r"""Escaping of plain text for markup formats: titles, labels and models' texts are shown literally.

All text from configurations, models and errors must be escaped by one of these functions before it is written
into a figure, Markdown or LaTeX. In HTML, `html.escape` and the templates of `textlvm.reporting.page` escape.
"""

import re
import unicodedata

__all__ = ["latex", "markdown", "markdown_code", "matplotlib"]

MARKDOWN = re.compile(
    r"""
    [\\`*<|$~]               # markup at any place, on GitHub also formulas and strikethrough
    | &(?=\#?\w+;)           # an entity
    | \](?=[(\[:])           # the end of a link's text, or of a link's name before its definition
    | \[(?=\^)               # a footnote
    | ^(?:>|\[|[-+](?=[-+\s]|$))   # a quotation, a task, a list, a thematic break
    | ^\#(?=[\#\s]|$) | \#(?=\#*$)  # a heading, or its end
    | (?<![^\W_])_ | _(?![^\W_])   # emphasis, which does not begin or end within a word
    """,
    re.VERBOSE,
)
NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")
"""The beginning of a numbered list."""

LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "`": r"\textasciigrave{}",
    **{character: f"${character}$" for character in "<>|"},
    **dict.fromkeys("\t\n\r", " "),
    "×": r"$\times$",
    "±": r"$\pm$",
    "−": "$-$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "≠": r"$\ne$",
    "≈": r"$\approx$",
    "·": r"$\cdot$",
    "†": r"$^\dagger$",
    "‡": r"$^\ddagger$",
    "✓": r"$^{=}$",
    "✗": r"$^{\ne}$",
    "–": "--",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "\N{NO-BREAK SPACE}": "~",
    "\N{SOFT HYPHEN}": r"\-",
    **{"ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}"},
    **{"ø": r"\o{}", "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}"},
    **{
        letter: f"$\\{name}$"
        for letter, name in {
            **{"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "θ": "theta"},
            **{"λ": "lambda", "μ": "mu", "π": "pi", "σ": "sigma", "φ": "phi"},
        }.items()
    },
}
ACCENTS = {
    **{"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u"},
    **{"\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c"},
}
"""LaTeX's commands for combining characters, without the backslash."""
LIGATURES = "-',"
"""Characters that LaTeX replaces by a ligature if they are doubled."""
RAISED = {"<super>": r"\textsuperscript", "<sub>": r"\textsubscript"}
SAME = ("<compat>", "<wide>", "<narrow>", "<noBreak>")
"""Types of Unicode decompositions whose characters are replaced by their decomposition."""


def matplotlib(text: str) -> str:
    """Text for a figure, in which a dollar sign does not begin a formula."""
    return text.replace("$", r"\$")


def markdown(text: str) -> str:
    """Text for a line, an item of a list or a cell of a table, in CommonMark with GitHub's extensions.

    A character is escaped only at places where it could be markup.
    """
    line = re.sub(r"[\r\n]+", " ", text).strip()
    return NUMBERED.sub(r"\1\\\2", MARKDOWN.sub(r"\\\g<0>", line))


def markdown_code(text: str) -> str:
    """Text for a cell of a Markdown table, as code."""
    line = re.sub(r"[\r\n]+", " ", text).replace("|", r"\|")
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    space = " " if "`" in (line[:1], line[-1:]) else ""
    return f"{fence}{space}{line}{space}{fence}"


def latex(text: str) -> str:
    r"""Text for LaTeX, in ASCII. A character that pdflatex does not support becomes its code point, U+1F600.

    A bracket or a star at the beginning is put in braces: in a row of a table it would be an argument of the
    ``\\`` before.
    """
    parts: list[str] = []
    for character in unicodedata.normalize("NFC", text):
        if character in ACCENTS and parts and parts[-1].isalnum():
            parts[-1] = f"\\{ACCENTS[character]}{{{parts[-1]}}}"
        elif character in LIGATURES and parts[-1:] == [character]:
            parts += ["{}", character]
        else:
            parts.append(_latex(character))
    if parts[:1] in (["["], ["*"]):
        parts[0] = f"{{{parts[0]}}}"
    return "".join(parts)


def _latex(character: str) -> str:
    if character in LATEX:
        return LATEX[character]
    if " " <= character <= "~":
        return character
    kind, *codes = unicodedata.decomposition(character).split() or [""]
    if kind in RAISED or kind in SAME:
        content = latex("".join(chr(int(code, 16)) for code in codes))
        return f"{RAISED[kind]}{{{content}}}" if kind in RAISED else content
    letter, *accents = unicodedata.normalize("NFD", character)
    if letter.isascii() and len(accents) == 1 and accents[0] in ACCENTS:
        return f"\\{ACCENTS[accents[0]]}{{{letter}}}"
    # Format characters such as joiners are invisible.
    if unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return ""
    return rf"\texttt{{U+{ord(character):04X}}}"
