"""The shipped configuration with an overlay, and the error messages about it."""

from pathlib import Path

import pytest
import yaml

from textlvm.corpora import registry
from textlvm.experiment.config import check
from textlvm.experiment.paper import find
from textlvm.runtime.errors import UserError

ROOT = Path(__file__).parents[2]
PAPER = ROOT / "config.yaml"
REGISTRY = registry.load(ROOT / "workflow" / "corpora.yaml")
PAPERS = find({})


def merged(base, overlay):
    """Deep merge, as by Snakemake."""
    if not (isinstance(base, dict) and isinstance(overlay, dict)):
        return overlay
    return base | {key: merged(base[key], value) if key in base else value for key, value in overlay.items()}


def cases(text: str) -> list[tuple[str, str]]:
    """Pairs of an input, in lines that are not indented, and its message, in the indented lines below."""
    found: list[tuple[list[str], list[str]]] = []
    for line in text.strip().splitlines():
        if line.startswith(" "):
            found[-1][1].append(line.strip())
        elif found and not found[-1][1]:
            found[-1][0].append(line)
        else:
            found.append(([line], []))
    return [("\n".join(given), " ".join(message)) for given, message in found]


def sentence(tmp_path: Path, overlay: str) -> str:
    """The error message for config.yaml with this overlay, a file called mine.yaml."""
    file = tmp_path / "mine.yaml"
    file.write_text(overlay, encoding="utf-8")
    experiment = merged(yaml.safe_load(PAPER.read_text(encoding="utf-8")), yaml.safe_load(overlay))
    with pytest.raises(UserError) as error:
        check(experiment, [PAPER, file], REGISTRY, PAPERS)
    return str(error.value).replace(str(tmp_path) + "/", "").replace(str(ROOT) + "/", "")
