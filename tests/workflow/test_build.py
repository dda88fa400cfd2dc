"""envs/build replaces an environment only by a complete one, and commands that only report build none."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

Result = subprocess.CompletedProcess[str]
ROOT = Path(__file__).parents[2]
# Replaces Python: writes files with absolute paths, as venv and pip do. FAULT makes a step fail.
PYTHON = """#!/bin/bash
case "$*" in
-c*) exit 0 ;;
"-m venv "*)
    [ "$FAULT" != venv ] || { echo 'ensurepip is not available'; exit 1; }
    folder="$PWD/${!#}"
    mkdir -p "$folder/bin"
    cp "$0" "$folder/bin/python"
    echo "VIRTUAL_ENV=$folder" > "$folder/bin/activate"
    echo "command = python -m venv $folder" > "$folder/pyvenv.cfg"
    ;;
"-m pip "*)
    echo 'WARNING: Location /nowhere is ignored' >&2
    case "$FAULT" in
    pip) echo 'ERROR: No matching distribution found for torch' >&2; exit 1 ;;
    KILL | TERM | INT) kill -s "$FAULT" "$BUILD" "$$" ;;
    esac
    folder="$(cd "$(dirname "$0")/.." && pwd -P)"
    printf '#!%s/bin/python\\n' "$folder" > "$folder/bin/tool"
    ;;
