"""The same experiment in two places gives the same files, and none of them is written in place."""

from pathlib import Path

import pytest

from watching import OF_THE_PROCESS, differing, products

pytestmark = pytest.mark.faults

# Python runs this before every step, since it is found on the path that the rules set.
WITNESS = """
import os, sys

log = os.open(os.environ["WRITTEN"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def witness(event, arguments):
    if event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR) and not isinstance(arguments[0], int):
        os.write(log, os.path.abspath(os.fsencode(arguments[0])) + b"\\n")

sys.addaudithook(witness)
"""


@pytest.fixture(scope="module")
def witnessed(new_experiment, tmp_path_factory):
    """The experiment of `finished` in another folder, with two jobs at a time and another order of hashes."""
    folder = tmp_path_factory.mktemp("elsewhere")
    project = new_experiment(folder / "project")
    (project.root / "workflow" / "sitecustomize.py").write_text(WITNESS)
    project.run("snakemake --cores 2", env={"PYTHONHASHSEED": "2", "WRITTEN": str(folder / "written")})
    return project


def test_two_runs_give_the_same_files(finished, witnessed):
    assert products(finished.root).keys() == products(witnessed.root).keys()
    assert differing(witnessed.root, finished.root) == set()
    # What may differ is little.
    compared = [name for name in products(finished.root) if Path(name).name not in OF_THE_PROCESS]
    assert {Path(name).suffix for name in compared} >= {
        *(".csv", ".md", ".tex", ".png", ".svg", ".json", ".jsonl", ".npy", ".safetensors", ".arpa", ".tsv")
    }


def test_products_are_written_under_other_names_and_renamed(witnessed):
    written = (witnessed.root.parent / "written").read_text().splitlines()
    assert any("/results/" in path and Path(path).name.startswith(".metrics-") for path in written)
    assert set(map(str, products(witnessed.root).values())) & set(written) == set()


def test_nothing_unfinished_is_left(finished, witnessed):
    for project in (finished, witnessed):
        hidden = [p for folder in ("results", "resources") for p in (project.root / folder).rglob(".*")]
        assert hidden == []
