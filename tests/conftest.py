"""A copy of the project in which the workflow can run, its front-end called as by a user, and a browser."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from browser import PROGRAMS, Browser

# A busy machine is no failure: tests do not time.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take minutes first, so that no process is left with one of them at the end."""
    items.sort(key=lambda item: item.path.parent.name not in ("real", "workflow"))


@dataclass(frozen=True)
class Project:
    """A copy of the project's files, without results."""

    root: Path

    def start(self, line: str, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Start a command line as in a shell that has sourced envs/activate; `words` follow it, quoted."""
        bins = (self.root / "envs" / "bin", Path(sys.executable).parent)
        path = os.pathsep.join([*map(str, bins), os.environ["PATH"]])
        environment = {"PATH": path, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        environment |= {"PYTHONPATH": str(self.root / "workflow")}
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        options["env"] = os.environ | environment | options.get("env", {})
        return subprocess.Popen(
            ["bash", "-c", f'{line} "$@"', "bash", *words], cwd=self.root, text=True, **options
        )

    def call(self, line: str, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """The same, to its end."""
        process = self.start(line, *words, **options)
        output, errors = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def run(self, line: str, *words: str, **options: Any) -> str:
        """The output of a command line that must succeed."""
        result = self.call(line, *words, **options)
        output = result.stdout + result.stderr
        assert result.returncode == 0, output[-6000:]
        return output

    def jobs(self, line: str, *words: str) -> set[str]:
        """What a dry run would make: the first output of every job, or its rule where it has none."""
        output = self.run(line.replace("snakemake", "snakemake --dry-run", 1), *words)
        jobs = set(_jobs(output))
        assert jobs or "Nothing to be done" in output
        return jobs


def _jobs(output: str) -> Iterator[str]:
    for rule, block in re.findall(r"^(?:local)?rule (\w+):\n((?:    .*\n)*)", output, flags=re.MULTILINE):
        outputs = re.search(r"^    output: ([^,\n]+)", block, flags=re.MULTILINE)
        yield outputs[1] if outputs else rule


@pytest.fixture(scope="session", autouse=True)
def signals_that_stop() -> None:
    """Signals have their effect even where what started the tests ignores them, as a shell does with `&`."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def new_project(tmp_path_factory) -> Callable[..., Project]:
    """Makes copies of what git holds of the project and the workflow needs, in folders with a space."""

    def copy(root: Path | None = None) -> Project:
        root = root or tmp_path_factory.mktemp("copy") / "a project"
        root.mkdir()
        for name in ("Snakefile", "config.yaml"):
            shutil.copy(ROOT / name, root)
        for name in ("workflow", "envs"):
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        return Project(root)

    return copy


@pytest.fixture(scope="session")
def project(new_project) -> Project:
    """One copy for all tests that only ask what would be done."""
    return new_project()


@pytest.fixture
def restored(project):
    """The project, with the files that a test edits put back afterwards."""
    files = [project.root / "config.yaml", *(project.root / "workflow").rglob("*.py")]
    before = {path: path.read_bytes() for path in files}
    yield project
    for path, content in before.items():
        if path.read_bytes() != content:
            path.write_bytes(content)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """The one browser of all tests."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium or Chrome on the PATH; on Debian, apt install chromium")
    try:
        found = Browser(program, tmp_path_factory.mktemp("profile"))
    except (EOFError, BrokenPipeError):
        pytest.skip(f"{program} is there but does not start")
    yield found
    found.close()
