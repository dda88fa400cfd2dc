"""A paper defined entirely in its own folder, run as docs/papers.md describes."""

import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

import reports
from textlvm.experiment.experiment import load_files
from textlvm.runtime.errors import UserError

ROOT = Path(__file__).parents[2]
FOLDER = Path("tests", "papers", "shannon")
PAGE = (ROOT / "docs" / "papers.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def finished(copy_project):
    """The project with the paper's folder, after running the command of the page in ordinary processes."""
    project = copy_project()
    shutil.copytree(ROOT / FOLDER, project.root / FOLDER, ignore=shutil.ignore_patterns("__pycache__"))
    project.run("snakemake --cores 2 --configfile tests/papers/shannon/config.yaml")
    return project


def test_page_lists_the_files_of_the_folder():
    files = {path.name for path in (ROOT / FOLDER).iterdir() if path.is_file()}
    named = set(re.findall(r"^\| `([\w.]+)` \|", PAGE.partition("## The planner")[0], re.MULTILINE))
    assert files - named == {"letters.py", "config.yaml"}
    assert named <= files


def test_paper_is_not_mentioned_outside_its_folder():
    tracked = subprocess.run(
        ["git", "grep", "--files-with-matches", "--ignore-case", "shannon", "--", "."],
        cwd=ROOT,
        text=True,
        capture_output=True,
    ).stdout.split()
    assert {path for path in tracked if not path.startswith(FOLDER.as_posix())} <= {
        "docs/papers.md",
        "tests/workflow/test_third_paper.py",
    }


def test_table_has_measured_and_published_values(finished):
    table = (finished.root / "results/shannon/shannon/gutenberg-counts/table1.md").read_text(encoding="utf-8")
    table, _, further = table.partition("Further numbers")
    cells = {line.split("|")[1].strip(): line.split("|")[2:4] for line in table.splitlines() if "F_" in line}
    assert "F_N (bits/letter)" in table
    assert "letters" in further
    one, two = (float(cells[row][0]) for row in ("F_1", "F_2"))
    # Any English text has about the printed entropies.
    assert abs(one - 4.14) < 0.2
    assert abs(two - 3.56) < 0.4
    assert [cells[row][1].strip() for row in ("F_1", "F_2")] == ["4.14", "3.56"]


def test_report_contains_the_table(finished):
    finished.run(f"snakemake --configfile {FOLDER}/config.yaml --report report.html")
    report = reports.read(finished.root / "report.html")
    table = "results/shannon/shannon/gutenberg-counts/table1.html"
    assert report.categories["Shannon (1951)"] == {"Tables": [table]}
    assert "Table 1 of Shannon (1951), with each reproduced metric" in report.results[table]["caption"]
    assert "<strong>shannon</strong>, each model trained with 1 seed(s)" in report.page


def test_claims_are_evaluated(finished):
    lines = (finished.root / "results/shannon/claims.csv").read_text(encoding="utf-8").splitlines()
    found = [line for line in lines if line.startswith(("a-letter-tells-of-the-next", "letters-are-not"))]
    assert len(found) == 2
    assert all(",holds," in line for line in found)


def test_page_and_archive_contain_the_paper(finished):
    results = finished.root / "results" / "shannon"
    page = (results / "index.html").read_text(encoding="utf-8")
    assert "Prediction and Entropy of Printed English" in page
    assert "Entropy of a letter given the letters before it" in page
    assert "data:image/" in page
    with zipfile.ZipFile(results / "ro-crate.zip") as archive:
        names = set(archive.namelist())
        graph = json.loads(archive.read("ro-crate-metadata.json"))["@graph"]
    assert f"{FOLDER.as_posix()}/letters.py" in names
    assert "results/shannon/gutenberg-counts/f1/seed0/metrics.json" in names
    assert any(entity["@id"].startswith("#shannon/gutenberg-counts/f2/seed0") for entity in graph)


def test_changed_setting_reruns_only_its_run(finished):
    line = f"snakemake --cores 2 --configfile {FOLDER}/config.yaml"
    assert finished.jobs(line) == set()
    (finished.root / "changed.yaml").write_text(
        "shannon: {runs: {f2: {model: {order: 1}}}}", encoding="utf-8"
    )
    rerun = finished.jobs(f"{line} changed.yaml")
    assert any("f2/seed0" in job for job in rerun)
    assert not any("f1/seed0" in job for job in rerun)


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ("shannon: {runs: {f2: {model: {order: 3}}}}", "shannon.runs.f2.model.order must be 1 or 2"),
        ("shannon: {corpora: [gutenberg-count]}", "did you mean 'gutenberg-counts'"),
        ("shannon: {runs: {f2: {modle: {order: 2}}}}", "unknown key 'modle' in shannon.runs.f2"),
        ("papers: [tests/papers/nobody]", "neither a paper of this project nor a folder with a paper.yaml"),
    ],
)
def test_invalid_setting_gives_one_error_message(tmp_path, monkeypatch, overlay, message):
    monkeypatch.chdir(ROOT)
    mine = tmp_path / "mine.yaml"
    mine.write_text(overlay, encoding="utf-8")
    with pytest.raises(UserError, match=re.escape(message)):
        load_files(["config.yaml", FOLDER / "config.yaml", mine])
