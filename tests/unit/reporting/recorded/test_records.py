"""Records as they are read, against the tables, claims and commands that lie beside them."""

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


def test_cells_are_those_of_the_recorded_tables(records, clone):
    compared = 0
    for record in records:
        for path in sorted((clone / record.plan.results / "partial").glob("table*.csv")):
            tidy = [cell for cell in read_tidy(path) if cell.measured]
            own = [cell for cell in record.cells if cell.part.table == int(path.stem.removeprefix("table"))]
            # Rows that an experiment adds may have another place among them.
            measured = [cell for cell in own if cell.measured]
            assert sorted(measured, key=repr) == sorted(tidy, key=repr)
            compared += len(tidy)
    assert compared > 500


def test_claims_are_those_of_the_recorded_ones(records, clone):
    files = {record.name: clone / record.plan.results / "partial" / "claims.csv" for record in records}
    files = {name: file for name, file in files.items() if file.exists()}
    assert files
    for record in records:
        if record.name in files:
            with files[record.name].open(encoding="utf-8", newline="") as lines:
                said = [(line["claim"], line["outcome"], line["missing"]) for line in csv.DictReader(lines)]
            own = [(claim.text, own.outcome, own.missing) for claim in record.claims for own in claim.checks]
            assert own == said


def test_commands_are_those_of_the_list_of_runs(records, clone):
    text = (clone / "results/recorded/runs.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`(snakemake .*?)` \|$", text, flags=re.MULTILINE))
    found = set()
    for record in records:
        for entry in record.plan.planned:
            line = command(record.plan.results, record.plan, entry)
            start, seeds, end = re.fullmatch(r"(.*/seed|[^{]*$)(?:\{(.*)\}|(\d+))?(.*)", line).group(1, 2, 4)
            found |= {f"{start}{seed}{end}" for seed in seeds.split(",")} if seeds else {line}
    # The list leaves data sets out.
    assert {line for line in found if "/seed" in line} == listed


def test_only_what_was_measured_is_shown(records):
    for record in records:
        assert all(record.plan.outcomes(entry) for entry in record.plan.planned)
        assert all(cell.measured or cell.printed for cell in record.cells)
        tables = {cell.part.table for cell in record.cells}
        assert tables == {cell.part.table for cell in record.cells if cell.measured}


def test_every_recorded_figure_is_shown(records, clone):
    for record in records:
        drawn = {f"{own.path}.png" for own in record.plan.figures}
        folder = clone / record.plan.results
        assert drawn == {str(path.relative_to(folder)) for path in folder.rglob("figure*.png")}


@pytest.fixture
def folder(clone, tmp_path, monkeypatch):
    """A folder for records that are written here, in one that looks like the project's."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(clone / "config.yaml", tmp_path)
    (tmp_path / "workflow").symlink_to(clone / "workflow")
    return tmp_path / "records"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def read(folder):
    return read_records(folder.relative_to(folder.parent), folder.parent / "config.yaml")


def test_a_folder_without_records_is_one_sentence(folder):
    with pytest.raises(UserError, match=r"^records has no folder with experiment\.yaml; name the folder"):
        read(folder)


def test_an_experiment_of_which_nothing_is_recorded_is_left_out(folder):
    write(folder / "one" / "experiment.yaml", CONFIG.format(results="records/one"))
    assert read(folder) == []


def test_records_must_lie_beside_their_configuration(folder):
    write(folder / "one" / "experiment.yaml", CONFIG.format(results="results"))
    with pytest.raises(UserError, match=r"experiment\.yaml: .*; set pathvars\.results to records/one$"):
        read(folder)


def test_an_experiment_is_described_by_its_comment(records):
    about = {record.name: record.about for record in records}["gutenberg-fiction"]
    assert about.startswith("The words paper on a second corpus: the word counts of the fiction among ")
    assert about.endswith("Project Gutenberg's top 100 authors.")


def test_readings_are_read_if_they_are_there(folder, clone):
    shutil.copytree(clone / "results/recorded/gutenberg-fiction", folder / "one")
    configuration = (folder / "one" / "experiment.yaml").read_text(encoding="utf-8")
    moved = configuration.replace("results: results/recorded/gutenberg-fiction", "results: records/one")
    write(folder / "one" / "experiment.yaml", moved)
    file = folder / "one" / "partial" / "readings.csv"
    file.unlink(missing_ok=True)
    assert [own.readings for own in read(folder)] == [()]
    line = {
        **{"paper": "words", "table": "1", "dataset": "bookscorpus", "corpus": "mine"},
        **{"corpus_title": "My books", "split": "standard", "column": "h_gap"},
        **{"reading": "mean", "compared": "true", "computes": "a mean", "why": "it says so", "rows": "9"},
        **{"seeds": "3", "rms": "0.25", "rms_low": "0.2", "rms_high": "0.3", "bias": "1", "rank": "-0.5"},
        **{"bias_low": "", "bias_high": "", "rank_low": "", "rank_high": ""},
    }
    write(file, f"{','.join(line)}\n{','.join(line.values())}\n")
    ((own,),) = (record.readings for record in read(folder))
    assert (own.table, own.rows, own.seeds, own.compared) == (1, 9, 3, True)
    assert (own.rms, own.rank) == (Interval(0.25, 0.2, 0.3), Interval(-0.5))
    assert (own.column, own.reading, own.computes, own.why) == ("h_gap", "mean", "a mean", "it says so")
    for damaged, why in (("paper,table\nwords,1\n", "'dataset'"), (file.read_text() * 2, "invalid literal")):
        write(file, damaged)
        with pytest.raises(UserError, match=rf"readings\.csv is not a table of readings .*\({why}"):
            read(folder)
