"""The records that are read, compared with the tables, claims and commands in their folders."""

import csv
import re
import shutil

import pytest

from textlvm.reporting.fits import Interval
from textlvm.reporting.recorded.records import command, read_records
from textlvm.reporting.tidy import read_tidy
from textlvm.runtime.errors import UserError

CONFIG = """\
pathvars: {{results: {results}}}
papers: [words]
"""


def test_cells_equal_the_recorded_tables(records, clone):
    compared = 0
    for record in records:
        for path in sorted((clone / record.plan.results / "partial").glob("table*.csv")):
            tidy = [cell for cell in read_tidy(path) if cell.measured]
            cells = [cell for cell in record.cells if cell.part.table == int(path.stem.removeprefix("table"))]
            # Rows that an experiment adds can be in a different order.
            measured = [cell for cell in cells if cell.measured]
            assert sorted(measured, key=repr) == sorted(tidy, key=repr)
            compared += len(tidy)
    assert compared > 500


def test_claims_equal_the_recorded_claims(records, clone):
    files = {record.name: clone / record.plan.results / "partial" / "claims.csv" for record in records}
    files = {name: file for name, file in files.items() if file.exists()}
    assert files
    for record in records:
        if record.name in files:
            with files[record.name].open(encoding="utf-8", newline="") as lines:
                listed = [(line["claim"], line["outcome"], line["missing"]) for line in csv.DictReader(lines)]
            checks = [(claim.text, check) for claim in record.claims for check in claim.checks]
            assert [(claim, check.line.outcome, check.line.missing) for claim, check in checks] == listed


def test_commands_equal_those_in_the_list_of_runs(records, clone):
    text = (clone / "results/recorded/runs.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`(snakemake .*?)` \|$", text, flags=re.MULTILINE))
    found = set()
    for record in records:
        for entry in record.plan.planned:
            line = command(record.plan, entry)
            start, seeds, end = re.fullmatch(r"(.*/seed|[^{]*$)(?:\{(.*)\}|(\d+))?(.*)", line).group(1, 2, 4)
            found |= {f"{start}{seed}{end}" for seed in seeds.split(",")} if seeds else {line}
    # The list does not contain data sets.
    assert {line for line in found if "/seed" in line} == listed


def test_runs_and_tables_without_results_are_omitted(records):
    for record in records:
        assert all(record.plan.outcomes(entry) for entry in record.plan.planned)
        assert all(cell.measured or cell.printed for cell in record.cells)
        tables = {cell.part.table for cell in record.cells}
        assert tables == {cell.part.table for cell in record.cells if cell.measured}


def test_all_recorded_figures_are_shown(records, clone):
    for record in records:
        drawn = {f"{figure.path}.png" for figure in record.plan.figures}
        folder = clone / record.plan.results
        assert drawn == {str(path.relative_to(folder)) for path in folder.rglob("figure*.png")}


@pytest.fixture
def folder(clone, tmp_path, monkeypatch):
    """An empty folder for records in a folder with the files of the project."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(clone / "config.yaml", tmp_path)
    (tmp_path / "workflow").symlink_to(clone / "workflow")
    return tmp_path / "records"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def read(folder):
    return read_records(folder.relative_to(folder.parent), folder.parent / "config.yaml")


def test_folder_without_experiments_is_rejected(folder):
    with pytest.raises(UserError, match=r"^records has no folder with experiment\.yaml; name the folder"):
        read(folder)


def test_experiment_without_results_is_omitted(folder):
    write(folder / "one" / "experiment.yaml", CONFIG.format(results="records/one"))
    assert read(folder) == []


def test_results_outside_the_folder_of_the_experiment_are_rejected(folder):
    write(folder / "one" / "experiment.yaml", CONFIG.format(results="results"))
    with pytest.raises(UserError, match=r"experiment\.yaml: .*; set pathvars\.results to records/one$"):
        read(folder)


def test_description_is_the_comment_of_the_configuration(records):
    about = {record.name: record.about for record in records}["gutenberg-fiction"]
    assert about.startswith("The words paper on a second corpus: the word counts of the fiction among ")
    assert about.endswith("Project Gutenberg's top 100 authors.")


def test_readings_are_optional_but_damaged_files_are_rejected(folder, clone):
    shutil.copytree(clone / "results/recorded/gutenberg-fiction", folder / "one")
    configuration = (folder / "one" / "experiment.yaml").read_text(encoding="utf-8")
    moved = configuration.replace("results: results/recorded/gutenberg-fiction", "results: records/one")
    write(folder / "one" / "experiment.yaml", moved)
    file = folder / "one" / "partial" / "readings.csv"
    file.unlink(missing_ok=True)
    assert [record.readings for record in read(folder)] == [()]
    line = {
        **{"paper": "words", "table": "1", "dataset": "bookscorpus", "corpus": "mine"},
        **{"corpus_title": "My books", "split": "standard", "column": "h_gap"},
        **{"reading": "mean", "compared": "true", "computes": "a mean", "why": "it says so", "rows": "9"},
        **{"seeds": "3", "rms": "0.25", "rms_low": "0.2", "rms_high": "0.3", "bias": "1", "rank": "-0.5"},
        **{"bias_low": "", "bias_high": "", "rank_low": "", "rank_high": ""},
    }
    write(file, f"{','.join(line)}\n{','.join(line.values())}\n")
    ((fit,),) = (record.readings for record in read(folder))
    assert (fit.table, fit.rows, fit.seeds, fit.compared) == (1, 9, 3, True)
    assert (fit.rms, fit.rank) == (Interval(0.25, 0.2, 0.3), Interval(-0.5))
    assert (fit.column, fit.reading, fit.computes, fit.why) == ("h_gap", "mean", "a mean", "it says so")
    for damaged, why in (("paper,table\nwords,1\n", "'dataset'"), (file.read_text() * 2, "invalid literal")):
        write(file, damaged)
        with pytest.raises(UserError, match=rf"readings\.csv is not a table of readings .*\({why}"):
            read(folder)
