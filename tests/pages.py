"""The code blocks in README.md and docs."""

import re
from pathlib import Path

__all__ = ["BLOCK", "README", "blocks"]

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", flags=re.MULTILINE)


def blocks(page: Path, kind: str) -> list[str]:
    """The code blocks of a page in one language, such as `python`."""
    return [text for found, text in BLOCK.findall(page.read_text(encoding="utf-8")) if found == kind]
