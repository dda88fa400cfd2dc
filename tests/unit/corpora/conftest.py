import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parents[3] / "workflow"


@pytest.fixture(scope="session")
def python():
    """Run Python with the package on its path, as rules do; returns the finished process."""

    def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(PACKAGES)} | variables
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    return run
