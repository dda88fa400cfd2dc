"""Errors that Snakemake would report by a traceback or without a file name give one error message."""

from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["mine.yaml", "config.yaml"])
def test_invalid_yaml_is_reported_with_file_and_line(restored, name):
    (restored.root / name).write_bytes(b"words:\n\tseeds: [0]\n")
    line = "--configfile mine.yaml" if name == "mine.yaml" else ""
    result = restored.call(f"snakemake --dry-run {line} results/table1.csv")
    message = "line 2 is indented with a tab, which YAML does not allow: use spaces"
    assert (result.returncode, result.stderr) == (1, f"error: {name}, {message}\n")


def test_json_with_tabs_is_a_valid_configuration(project):
    (project.root / "mine.json").write_text('{\n\t"papers": ["words"]\n}\n')
    jobs = project.jobs("snakemake --configfile mine.json results/table1.csv")
    assert "results/table1.csv" in jobs
    assert not any("sentences" in job for job in jobs)


# Folders in which even root cannot write.
PLACES = {"below a file": "{file}/x", "/proc": "/proc/x"}
REASONS = {"below a file": "Not a directory", "/proc": "No such file or directory"}


@pytest.fixture(params=PLACES)
def unwritable(request, tmp_path):
    """A folder that cannot be created, and the reason."""
    if request.param == "/proc" and not Path("/proc/self").exists():
        pytest.skip("there is no /proc")
    (tmp_path / "file").touch()
    return PLACES[request.param].format(file=tmp_path / "file"), REASONS[request.param]


def test_unwritable_home_folder_gives_one_error_message(project, unwritable):
    folder, reason = unwritable
    result = project.call("snakemake --dry-run tables", env={"HOME": folder, "XDG_CACHE_HOME": ""})
    assert (result.returncode, result.stderr) == (
        1,
        f"error: Snakemake cannot write its cache {folder}/.cache/snakemake ({reason}): "
        "set HOME or XDG_CACHE_HOME to a folder that can be written\n",
    )
    assert project.run("snakemake --version", env={"HOME": folder, "XDG_CACHE_HOME": ""})


@pytest.mark.parametrize("key", ["results", "resources"])
def test_unwritable_output_folder_gives_one_error_message(project, tmp_path, key):
    file = tmp_path / "file"
    file.touch()
    (project.root / "mine.yaml").write_text(f"pathvars: {{{key}: '{file}/x'}}\n")
    result = project.call("snakemake --dry-run --configfile mine.yaml tables")
    assert (result.returncode, result.stderr) == (
        1,
        f"error: mine.yaml: pathvars.{key} is '{file}/x', but it is not possible to write to "
        f"{file} (it is a file): make it writable, or name another folder\n",
    )


def test_unwritable_snakemake_folder_gives_one_error_message(new_project):
    project = new_project()
    (project.root / ".snakemake").touch()
    result = project.call("snakemake --dry-run tables")
    assert result.returncode == 1
    assert result.stderr.startswith(
        "error: cannot write to .snakemake, where Snakemake keeps its records (Not a directory): "
    )
    assert result.stderr.count("\n") == 1


def test_texts_are_utf_8_in_an_ascii_locale(new_project):
    project = new_project()
    ascii_locale = {"PYTHONUTF8": "0", "LC_ALL": "C"}
    table = "results/partial/words/gutenberg/table1.md"
    entry = "words={runs: {standard: {tril: {row: Ünï}}}}"
    project.run("snakemake --cores 1 --config", entry, table, env=ascii_locale)
    assert "Ünï" in (project.root / table).read_text(encoding="utf-8")
    result = project.call("snakemake --configfile nöwhere.yaml", env=ascii_locale)
    assert "there is no file nöwhere.yaml" in result.stderr
