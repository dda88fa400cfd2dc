"""Counts of a corpus, made as in the workflow: registry, checked file, counts."""

from pathlib import Path

import pytest

from textlvm.corpora import registry
from textlvm.corpora.counting import count
from textlvm.corpora.download import FOLDER_VARIABLE, fetch

REGISTRY = Path(__file__).parents[1] / "workflow" / "corpora.yaml"


def counted(name: str, scratch: Path, folder: Path | None = None) -> dict[str, int]:
    """Counts of a corpus of one file; skips the test if `folder` lacks that file."""
    corpus = registry.find(registry.load(REGISTRY), name)
    (source,) = corpus.files
    if folder and source.local and not (folder / source.local.path).is_file():
        pytest.skip(f"{FOLDER_VARIABLE} has no {source.local.path}")
    out = scratch / source.name
    fetch(corpus, source, out, folder)
    return count(out, corpus.content, corpus.members, corpus.cleaning)
