"""Experiments to interrupt, an undisturbed one to compare with, a server, and paths of input files."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import tiny
from faults.server import Site
from project import Project
from textlvm.corpora.download import fetch
from textlvm.corpora.registry import Corpus, SourceFile
from textlvm.corpora.transfer import Patience
from textlvm.runtime.processes import exclusive
from watching import LIMIT


@pytest.fixture(scope="session")
def new_project(copy_project):
    """A function that copies the project; its steps are ordinary processes, which can be killed."""
    return copy_project


@pytest.fixture(scope="session")
def project(new_project):
    """A shared copy for tests that make dry runs only."""
    return new_project()


@pytest.fixture(scope="session")
def new_experiment(new_project):
    """A function that creates a project with few runs of both papers, in a new folder or a given one."""

    def copy(root=None):
        project = new_project(root)
        tiny.write(project.root, tiny.words, tiny.sentences)
        tiny.change(project.root, "words", tiny.few_words)
        tiny.change(project.root, "sentences", few_sentences)
        return project

    return copy


def few_sentences(section):
    svae, smim = (section["runs"]["ptb"][name] for name in ("svae", "smim"))
    pairs = {"ptb": {"svae": svae, "smim": smim}, "yelp15": {"smim": smim}, "yahoo": {"smim": smim}}
    answers = {"ap-bilstm": section["runs"]["yahoocqa"]["ap-bilstm"]}
    del section["datasets"]["everything"]
    section |= {
        "runs": pairs | {"yahoocqa": answers},
        "collected": {},
        "texts": {"table12": {"dataset": "ptb", "runs": ["smim"]}},
    }
    section["figures"]["bounds"] = {dataset: list(runs) for dataset, runs in pairs.items()}


@pytest.fixture(scope="session")
def finished(new_experiment, tmp_path_factory, worker_id) -> Project:
    """A project in which everything has been run, one job at a time; all test processes share it."""
    folder = tmp_path_factory.getbasetemp() / ("." if worker_id == "master" else "..") / "finished"
    with exclusive(folder, patience=LIMIT):
        root = folder / "root"
        if not root.exists():
            project = new_experiment()
            project.run("snakemake --cores 1", env={"PYTHONHASHSEED": "1"})
            root.symlink_to(project.root)
        return Project(root.resolve())


@pytest.fixture
def path(tmp_path) -> Path:
    """The path of an input file, alone in its folder."""
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder" / "source"


@pytest.fixture
def site() -> Iterator[Site]:
    """A server on this machine."""
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def out(tmp_path) -> Path:
    """The output path of a download."""
    return tmp_path / "downloads" / "novels" / "a.txt"


@pytest.fixture
def slept() -> list[float]:
    """Seconds waited before each retry."""
    return []


@pytest.fixture
def get(out, slept):
    """A function that downloads; waits are recorded in `slept` instead of waiting."""

    def download(*urls: str, timeout: float = 5, mirror: str | None = None, **known) -> bytes:
        source = SourceFile("a.txt", urls, **known)
        patience = Patience(timeout=timeout, sleep=slept.append)
        fetch(Corpus("novels", "Novels", "text", (source,)), source, out, mirror=mirror, patience=patience)
        assert not list(out.parent.glob("*.part*"))
        return out.read_bytes()

    return download
