"""config.yaml with a file merged over it, and the error message for it."""

from pathlib import Path

import pytest

from textlvm.corpora import registry
from textlvm.experiment.config import check, merged
from textlvm.experiment.paper import find
from textlvm.runtime.errors import UserError

ROOT = Path(__file__).parents[2]
PAPER = ROOT / "config.yaml"
REGISTRY = registry.load(ROOT / "workflow" / "corpora.yaml")
PAPERS = find({}, str)


def cases(text: str) -> list[tuple[str, str]]:
    """Pairs of input, in lines without indentation, and expected message, in the indented lines below."""
    found: list[tuple[list[str], list[str]]] = []
    for line in text.strip().splitlines():
        if line.startswith(" "):
            found[-1][1].append(line.strip())
        elif found and not found[-1][1]:
            found[-1][0].append(line)
        else:
            found.append(([line], []))
    return [("\n".join(given), " ".join(expected)) for given, expected in found]


def error_message(tmp_path: Path, overlay: str) -> str:
    """The error message for config.yaml with this overlay, in a file mine.yaml."""
    file = tmp_path / "mine.yaml"
    file.write_text(overlay, encoding="utf-8")
    with pytest.raises(UserError) as error:
        check(merged([PAPER, file]), [PAPER, file], REGISTRY, PAPERS)
    return str(error.value).replace(str(tmp_path) + "/", "").replace(str(ROOT) + "/", "")
