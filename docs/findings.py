"""Write docs/findings.md and the table of results in README.md from results/recorded.

    python docs/findings.py

docs/templates has the parts of the text. Expressions such as `mean("gutenberg/standard/tril", "ce_test")`
insert numbers; the modules quantities, bounds, draws and cells of this folder define them. `sure(…)` checks
what a sentence states: if new records contradict it, nothing is written.
"""

import math
import re
import statistics
import textwrap
import traceback
from collections.abc import Sequence
from pathlib import Path

import bounds
import cells
import draws
import jinja2
import quantities

__all__ = ["PAGE", "README", "rendered"]

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "findings.md"
README = ROOT / "README.md"
TEMPLATES = ROOT / "docs" / "templates"
PARTS = (
    "tables",
    "words",
    "words_readings",
    "words_data",
    "sentences",
    "reconstruction",
    "likelihood",
    "sentences_claims",
)
"""The parts of the text in order; a part uses the definitions of those before it."""
MODULES = (quantities, bounds, draws, cells)
"""The modules whose functions the template calls."""
MARKED = r"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
"""The part of README.md between these two comments is written by this program."""


def sure(condition: bool) -> str:
    """The empty string if the condition holds; otherwise an error."""
    if not condition:
        raise ValueError("the records no longer support this sentence")
    return ""


def place(error: Exception, template: jinja2.Template, texts: Sequence[str]) -> str:
    """The part and the line that raised an error; `texts` are the joined parts."""
    (*_, frame) = (frame for frame in traceback.extract_tb(error.__traceback__) if "<template>" in frame)
    line = template.get_corresponding_lineno(frame.lineno or 0)
    part = 0
    while line > texts[part].count("\n"):
        line -= texts[part].count("\n")
        part += 1
    return f"docs/templates/{PARTS[part]}.j2, line {line}"


def rendered() -> dict[Path, str]:
    """The content of the files, by path."""
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    known = {name: getattr(module, name) for module in MODULES for name in module.__all__}
    environment.globals |= known | {
        "sure": sure,
        "abs": abs,
        "float": float,
        "exp": math.exp,
        "log": math.log,
        "correlation": statistics.correlation,
        "fmean": statistics.fmean,
        "stdev": statistics.stdev,
    }
    texts = [(TEMPLATES / f"{part}.j2").read_text(encoding="utf-8") for part in PARTS]
    template = environment.from_string("".join(texts))
    try:
        module = template.make_module()
    except ValueError as error:
        error.add_note(place(error, template, texts))
        raise
    readme = README.read_text(encoding="utf-8")
    block = str(module.summary_table()).strip()
    pattern = re.compile(MARKED.format(name="findings: summary"), re.DOTALL)
    readme, count = pattern.subn(lambda match: f"{match[1]}{block}\n{match[2]}", readme)
    assert count == 1
    # Conditions of the template leave empty lines.
    blocks = re.split(r"\n{2,}", str(module).strip())
    return {PAGE: "\n\n".join(map(filled, blocks)) + "\n", README: readme}


def filled(block: str) -> str:
    """A paragraph with lines of at most 120 characters; tables, headings and images are unchanged."""
    if block.startswith(("|", "#", "!")):
        return block
    return textwrap.fill(block, 120, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    for path, text in rendered().items():
        path.write_text(text, encoding="utf-8")
