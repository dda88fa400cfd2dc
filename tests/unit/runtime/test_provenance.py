import hashlib
import json
import os
import subprocess
import sys
import types
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.runtime import provenance
from textlvm.runtime.files import write_json

WORKFLOW = Path(provenance.__file__).parents[2]


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), *identity, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """A project in git, without changes."""
    root = tmp_path / "a project"
    root.mkdir()
    for name, text in (("Snakefile", "rule all:\n"), (".gitignore", "results/\n")):
        (root / name).write_text(text)
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "Begin")
    return root


def test_commit_of_a_project_with_ignored_results_is_clean(repository):
    head = git(repository, "rev-parse", "HEAD")
    (repository / "results").mkdir()
    (repository / "results" / "table1.csv").write_text("1\n")
    assert provenance.commit(repository) == {"commit": head, "dirty": False}


@pytest.mark.parametrize("file", ["Snakefile", "a new file"])
def test_changed_or_new_file_makes_the_commit_dirty(repository, file):
    (repository / file).write_text("rule some:\n")
    assert provenance.commit(repository)["dirty"]


def test_unpacked_archive_has_no_commit(repository, tmp_path):
    assert provenance.commit(tmp_path) is None
    # Also inside another repository.
    unpacked = repository / "results" / "unpacked"
    unpacked.mkdir(parents=True)
    (unpacked / "Snakefile").write_text("rule all:\n")
    assert provenance.commit(unpacked) is None


def test_commit_is_none_without_git(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance.commit(repository) is None


def test_git_variables_of_another_repository_are_ignored(repository, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert provenance.commit(repository) == {"commit": git(repository, "rev-parse", "HEAD"), "dirty": False}


def test_packages_are_not_imported():
    script = (
        "import sys\nfrom textlvm.runtime import provenance\nrecord = provenance.Process().to_json()\n"
        "print(record['packages']['torch'], 'torch' in sys.modules, 'numpy' in sys.modules)"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=WORKFLOW
    )
    assert output.stdout.split() == [version("torch"), "False", "False"]


def test_process_records_machine_and_cost(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    process = provenance.Process()
    held = bytearray(b"x") * (64 << 20)
    record = json.loads(json.dumps(process.to_json(), allow_nan=False))
    assert record["machine"]["cores"] >= 1
    assert record["machine"]["cpu"]
    assert len(held) / (1 << 20) < record["peak_memory_mib"] < record["machine"]["memory_mib"]
    began, ended = (datetime.fromisoformat(record[key]) for key in ("began", "ended"))
    assert began.utcoffset() is not None
    assert began <= ended
    assert 0 <= record["seconds"] < 3600
    assert "gpu" not in record


def test_code_and_packages_are_recorded_at_creation(monkeypatch):
    process = provenance.Process()
    monkeypatch.setattr(provenance, "commit", lambda: {"commit": "another", "dirty": False})
    monkeypatch.setattr(provenance, "packages", lambda: {"torch": "99"})
    record = process.to_json()
    assert record["packages"]["torch"] == version("torch")
    assert record["git"] != {"commit": "another", "dirty": False}


@pytest.mark.parametrize("used", [True, False])
def test_gpu_is_recorded_only_if_used(monkeypatch, used):
    cuda = types.SimpleNamespace(
        is_initialized=lambda: used,
        get_device_name=lambda: "GPU of a test",
        max_memory_allocated=lambda: 3 << 20,
    )
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(cuda=cuda))
    record = provenance.Process().to_json()
    assert record.get("gpu") == ({"name": "GPU of a test", "peak_memory_mib": 3} if used else None)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.binary(max_size=100), max_size=4))
def test_digests_of_the_files_in_a_folder(tmp_path_factory, contents):
    folder = tmp_path_factory.mktemp("data")
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / ".train-1a2b.npy").write_bytes(b"being written")
    digests = provenance.digests([folder])
    assert list(digests) == [str(folder / name) for name in sorted(contents)]
    assert list(digests.values()) == [hashlib.sha256(contents[name]).hexdigest() for name in sorted(contents)]


def test_folder_of_texts_has_one_digest(tmp_path, run):
    """It is the digest of the output of `sha256sum`."""
    texts = tmp_path / "texts"
    (texts / "sub").mkdir(parents=True)
    lines = []
    for name in ("a.txt", "sub/b.txt"):
        (texts / name).write_text(name)
        lines.append(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n")
    write_json(tmp_path / "training.json", {})
    provenance.write_evaluation(tmp_path / "p.json", provenance.Process(), run, {}, [], [texts])
    expected = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert json.loads((tmp_path / "p.json").read_text())["corpora"] == {str(texts): expected}


@pytest.fixture
def run(tmp_path):
    """The folder of a trained run."""
    folder = tmp_path / "seed3"
    spec = {"name": "words/mine/standard/tril", "seed": 3, "model": {"dim": 8}, "training": {"steps": 2}}
    write_json(folder / "spec.json", spec)
    write_json(folder / "cost.json", {"seconds": 1.5})
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def write(run):
    words = run.parent / "words.tsv"
    words.write_text("word\ttrain\ttest\n")
    provenance.write_evaluation(
        run / "provenance.json", provenance.Process(), run, {"samples": 5}, [words], [run.parent / "gone.txt"]
    )
    return json.loads((run / "provenance.json").read_text())


def test_record_of_an_evaluation_contains_the_training(run):
    provenance.write_training(run, provenance.Process())
    training = json.loads((run / "training.json").read_text())
    record = write(run)
    assert (record["name"], record["seed"]) == ("words/mine/standard/tril", 3)
    assert record["configuration"] == {
        "model": {"dim": 8},
        "training": {"steps": 2},
        "evaluation": {"samples": 5},
    }
    assert record["data"][str(run / "model.safetensors")] == hashlib.sha256(b"weights").hexdigest()
    assert record["data"].keys() == {str(run.parent / "words.tsv"), str(run / "model.safetensors")}
    assert record["corpora"] == {str(run.parent / "gone.txt"): None}
    assert record["training"] == training | {"cost": {"seconds": 1.5}}
    assert record["evaluation"].keys() == training.keys()


def test_run_without_a_training_record_can_be_evaluated(run):
    assert write(run)["training"] == {"cost": {"seconds": 1.5}}
