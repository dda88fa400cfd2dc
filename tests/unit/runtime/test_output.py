import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("module", ["textlvm.corpora.status", "textlvm.reporting.status"])
def test_a_command_ends_without_an_error_when_its_output_is_closed(module):
    ours, theirs = os.pipe()
    os.close(ours)
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow")}
    command = [sys.executable, "-m", module]
    result = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=theirs, stderr=subprocess.PIPE, text=True
    )
    os.close(theirs)
    assert (result.returncode, result.stderr) == (0, "")
