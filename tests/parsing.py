"""Command lines of steps, parsed without running the steps."""

import argparse
import runpy
import sys

import pytest

from textlvm.runtime import cli


def parse(monkeypatch: pytest.MonkeyPatch, module: str, *words: str) -> argparse.Namespace:
    """The arguments of `python -m MODULE WORDS`. Raises `SystemExit` if they are invalid."""
    parsed = []
    monkeypatch.setattr(cli, "run", lambda main, parser: parsed.append(parser.parse_args(words)))
    # runpy warns if the module has been imported before.
    monkeypatch.delitem(sys.modules, module, raising=False)
    runpy.run_module(module, run_name="__main__")
    (arguments,) = parsed
    return arguments
