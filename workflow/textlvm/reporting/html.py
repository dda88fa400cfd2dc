"""Convert Markdown to an HTML page: reports show tables, texts and claims as such pages."""

from html import escape

from markdown_it import MarkdownIt

__all__ = ["page"]

STYLE = """
body { margin: 1.5rem; font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.25rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.75rem; border-bottom: 1px solid #ddd; vertical-align: top; text-align: left; }
th { border-bottom: 2px solid #888; position: sticky; top: 0; background: #fff; }
td:first-child { min-width: 8rem; } td[style*="right"] { white-space: nowrap; }
tbody tr:hover { background: #f4f6f8; }
li, p { max-width: 60rem; }
code { font-size: 0.9em; }
"""


def page(markdown: str) -> str:
    """Convert CommonMark with tables to a page; the first line is the title of the page.

    The page is self-contained and includes its style sheet. HTML within the Markdown is kept.
    """
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(markdown)
    body = parser.renderer.render(tokens, parser.options, {})
    title = "".join(token.content for token in tokens[1].children or ())
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
