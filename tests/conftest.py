"""A copy of the project in which the workflow can run, and a browser."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from browser import PROGRAMS, Browser
from project import Project

# A busy machine is no failure: tests do not time.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take minutes first, so that no process is left with one of them at the end."""
    items.sort(key=lambda item: item.path.parent.name not in ("real", "workflow"))


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
