from pathlib import Path

import pytest

from textlvm.words.fused import build


@pytest.mark.parametrize(
    ("variable", "folder"),
    [("/cache", "/cache/textlvm"), *((text, "/home/me/.cache/textlvm") for text in ("", "~/cache", "cache"))],
)
def test_cache_is_outside_the_working_directory(monkeypatch, variable, folder):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("XDG_CACHE_HOME", variable)
    assert build._cache() == Path(folder)
