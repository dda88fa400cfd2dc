import importlib.machinery
import importlib.util
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "envs" / "bin" / "snakemake"


@pytest.fixture(scope="module")
def front_end():
    """envs/bin/snakemake as a module."""
    loader = importlib.machinery.SourceFileLoader("front_end", str(FILE))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module
