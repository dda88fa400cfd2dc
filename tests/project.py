"""A copy of the project, and command lines run in it as by a user."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textlvm.runtime.forking import THREADS


@dataclass(frozen=True)
class Project:
    """A copy of the project's files, without results, or the project itself."""

    root: Path
    programs: Path | None = None
    """A folder of programs that replace those of the environment."""

    def start(self, line: str, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Start a command line as in a shell that has sourced envs/activate; `words` are appended, quoted."""
        bins = (self.root / "envs" / "bin", self.programs, Path(sys.executable).parent)
        path = os.pathsep.join([*map(str, filter(None, bins)), os.environ["PATH"]])
        environment = {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        environment |= dict.fromkeys(THREADS, "1") | {"PYTHONPATH": str(self.root / "workflow")}
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        options["env"] = os.environ | environment | options.get("env", {})
        return subprocess.Popen(
            ["bash", "-c", f'{line} "$@"', "bash", *words], cwd=self.root, text=True, **options
        )

    def call(self, line: str, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command line to its end."""
        process = self.start(line, *words, **options)
        output, errors = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def run(self, line: str, *words: str, **options: Any) -> str:
        """The output of a command line, which must succeed."""
        result = self.call(line, *words, **options)
        output = result.stdout + result.stderr
        assert result.returncode == 0, output[-6000:]
        return output

    def jobs(self, line: str, *words: str) -> set[str]:
        """The jobs of a dry run: the first output of each, or its rule if it has no output."""
        output = self.run(line.replace("snakemake", "snakemake --dry-run", 1), *words)
        jobs = set(_jobs(output))
        assert jobs or "Nothing to be done" in output
        return jobs


def _jobs(output: str) -> Iterator[str]:
    for rule, block in re.findall(r"^(?:local)?rule (\w+):\n((?:    .*\n)*)", output, flags=re.MULTILINE):
        outputs = re.search(r"^    output: ([^,\n]+)", block, flags=re.MULTILINE)
        yield outputs[1] if outputs else rule
