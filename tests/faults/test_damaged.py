"""A file between two steps is damaged by hand: the message has the command that repairs it, and it does."""

import re
import shutil

import pytest

import tiny
from project import Project
from watching import differing, products

pytestmark = pytest.mark.faults

WORDS = f"results/words/{tiny.CORPUS}"
RUN = f"{WORDS}/standard/tril/seed0"
PTB = "results/sentences/ptb"
# What is damaged, and what is made from it.
FILES = {
    f"resources/counts/{tiny.CORPUS}.tsv": f"{WORDS}/vocabulary.tsv",
    f"{WORDS}/vocabulary.tsv": f"{WORDS}/standard/words.tsv",
    f"{WORDS}/standard/words.tsv": f"{WORDS}/standard/char3.arpa",
    f"{WORDS}/standard/char3.arpa": f"{RUN}/metrics.json",
    f"{RUN}/spec.json": f"{RUN}/metrics.json",
    f"{RUN}/model.safetensors": f"{RUN}/metrics.json",
    f"{RUN}/metrics.json": "results/table1.csv",
    f"{RUN}/entropy.csv": f"{WORDS}/figure1.png",
    f"{RUN}/curve.jsonl": f"{WORDS}/figure2.png",
    "results/table1.csv": f"{WORDS}/table1.md",
    f"{PTB}/data/statistics.json": f"{PTB}/smim/seed0/metrics.json",
    f"{PTB}/data/vocabulary.tsv": f"{PTB}/smim/seed0/metrics.json",
    f"{PTB}/data/test.tokens.npy": f"{PTB}/smim/seed0/metrics.json",
    f"{PTB}/data/test.offsets.npy": f"{PTB}/smim/seed0/metrics.json",
    "results/sentences/yahoocqa/data/questions.json": "results/sentences/yahoocqa/ap-bilstm/seed0/spec.json",
    f"{PTB}/smim/seed0/histograms.json": "results/sentences/figure3.png",
    f"{PTB}/smim/seed0/qualitative.json": "results/sentences/table12.md",
}


@pytest.fixture(scope="module")
def project(finished, tmp_path_factory):
    """A copy of the finished experiment."""
    own = Project(tmp_path_factory.mktemp("copy") / "a project")
    # With the times of its files, by which Snakemake goes.
    shutil.copytree(finished.root, own.root, symlinks=True)
    return own


@pytest.mark.parametrize("file", FILES)
def test_the_message_has_the_command_that_repairs(project, finished, file):
    (project.root / file).write_bytes(b"garbage")
    command = f"snakemake --cores 2 {FILES[file]}"
    failed = project.call(command)
    assert failed.returncode != 0
    assert "Traceback" not in failed.stdout + failed.stderr
    said = re.findall(r"^error: .*the same command with `(--forcerun [^`]*)`", failed.stderr, re.MULTILINE)
    assert said, failed.stderr[-3000:]
    assert said[0] == f"--forcerun {file}"
    project.run(f"{command} {said[0]}")
    project.run("snakemake --cores 2")
    assert products(project.root).keys() == products(finished.root).keys()
    assert differing(project.root, finished.root) == set()


@pytest.mark.parametrize(
    ("file", "table"), [(f"{RUN}/metrics.json", 1), (f"{PTB}/smim/seed0/metrics.json", 2)]
)
def test_a_removed_number_is_measured_again(project, finished, file, table):
    (project.root / file).unlink()
    project.run(f"snakemake --cores 2 results/table{table}.csv")
    assert (project.root / file).exists()
    project.run("snakemake --cores 2")
    assert differing(project.root, finished.root) == set()
