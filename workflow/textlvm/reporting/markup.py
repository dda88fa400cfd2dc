r"""Escaping of plain text for markup formats: titles, labels and models' texts are shown literally.

Every text that is not this project's own passes one of these functions on its way into a figure, Markdown or
LaTeX: what a configuration, a model or an error gives. In HTML `html.escape` and the templates of
`textlvm.reporting.page` do it.
"""

import re
import unicodedata

__all__ = ["latex", "markdown", "markdown_code", "matplotlib"]

MARKDOWN = re.compile(
    r"""
    [\\`*<|$~]               # markup wherever it stands, on GitHub also formulas and what is struck out
    | &(?=\#?\w+;)           # an entity
    | \](?=[(\[:])           # the end of a link's text, or of a link's name before its definition
    | \[(?=\^)               # a footnote
    | ^(?:>|\[|[-+](?=[-+\s]|$))   # a quotation, a task, a list, a line
    | ^\#(?=[\#\s]|$) | \#(?=\#*$)  # a heading, or its end
    | (?<![^\W_])_ | _(?![^\W_])   # emphasis, which does not begin or end within a word
    """,
    re.VERBOSE,
)
NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")
"""A text that would begin a numbered list."""

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
    "†": r"$^\dagger$",
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
"""Characters of which LaTeX makes another one where two follow each other."""
RAISED = {"<super>": r"\textsuperscript", "<sub>": r"\textsubscript"}
SAME = ("<compat>", "<wide>", "<narrow>", "<noBreak>")
"""Kinds of characters that Unicode defines as variants of others."""


def matplotlib(text: str) -> str:
    """Text for a figure: a dollar sign begins no formula."""
    return text.replace("$", r"\$")


def markdown(text: str) -> str:
    """Text for a line, an item of a list or a cell of a table, in CommonMark with GitHub's extensions.

    Characters are escaped only where they could be markup.
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
    r"""Text for LaTeX, in ASCII. A character that pdflatex cannot set is named by its number, U+1F600.

    A text may begin a row of a table, where a bracket or a star would belong to the ``\\`` before.
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
    # Joiners and the like show nothing themselves.
    if unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return ""
    return rf"\texttt{{U+{ord(character):04X}}}"
