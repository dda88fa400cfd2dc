"""A damaged intermediate file: the error message contains the command that recreates the file."""

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
# The damaged file, and a target that depends on it.
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
    copied = Project(tmp_path_factory.mktemp("copy") / "a project")
    # copytree keeps the modification times, on which Snakemake relies.
    shutil.copytree(finished.root, copied.root, symlinks=True)
    return copied


@pytest.mark.parametrize("file", FILES)
def test_command_in_the_error_message_recreates_the_file(project, finished, file):
    (project.root / file).write_bytes(b"garbage")
    command = f"snakemake --cores 2 {FILES[file]}"
    failed = project.call(command)
    assert failed.returncode != 0
    assert "Traceback" not in failed.stdout + failed.stderr
    advice = re.findall(r"^error: .*the same command with `(--forcerun [^`]*)`", failed.stderr, re.MULTILINE)
    assert advice, failed.stderr[-3000:]
    assert advice[0] == f"--forcerun {file}"
    project.run(f"{command} {advice[0]}")
    project.run("snakemake --cores 2")
    assert products(project.root).keys() == products(finished.root).keys()
    assert differing(project.root, finished.root) == set()


@pytest.mark.parametrize(
    ("file", "table"), [(f"{RUN}/metrics.json", 1), (f"{PTB}/smim/seed0/metrics.json", 2)]
)
def test_removed_metrics_are_computed_again(project, finished, file, table):
    (project.root / file).unlink()
    project.run(f"snakemake --cores 2 results/table{table}.csv")
    assert (project.root / file).exists()
    project.run("snakemake --cores 2")
    assert differing(project.root, finished.root) == set()
