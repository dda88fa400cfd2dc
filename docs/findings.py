"""Write docs/findings.md and the table of results in README.md from results/recorded.

    python docs/findings.py

docs/findings.j2 is the template. Expressions such as `mean("gutenberg/standard/tril", "ce_test")` insert
numbers; docs/quantities.py and docs/cells.py define them. `sure(…)` checks what a sentence states: if new
records contradict it, nothing is written.
"""

import math
import re
import statistics
from pathlib import Path

import cells
import jinja2
import quantities

__all__ = ["PAGE", "README", "rendered"]

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "findings.md"
README = ROOT / "README.md"
TEMPLATE = "findings.j2"
MARKED = r"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
"""The part of README.md between these two comments is written by this program."""


def sure(condition: bool) -> str:
    """The empty string if the condition holds; otherwise an error."""
    if not condition:
        raise ValueError("the records no longer support a sentence of docs/findings.j2")
    return ""


def rendered() -> dict[Path, str]:
    """The content of the files, by path."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT / "docs"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    known = {name: getattr(module, name) for module in (quantities, cells) for name in module.__all__}
    environment.globals |= known | {
        "sure": sure,
        "abs": abs,
        "float": float,
        "log": math.log,
        "fmean": statistics.fmean,
        "stdev": statistics.stdev,
    }
    module = environment.get_template(TEMPLATE).make_module()
    readme = README.read_text(encoding="utf-8")
    block = str(module.summary_table()).strip()
    pattern = re.compile(MARKED.format(name="findings: summary"), re.DOTALL)
    readme, count = pattern.subn(lambda match: f"{match[1]}{block}\n{match[2]}", readme)
    assert count == 1
    # Conditions of the template leave empty lines.
    page = re.sub(r"\n{3,}", "\n\n", str(module)).lstrip()
    return {PAGE: page, README: readme}


if __name__ == "__main__":
    for path, text in rendered().items():
        path.write_text(text, encoding="utf-8")
