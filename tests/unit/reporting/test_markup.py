import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from hostile import HOSTILE
from textlvm.reporting import html
from textlvm.reporting.claims.judge import Outcome
from textlvm.reporting.claims.lines import Line
from textlvm.reporting.claims.report import as_markdown
from textlvm.reporting.markup import latex, markdown, markdown_code, matplotlib
from textlvm.reporting.spread import RULE as BORROWING
from textlvm.reporting.verdict import RULE as VERDICTS

# Text that a user can type on one line.
LINES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], include_characters=" "))
MARKS = st.sampled_from([*"\\`*_{}[]()<>#+-.!|~$&;:'1a ", "&amp;", "a_b", "](x)", "[a]: b"])
MARKED = st.lists(MARKS).map("".join)


class Elements(HTMLParser):
    """The elements inside the body of a page, and its text."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(page.partition("<body>")[2])

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)

    def handle_data(self, data):
        self.text += data


def spaced(text):
    return " ".join(text.split())


FORMS = {
    "# {}": (["h1"], markdown),
    "# A\n\n- {}": (["h1", "ul", "li"], markdown),
    "# A\n\n**{}**: x": (["h1", "p", "strong"], markdown),
    "# A\n\nx\n\n{}": (["h1", "p", "p"], markdown),
    "# A\n\n| x |\n|---|\n| {} |": (["h1", "table", "thead", "tr", "th", "tbody", "tr", "td"], markdown),
    "# A\n\n| x |\n|---|\n| {}<br>y |": (
        ["h1", "table", "thead", "tr", "th", "tbody", "tr", "td", "code", "br"],
        markdown_code,
    ),
}


@pytest.mark.parametrize("form", FORMS)
@given(LINES | MARKED)
@example("a\\|b`")
def test_markdown_shows_text_literally(form, text):
    text = text.strip() or "x"
    elements, escape = FORMS[form]
    page = Elements(html.page(form.format(escape(text)) + "\n"))
    assert page.elements == elements
    assert spaced(text) in spaced(page.text)


@pytest.mark.parametrize("text", HOSTILE)
def test_page_title_is_the_literal_text(text):
    title = re.search("<title>(.*)</title>", html.page(f"# {markdown(text)}\n"))[1]
    assert spaced(unescape(title)) == spaced(text)


def test_markdown_escapes_only_markup():
    for text in ("REAL-NVP-[2,3]", "H[P_test, P̂] (nats/word)", "-0.50 ± 0.10", "iVAE_MI (32)", "A & B"):
        assert markdown(text) == text
    assert markdown("20% <unk>") == r"20% \<unk>"


@pytest.mark.parametrize("text", HOSTILE)
def test_claims_report_shows_texts_literally(papers, text):
    texts = (
        "id",
        "where",
        "claim",
        "predicate",
        "unit",
        "corpus",
        "missing",
        "rows",
        "corpus_title",
        "note",
    )
    line = Line(
        **dict.fromkeys((*texts, "corpus_title", "note"), text),
        paper="words",
        outcome=Outcome.UNDECIDED,
        effect=1.0,
        low=0.5,
        high=1.5,
        seeds=1,
        published_outcome=Outcome.HOLDS,
        stand_in=False,
        dataset="bookscorpus",
        comparison=f"{text} < a",
        published_effect=1.0,
        published_comparison=f"{text} > b",
        runs=(),
        borrowed_from="",
        replicate="seed",
    )
    page = Elements(html.page(as_markdown([line], papers)))
    assert page.elements.count("td") == 5
    assert spaced(page.text).count(spaced(text)) == 9


@given(LINES | MARKED)
@example("$a$ \\$b\\$")
def test_matplotlib_shows_text_literally(text):
    shown = Figure().text(0, 0, matplotlib(text))
    assert shown._preprocess_math(shown.get_text()) == (text, False)


@given(LINES | MARKED)
def test_latex_is_balanced_ascii(text):
    written = latex(text)
    assert written.isascii()
    bare = re.sub(r"\\[&%$#_{}\\]", "x", written)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert not re.search(r"[&%#]|--|''|,,", bare)
    assert not written.startswith(("[", "*"))


def test_latex_supports_every_character_of_notes_and_row_labels(published):
    for text in (VERDICTS, BORROWING, *{value.row for value in published}, *"·‡≈"):
        assert "U+" not in latex(text), text


def test_latex_shows_the_code_point_of_unsupported_characters():
    assert latex("😀 漢") == r"\texttt{U+1F600} \texttt{U+6F22}"
    assert latex("naïve P̂ x² ﬁ …") == r"na\"{i}ve \^{P} x\textsuperscript{2} fi ..."


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on the PATH")
def test_pdflatex_accepts_escaped_text(tmp_path):
    rows = "".join(f"{latex(text)} & 1 \\\\\n" for text in HOSTILE)
    captions = "\n\n".join(f"x {latex(text)} y" for text in HOSTILE)
    (tmp_path / "t.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs,amsmath}\\begin{document}\n"
        f"\\begin{{tabular}}{{lr}}\\toprule\n{rows}\\bottomrule\\end{{tabular}}\n\n{captions}\n\\end{{document}}\n"
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
