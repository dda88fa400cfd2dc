import errno
import os
import subprocess
from functools import partial
from pathlib import Path

import pytest

from textlvm.experiment import folders
from textlvm.experiment.config import origin
from textlvm.experiment.folders import check_folders, check_writable
from textlvm.runtime.errors import UserError
from textlvm.runtime.validation import Problem
from unit.overlay import ROOT, error_message


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ("pathvars: {results: ~/out}", "pathvars.results: ~ and $ are not expanded in '~/out'"),
        ("pathvars: {resources: $HOME/x}", "pathvars.resources: ~ and $ are not expanded in '$HOME/x'"),
        # Also for a corpus that is not used.
        (
            "corpora: {a: {path: ~/texts, kind: text}}",
            "corpora.a.path: ~ and $ are not expanded in '~/texts'",
        ),
    ],
)
def test_shell_syntax_in_paths_is_rejected(monkeypatch, tmp_path, overlay, message):
    monkeypatch.setenv("HOME", "/home/me")
    path = message.split("'")[1].replace("~", "/home/me").replace("$HOME", "/home/me")
    assert error_message(tmp_path, overlay) == f"mine.yaml: {message}: write '{path}'"


@pytest.mark.parametrize("name", ["results", "resources"])
@pytest.mark.parametrize("folder", ["workflow", "workflow/out", "docs", ".git", str(ROOT), f"{ROOT}/tests/x"])
def test_folder_of_the_project_is_rejected(tmp_path, monkeypatch, name, folder):
    monkeypatch.chdir(ROOT)
    message = (
        f"mine.yaml: pathvars.{name} is '{folder}', the folder of the project itself: name another folder"
    )
    assert error_message(tmp_path, f"pathvars: {{{name}: {folder}}}") == message.replace(f"{ROOT}/", "")


def test_link_to_a_folder_of_the_project_is_rejected(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("out").symlink_to(ROOT / "workflow")
    with pytest.raises(Problem, match=r"pathvars.results is 'out/a', the folder of the project itself"):
        check_folders({"results": "out/a", "resources": "resources"})


@pytest.mark.parametrize("results", ["resources", "{here}/resources", "link"])
def test_results_and_resources_in_the_same_folder_are_rejected(tmp_path, monkeypatch, results):
    monkeypatch.chdir(tmp_path)
    Path("resources").mkdir()
    Path("link").symlink_to("resources")
    results = results.format(here=tmp_path)
    with pytest.raises(Problem) as problem:
        check_folders({"results": results, "resources": "resources"})
    assert str(problem.value) == (
        f"pathvars.results is '{results}', the same folder as pathvars.resources: use different ones"
    )


@pytest.mark.parametrize("results", ["results", "workflows", "resources/mine", "results/a/b", "/tmp/a"])
def test_other_folders_are_accepted(results):
    check_folders({"results": results, "resources": "resources"})


def test_every_folder_of_the_project_is_protected():
    result = subprocess.run(
        ["git", "ls-tree", "-d", "--name-only", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(result.stdout.split()) - set(folders.PROTECTED) == {"results"}


def unwritable(folder, tmp_path):
    locate = partial(origin, {}, files=[])
    with pytest.raises(UserError) as error:
        check_writable({"results": folder, "resources": str(tmp_path)}, locate)
    return str(error.value)


def test_folder_below_a_file_is_not_writable(tmp_path):
    (tmp_path / "file").touch()
    for folder in ("file", "file/a", "file/a/b"):
        assert unwritable(str(tmp_path / folder), tmp_path) == (
            f"--config: pathvars.results is '{tmp_path / folder}', but it is not possible to write to "
            f"{tmp_path}/file (it is a file): make it writable, or name another folder"
        )


def test_folder_below_a_broken_link_is_not_writable(tmp_path):
    (tmp_path / "link").symlink_to("nowhere")
    assert f"{tmp_path}/link (it is a broken link)" in unwritable(str(tmp_path / "link/a"), tmp_path)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc, where root cannot write either")
@pytest.mark.parametrize("folder", ["/proc/a", "/proc"])
def test_folder_in_proc_is_not_writable(tmp_path, folder):
    assert "but it is not possible to write to /proc (" in unwritable(folder, tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_folder_without_permission_is_not_writable(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    assert "(Permission denied)" in unwritable(str(tmp_path / "closed/a"), tmp_path)


def test_folder_with_a_too_long_name_is_not_writable(tmp_path):
    assert "(File name too long)" in unwritable(str(tmp_path / ("a" * 300)), tmp_path)


def test_check_writable_leaves_no_files(tmp_path):
    check_writable({"results": str(tmp_path / "a/b"), "resources": str(tmp_path)}, str)
    assert list(tmp_path.iterdir()) == []


def test_check_writable_ignores_a_full_disk(tmp_path, monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(folders.tempfile, "NamedTemporaryFile", full)
    check_writable({"results": str(tmp_path)}, str)