esac
"""


@dataclass(frozen=True)
class Clone:
    """A folder with the files that build an environment, and the program in place of Python."""

    root: Path

    @property
    def environment(self) -> Path:
        return self.root / ".venv"

    def call(self, *words: str, fault: str = "", python: str = "./python") -> Result:
        # BUILD is the process to which a failing pip sends its signal.
        return subprocess.run(
            ["bash", "-c", 'export BUILD=$$ && exec "$@"', "bash", *words],
            cwd=self.root,
            env=os.environ | {"PYTHON": python, "FAULT": fault},
            capture_output=True,
            text=True,
            check=False,
        )

    def build(self, fault: str = "", python: str = "./python") -> Result:
        return self.call("envs/build", fault=fault, python=python)

    def change_pins(self) -> None:
        with (self.root / "envs" / "requirements.txt").open("a") as pins:
            pins.write("another==1\n")

    def content(self) -> dict[str, str]:
        return dict(_content(self.environment))


def _content(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_text()


@pytest.fixture
def clone(tmp_path):
    # Spaces and characters that are special in patterns and replacements of sed.
    root = tmp_path / "a & [project].*|$"
    (root / "envs").mkdir(parents=True)
    for name in ("envs/build", "envs/activate", "envs/requirements.txt", "Makefile"):
        shutil.copy(ROOT / name, root / name)
    (root / "python").write_text(PYTHON)
    (root / "python").chmod(0o755)
    return Clone(root)


@pytest.fixture
def built(clone):
    assert clone.build().returncode == 0
    (clone.environment / "mine").write_text("kept")
    return clone


def test_environment_contains_its_final_path(clone):
    result = clone.build()
    assert (result.returncode, result.stderr) == (0, "")
    assert "WARNING" not in result.stdout
    content = clone.content()
    assert content["bin/tool"] == f"#!{clone.environment}/bin/python\n"
    assert content["bin/activate"] == f"VIRTUAL_ENV={clone.environment}\n"
    assert content["pyvenv.cfg"] == f"command = python -m venv {clone.environment}\n"
    assert content["pins.txt"] == (clone.root / "envs" / "requirements.txt").read_text()
    assert [path.name for path in (clone.root / ".venv.build").iterdir()] == ["lock"]


def test_unchanged_pins_build_nothing(built):
    for path, time in (("envs/requirements.txt", 2e9), (".venv/pins.txt", 1)):
        os.utime(built.root / path, (time, time))
    before = built.content()
    assert built.build(fault="venv").returncode == 0
    assert built.content() == before
    assert built.call("make", "env", fault="venv").returncode == 0
    assert built.content() == before


def test_changed_pins_replace_the_environment(built):
    built.change_pins()
    assert built.build().returncode == 0
    assert built.content()["pins.txt"].endswith("another==1\n")
    assert "mine" not in built.content()


REASONS = {
    "venv": ("ensurepip is not available", "error: ./python -m venv failed for the reason above; "),
    "pip": (
        "ERROR: No matching distribution found for torch",
        "error: pip could not install envs/requirements.txt for the reason above; make env tries it again\n",
    ),
}


@pytest.mark.parametrize("fault", REASONS)
def test_failed_build_reports_the_reason_and_keeps_the_environment(built, fault):
    before = built.content()
    built.change_pins()
    result = built.call("make", "env", fault=fault)
    reason, sentence = REASONS[fault]
    assert result.returncode == 2
    assert reason in result.stdout
    assert result.stderr.startswith(sentence)
    assert built.content() == before
    assert built.build().returncode == 0


@pytest.mark.parametrize("signal", ["KILL", "TERM", "INT"])
def test_interrupted_build_keeps_the_environment_and_can_be_repeated(built, signal):
    before = built.content()
    built.change_pins()
    assert built.build(fault=signal).returncode != 0
    assert built.content() == before
    assert built.build().returncode == 0
    assert "bin/tool" in built.content()
    assert [path.name for path in (built.root / ".venv.build").iterdir()] == ["lock"]


def test_environment_moved_away_by_an_interrupted_build_is_restored(built):
    before = built.content()
    built.environment.rename(built.root / ".venv.build" / "old")
    assert built.build(fault="pip").returncode == 0
    assert built.content() == before
    built.environment.rename(built.root / ".venv.build" / "old")
    built.change_pins()
    assert built.build(fault="pip").returncode == 1
    assert built.content() == before


@pytest.mark.parametrize("python", ["./nowhere", "false"])
def test_error_message_names_an_invalid_python(clone, python):
    result = clone.build(python=python)
    assert result.returncode == 1
    assert result.stderr.endswith(
        f"error: {python} does not run as Python 3.11 or newer: name one that does, "
        "e.g. make env PYTHON=python3.12\n"
    )
    assert not clone.environment.exists()


def test_linked_environment_is_used_only_with_the_same_pins(built):
    elsewhere = built.root / "another project"
    built.environment.rename(elsewhere)
    built.environment.symlink_to(elsewhere)
    before = built.content()
    for words in (["make", "env"], ["envs/build", "--check"]):
        result = built.call(*words, fault="venv")
        assert (result.returncode, result.stderr) == (0, "")
    built.change_pins()
    for words in (["envs/build"], ["envs/build", "--check"]):
        result = built.call(*words)
        assert result.returncode == 1
        assert result.stderr == (
            f"error: .venv is a link to {elsewhere}, which has no environment with the pins of "
            "envs/requirements.txt: remove the link, then run make env\n"
        )
    assert built.environment.is_symlink()
    assert dict(_content(elsewhere)) == before


def test_broken_link_is_refused(clone):
    clone.environment.symlink_to("nowhere")
    assert clone.build().stderr.startswith("error: .venv is a link to nowhere, ")
    assert not (clone.root / "nowhere").exists()


def test_environment_without_pins_is_not_replaced(clone):
    clone.environment.mkdir()
    (clone.environment / "mine").write_text("kept")
    result = clone.build()
    assert result.returncode == 1
    assert result.stderr.startswith("error: .venv was not built by make env, as it has no pins.txt: ")
    assert clone.content() == {"mine": "kept"}


@pytest.mark.parametrize("target", ["tables", "recorded", "status", "corpora"])
def test_commands_that_only_report_build_nothing(clone, target):
    result = clone.call("make", target)
    assert result.returncode == 2
    assert result.stderr.startswith("error: there is no environment yet: run make env\n")
    assert not clone.environment.exists()
    assert clone.build().returncode == 0
    clone.change_pins()
    before = clone.content()
    result = clone.call("make", target)
    assert result.returncode == 2
    assert result.stderr.startswith(
        "error: the environment in .venv has other pins than envs/requirements.txt: run make env\n"
    )
    assert clone.content() == before


def test_pip_and_activate_work_in_a_real_environment(clone):
    (clone.root / "envs" / "requirements.txt").write_text("# no pins\n")
    result = clone.build(python=sys.executable)
    assert result.returncode == 0, result.stdout + result.stderr
    line = ". .venv/bin/activate && echo $VIRTUAL_ENV && command -v pip && pip --version"
    folder, program, version = clone.call("bash", "-c", line).stdout.splitlines()
    assert folder == str(clone.environment)
    assert program == f"{folder}/bin/pip"
    assert f" from {folder}/lib" in version


def test_activated_shell_uses_utf_8(built):
    line = ". envs/activate && echo $PYTHONUTF8 $PYTHONPATH"
    assert built.call("bash", "-c", line).stdout == f"1 {built.root}/workflow\n"
