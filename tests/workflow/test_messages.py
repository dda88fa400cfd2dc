"""What would end Snakemake in a traceback or in a line without a place is one sentence, before any job."""

from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["mine.yaml", "config.yaml"])
def test_a_file_that_is_no_configuration_is_named_with_the_line(restored, name):
    (restored.root / name).write_bytes(b"words:\n\tseeds: [0]\n")
    line = "--configfile mine.yaml" if name == "mine.yaml" else ""
    result = restored.call(f"snakemake --dry-run {line} results/table1.csv")
    said = "line 2 is indented with a tab, which YAML does not allow: use spaces"
    assert (result.returncode, result.stderr) == (1, f"error: {name}, {said}\n")


def test_json_with_tabs_is_a_configuration(project):
    (project.root / "mine.json").write_text('{\n\t"papers": ["words"]\n}\n')
    jobs = project.jobs("snakemake --configfile mine.json results/table1.csv")
    assert "results/table1.csv" in jobs
    assert not any("sentences" in job for job in jobs)


# Root may write everywhere but here.
PLACES = {"below a file": "{file}/x", "/proc": "/proc/x"}
REASONS = {"below a file": "Not a directory", "/proc": "No such file or directory"}


@pytest.fixture(params=PLACES)
def unwritable(request, tmp_path):
    """A folder that cannot be made, and why."""
    if request.param == "/proc" and not Path("/proc/self").exists():
        pytest.skip("there is no /proc")
    (tmp_path / "file").touch()
    return PLACES[request.param].format(file=tmp_path / "file"), REASONS[request.param]


def test_a_home_folder_that_cannot_be_made_is_one_sentence(project, unwritable):
    folder, reason = unwritable
    result = project.call("snakemake --dry-run tables", env={"HOME": folder, "XDG_CACHE_HOME": ""})
    assert (result.returncode, result.stderr) == (
        1,
        f"error: Snakemake cannot write its cache {folder}/.cache/snakemake ({reason}): "
        "set HOME or XDG_CACHE_HOME to a folder that can be written\n",
    )
    assert project.run("snakemake --version", env={"HOME": folder, "XDG_CACHE_HOME": ""})


@pytest.mark.parametrize("key", ["results", "resources"])
def test_outputs_where_nothing_can_be_written_are_one_sentence(project, unwritable, key):
    folder, reason = unwritable
    reason = reason.replace("Not a directory", "it is a file")
    (project.root / "mine.yaml").write_text(f"pathvars: {{{key}: '{folder}'}}\n")
    result = project.call("snakemake --dry-run --configfile mine.yaml tables")
    assert (result.returncode, result.stderr) == (
        1,
        f"error: mine.yaml: pathvars.{key} is '{folder}', but it is not possible to write to "
        f"{Path(folder).parent} ({reason}): make it writable, or name another folder\n",
    )


def test_records_of_snakemake_that_cannot_be_written_are_one_sentence(new_project):
    project = new_project()
    (project.root / ".snakemake").touch()
    result = project.call("snakemake --dry-run tables")
    assert result.returncode == 1
    assert result.stderr.startswith(
        "error: cannot write to .snakemake, where Snakemake keeps its records (Not a directory): "
    )
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("coerced", "01")
def test_a_locale_of_ascii_alone_changes_nothing(new_project, coerced):
    project = new_project()
    ascii_alone = {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": coerced}
    table = "results/partial/words/gutenberg/table1.md"
    entry = "words={runs: {standard: {tril: {row: Ünï}}}}"
    project.run("snakemake --cores 1 --config", entry, table, env=ascii_alone)
    assert "Ünï" in (project.root / table).read_text(encoding="utf-8")
    result = project.call("snakemake --configfile nöwhere.yaml", env=ascii_alone)
    assert "there is no file nöwhere.yaml" in result.stderr
