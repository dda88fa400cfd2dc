"""The files of finished and failed trainings."""

import json
import math
import multiprocessing
from pathlib import Path

import pytest
import torch
from torch import nn

from textlvm.reporting.runs import read_result
from textlvm.runtime.errors import UserError
from textlvm.runtime.processes import exclusive
from textlvm.training import run as runs
from textlvm.training.failure import Failure, entry
from textlvm.training.run import Job, parser, train_to_files
from textlvm.training.schedule import Constant
from textlvm.training.trainer import Objective, Training
from unit.training.regression import Settings

RUN = {"paper": "words", "corpus": "gutenberg", "split": "standard", "run": "tril"}
SPEC = {"model": {"dim": 8}, "training": {"steps": 12}}
OUTPUTS = ["checkpoint", "cost.json", "curve.jsonl", "model.safetensors", "training.json"]
SETTINGS = Settings(steps=12, batch=4, log_every=3, monitor_every=6, checkpoint_every=3)


def fit(out, factor=1.0):
    torch.manual_seed(0)
    model = nn.Linear(2, 1)

    def loss(step):
        return model(torch.randn(4, 2)).square().mean() * (factor if step == 8 else 1.0)

    objective = Objective(loss, inputs=lambda step: [f"word {step}"])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    training = Training(model, objective, optimizer, Constant(0.1), SETTINGS)
    train_to_files(training, Job("words/tril", 3, SPEC, out / "checkpoint", out), RUN, "identity")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_finished_training_leaves_only_its_outputs(tmp_path):
    fit(tmp_path)
    assert names(tmp_path) == OUTPUTS
    assert names(tmp_path / "checkpoint") == ["lock", "progress.json"]
    cost = json.loads((tmp_path / "cost.json").read_text())
    assert (cost["steps"], cost["parameters"]) == (12, 3)
    process = json.loads((tmp_path / "training.json").read_text())
    assert 0 < cost["peak_memory_mib"] <= process["peak_memory_mib"]


def test_failed_training_writes_its_failure_as_a_metrics_file(tmp_path):
    with pytest.raises(UserError) as failed:
        fit(tmp_path, math.nan)
    reason = "the loss became nan at step 8, whose batch has 'word 8'"
    assert str(failed.value) == (
        f"words.runs.standard.tril, seed 3: {reason}: "
        "lower its training.learning_rate or its training.clip in config.yaml"
    )
    assert names(tmp_path) == ["checkpoint"]
    assert names(tmp_path / "checkpoint") == [
        *("failure.json", "lock", "progress.json", "state.previous.safetensors", "state.safetensors")
    ]
    file = tmp_path / "checkpoint" / "failure.json"
    result = read_result(file)
    assert (result.failed, result.reason, result.seed) == (True, reason, 3)
    assert result.key == ("words", "", "gutenberg", "standard", "tril")
    assert json.loads(file.read_text())["model"] == SPEC["model"]


def test_successful_rerun_removes_the_failure(tmp_path):
    with pytest.raises(UserError):
        fit(tmp_path, math.nan)
    fit(tmp_path)
    assert names(tmp_path / "checkpoint") == ["lock", "progress.json"]
    fit(tmp_path / "whole")
    for file in ("model.safetensors", "curve.jsonl"):
        assert (tmp_path / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()


def test_temporary_files_of_killed_processes_are_removed(tmp_path):
    (tmp_path / "checkpoint").mkdir()
    for name in (
        ".model-0a1b.safetensors",
        "checkpoint/.state-0a.safetensors",
        "checkpoint/.progress-1.json",
    ):
        (tmp_path / name).write_text("half")
    fit(tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.name[0] == "."]


@pytest.mark.parametrize("file", OUTPUTS[1:])
def test_kill_between_outputs_keeps_the_checkpoint(tmp_path, monkeypatch, file):
    class Killed(BaseException):
        pass

    replace = Path.replace

    def die(path, target):
        if Path(target).name == file:
            raise Killed
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        with pytest.raises(Killed):
            fit(tmp_path)
    assert (tmp_path / "checkpoint" / "state.safetensors").exists()
    fit(tmp_path)
    assert names(tmp_path) == OUTPUTS
    assert names(tmp_path / "checkpoint") == ["lock", "progress.json"]


def lock(folder, locked, release):
    with exclusive(folder):
        locked.set()
        release.wait()


def test_second_process_in_one_folder_is_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "exclusive", lambda folder: exclusive(folder, patience=0.0))
    context = multiprocessing.get_context("fork")
    locked, release = context.Event(), context.Event()
    other = context.Process(target=lock, args=(tmp_path / "checkpoint", locked, release))
    other.start()
    assert locked.wait(60)
    with pytest.raises(UserError, match=f"process {other.pid} .* is using .*checkpoint"):
        fit(tmp_path)
    release.set()
    other.join()
    fit(tmp_path)


def test_job_is_parsed_from_the_command_line(tmp_path):
    words = ["--name", "words/tril", "--seed", "3", "--spec", json.dumps(SPEC)]
    folders = ["--checkpoint", str(tmp_path / "checkpoint"), "--out", str(tmp_path / "out")]
    job = Job.begin(parser(None).parse_args([*words, *folders]))
    assert (job.name, job.seed, job.spec) == ("words/tril", 3, SPEC)
    assert (job.checkpoint, job.out) == (tmp_path / "checkpoint", tmp_path / "out")
    assert json.loads((job.out / "spec.json").read_text()) == {"name": "words/tril", "seed": 3, **SPEC}
    other = Job(job.name, 4, SPEC, job.checkpoint, job.out)
    assert job.identity("textlvm.words.train", []) != other.identity("textlvm.words.train", [])


def test_entry_is_the_configuration_key_of_a_run():
    assert entry(RUN) == "words.runs.standard.tril"
    assert entry({**RUN, "paper": "sentences", "dataset": "ptb"}) == "sentences.runs.ptb.tril"


def test_failure_message_joins_reason_and_advice():
    failure = Failure("the loss became nan", "lower it")
    assert (str(failure), failure.reason) == ("the loss became nan: lower it", "the loss became nan")
