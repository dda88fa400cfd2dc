"""Copies of the project in which the workflow can run, and a browser."""

import shlex
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings

from browser import PROGRAMS, Browser
from project import Project
from textlvm.runtime import starter

# Without deadlines, tests do not fail on a busy machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest files first, so that no process is left with one of them at the end."""
    items.sort(key=lambda item: item.path.parent.name not in ("real", "workflow"))


@pytest.fixture(scope="session", autouse=True)
def default_signal_handlers() -> None:
    """Handle SIGINT and SIGHUP by default, although a shell that starts the tests with `&` ignores them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def copy_project(tmp_path_factory) -> Callable[..., Project]:
    """A function that copies the files that the workflow needs to a folder whose name has a space."""

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
def programs() -> Iterator[Path]:
    """A folder with programs `python` and `snakemake` that fork a process, see `textlvm.runtime.starter`."""
    with starter.programs(
        [*starter.PACKAGES, "snakemake.cli"], ["textlvm", "snakemake"], PYTHONDONTWRITEBYTECODE="1"
    ) as folder:
        snakemake = folder / "snakemake"
        snakemake.write_text(f'#!/bin/sh\nexec {shlex.quote(str(folder / "python"))} -m snakemake "$@"\n')
        snakemake.chmod(0o755)
        yield folder


@pytest.fixture(scope="session")
def new_project(copy_project, programs) -> Callable[..., Project]:
    """A function that copies the project, like `copy_project`; its steps start faster."""
    return lambda root=None: replace(copy_project(root), programs=programs)


@pytest.fixture(scope="session")
def project(new_project) -> Project:
    """A shared copy for tests that make dry runs only."""
    return new_project()


@pytest.fixture
def restored(project):
    """The project; files that a test changes are restored afterwards."""
    files = [project.root / "config.yaml", *(project.root / "workflow").rglob("*.py")]
    before = {path: path.read_bytes() for path in files}
    yield project
    for path, content in before.items():
        if path.read_bytes() != content:
            path.write_bytes(content)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """The browser that all tests share."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium or Chrome on the PATH; on Debian, apt install chromium")
    try:
        found = Browser(program, tmp_path_factory.mktemp("profile"))
    except (EOFError, BrokenPipeError):
        pytest.skip(f"{program} does not start")
    yield found
    found.close()
