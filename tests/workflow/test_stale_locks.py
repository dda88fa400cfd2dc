"""envs/bin/snakemake removes the lock of a killed Snakemake, but no lock that a process may hold."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def stale_lock(tmp_path, monkeypatch):
    """The lock of a killed Snakemake in the current folder."""
    monkeypatch.chdir(tmp_path)
    lock = tmp_path / ".snakemake" / "locks" / "0.output.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("words.tsv\n")
    return lock


def test_lock_of_a_killed_snakemake_is_removed(front_end, stale_lock):
    front_end.remove_stale_lock(["--cores", "1"])
    assert not stale_lock.exists()


def test_lock_is_searched_in_the_working_directory_of_snakemake(front_end, stale_lock, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    front_end.remove_stale_lock(["-n"])
    assert stale_lock.exists()
    assert list(elsewhere.iterdir()) == []
    front_end.remove_stale_lock(["--directory", str(tmp_path), "words.tsv"])
    assert not stale_lock.exists()


def test_lock_is_kept_while_another_process_runs(front_end, stale_lock):
    code = """
from pathlib import Path
from textlvm.runtime.processes import announce
announce(Path(".snakemake", "instances"))
print(flush=True)
input()
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as other:
        other.stdout.readline()
        front_end.remove_stale_lock(["--unlock"])
        assert stale_lock.exists()
        other.communicate(b"\n")
    front_end.remove_stale_lock([])
    assert not stale_lock.exists()


def test_lock_of_another_machine_is_kept_until_unlock(front_end, stale_lock, capsys):
    instances = stale_lock.parents[1] / "instances"
    instances.mkdir()
    (instances / "elsewhere").write_text("1\n")
    front_end.remove_stale_lock([])
    assert stale_lock.exists()
    assert "was killed, on elsewhere" in capsys.readouterr().err
    front_end.remove_stale_lock(["--unlock"])
    assert not stale_lock.exists()
