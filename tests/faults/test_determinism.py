"""The same experiment in two folders creates identical files, none of which is written in place."""

from pathlib import Path

import pytest

from watching import VARYING, differing, products

pytestmark = pytest.mark.faults

# Python runs this sitecustomize.py before every step; it logs all files opened for writing.
WRITE_LOG = """
import os, sys

log = os.open(os.environ["WRITTEN"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def log_writes(event, arguments):
    if event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR) and not isinstance(arguments[0], int):
        os.write(log, os.path.abspath(os.fsencode(arguments[0])) + b"\\n")

sys.addaudithook(log_writes)
"""


@pytest.fixture(scope="module")
def repeated(new_experiment, tmp_path_factory):
    """The experiment of `finished` in another folder, with two parallel jobs and another hash seed."""
    folder = tmp_path_factory.mktemp("elsewhere")
    project = new_experiment(folder / "project")
    (project.root / "workflow" / "sitecustomize.py").write_text(WRITE_LOG)
    project.run("snakemake --cores 2", env={"PYTHONHASHSEED": "2", "WRITTEN": str(folder / "written")})
    return project


def test_two_runs_create_identical_files(finished, repeated):
    assert products(finished.root).keys() == products(repeated.root).keys()
    assert differing(repeated.root, finished.root) == set()
    # Files of all formats are compared.
    compared = [name for name in products(finished.root) if Path(name).name not in VARYING]
    assert {Path(name).suffix for name in compared} >= {
        *(".csv", ".md", ".tex", ".png", ".svg", ".json", ".jsonl", ".npy", ".safetensors", ".arpa", ".tsv")
    }


def test_products_are_written_under_other_names_and_renamed(repeated):
    written = (repeated.root.parent / "written").read_text().splitlines()
    assert any("/results/" in path and Path(path).name.startswith(".metrics-") for path in written)
    assert set(map(str, products(repeated.root).values())) & set(written) == set()


def test_no_temporary_files_are_left(finished, repeated):
    for project in (finished, repeated):
        hidden = [p for folder in ("results", "resources") for p in (project.root / folder).rglob(".*")]
        assert hidden == []
