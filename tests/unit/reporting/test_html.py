import re
from html.parser import HTMLParser

from hypothesis import example, given, settings
from hypothesis import strategies as st

from textlvm.reporting import html
from textlvm.sentences import text_tables


class Text(HTMLParser):
    """The tag and the text of each element of a page."""

    def __init__(self, page):
        super().__init__()
        self.open, self.found = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag in ("td", "th", "li", "p", "h1", "h2"):
            self.found.append([tag, ""])

    def handle_data(self, data):
        if self.found and self.open[-1] != "style":
            self.found[-1][1] += data

    def of(self, tag):
        return [text.strip() for name, text in self.found if name == tag]


MARKDOWN = """# Claims & numbers

Two *hold*.

## Words

| Claim | Effect |
|:--|--:|
| a \\| b<br>`c - d` | **−0.5** |
| x |  |

- Rule: \\<1
"""


def test_markdown_elements_become_html_elements():
    page = html.page(MARKDOWN)
    text = Text(page)
    assert text.of("h1") == ["Claims & numbers"]
    assert text.of("p") == ["Two hold."]
    assert text.of("th") == ["Claim", "Effect"]
    assert text.of("td") == ["a | bc - d", "−0.5", "x", ""]
    assert text.of("li") == ["Rule: <1"]
    assert "<title>Claims &amp; numbers</title>" in page
    assert '<td style="text-align:right"><strong>−0.5</strong></td>' in page


def test_page_has_no_external_resources():
    assert not re.search(r"src=|href=|@import|url\(|<script", html.page(MARKDOWN))


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)


@settings(deadline=None)
@given(st.lists(words, min_size=2, max_size=2))
@example(["&lt;", "&amp;x"])
def test_generated_text_is_shown_literally(cells):
    table = text_tables._table(["", "x"], [[f"n{cell}" for cell in cells]])
    assert Text(html.page(f"# A table\n\n{table}\n")).of("td") == [f"n{cell}" for cell in cells]
