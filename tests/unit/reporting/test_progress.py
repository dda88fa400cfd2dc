import fcntl
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plans import planned
from textlvm.experiment.plan import Run
from textlvm.reporting.progress import State, seed_status, seed_statuses

PACKAGES = Path(__file__).parents[3] / "workflow"
MODEL, TRAINING, EVALUATION = {"dim": 8}, {"steps": 200, "log_every": 10}, {"samples": 5}
PARTS = {"model": MODEL, "training": TRAINING, "evaluation": EVALUATION}
RUN = planned("TRIL", name="tril", corpus="gutenberg", seeds=(0, 3), **PARTS)
PTB = {"paper": "sentences", "corpus": "ptb", "dataset": "ptb"}
ELSEWHERE = planned("sMIM", **PTB, table=2, name="smim", seeds=(0,), trained_on="everything", **PARTS)
NOW = 1_000_000.0
ENTRY = {"step": 50, "steps": 200, "loss": 12.5, "learning_rate": 0.1, "seconds": 100.0}
FAILURE = {"model": MODEL, "training": TRAINING, "status": "failed", "reason": "the loss became nan"}


class Files:
    """Writes the files of the steps of seed 0, by default with the modification time NOW."""

    def __init__(self, results: Path, run: Run = RUN) -> None:
        self.results, self.run = results, run
        self.folder = results / run.training_path / "seed0"

    def write(self, path: Path, content: object, at: float = NOW) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        os.utime(path, (at, at))
        return path

    def begin(self, at=NOW, **changes):
        self.write(self.folder / "checkpoint" / "progress.json", ENTRY | changes, at)
        self.write(self.folder / "checkpoint" / "lock", f"process 7 on {platform.node()}\n")

    def train(self, **changes):
        self.write(self.folder / "spec.json", {"model": MODEL, "training": TRAINING} | changes)
        self.write(self.folder / "model.safetensors", "")
        self.write(self.folder / "cost.json", {"device": "a GPU", "steps": 200})

    def measure(self, **changes):
        self.write(self.results / self.run.metrics(0), {"settings": EVALUATION} | changes)

    def log(self, step, text="", at=NOW):
        folder = self.run.training_path if step == "train" else self.run.path
        return self.write(self.results / "logs" / folder / "seed0" / f"{step}.log", text, at)

    def status(self, now=NOW):
        return seed_status(self.run, 0, self.results, now)


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def test_seed_without_files_is_waiting(files):
    found = files.status()
    assert (found.state, found.stage, found.step, found.steps) == (State.WAITING, "", None, None)


def test_evaluated_seed_is_done(files):
    files.begin(step=200, seconds=300.0)
    files.train()
    files.measure()
    found = files.status()
    assert (found.state, found.step, found.steps, found.loss) == (State.DONE, 200, 200, 12.5)
    assert (found.device, found.seconds_left) == ("a GPU", None)


def test_trained_seed_is_waiting_for_evaluation(files):
    files.train()
    assert (files.status().state, files.status().stage) == (State.WAITING, "evaluation")
    files.measure(settings={"samples": 6})
    assert (files.status().state, files.status().stage) == (State.WAITING, "evaluation")


def test_run_without_table_rows_is_done_after_training(files):
    files.run = Run(**{**vars(RUN), "rows": ()})
    files.begin()
    assert files.status().state is State.INTERRUPTED
    files.train()
    assert files.status().state is State.DONE


def test_model_of_other_settings_is_ignored(files):
    files.begin()
    files.train(training={"steps": 100})
    files.measure()
    assert (files.status().state, files.status().stage) == (State.WAITING, "")


@pytest.mark.parametrize("text", ["", "stopped by SIGTERM after step 50, which is saved: the same …\n"])
def test_training_without_process_is_interrupted(files, text):
    files.begin()
    files.log("train", text)
    found = files.status()
    assert (found.state, found.stage, found.step, found.loss) == (State.INTERRUPTED, "training", 50, 12.5)
    assert found.seconds_left is None


def test_progress_file_of_finished_training_does_not_mean_interrupted(files):
    # The outputs of the training were deleted.
    files.begin(step=200)
    assert files.status().state is State.WAITING
    files.write(files.folder / "checkpoint" / "state.safetensors", "")
    assert files.status().state is State.INTERRUPTED


@pytest.mark.parametrize("step", ["train", "evaluate"])
def test_seed_is_running_while_its_log_is_locked(files, step):
    files.begin()
    if step == "evaluate":
        files.train()
    with files.log(step).open("a") as log:
        fcntl.flock(log, fcntl.LOCK_SH)
        stage = {"train": "training", "evaluate": "evaluation"}[step]
        assert (files.status().state, files.status().stage) == (State.RUNNING, stage)
    assert files.status().state is not State.RUNNING


STEP = """
from textlvm.runtime import cli

def main(options):
    print("started", flush=True)
    input()

cli.run(main, cli.parser(None))
"""


def test_step_locks_its_log_until_it_ends(files):
    log = files.log("train", "of the run before")
    command = [sys.executable, "-c", STEP, "--log", str(log)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(PACKAGES)}, **pipes) as step:
        assert step.stdout.readline() == "started\n"
        assert files.status().state is State.RUNNING
        step.kill()
    assert files.status().state is State.WAITING


def test_time_since_the_last_entry_reduces_the_time_left(files):
    files.begin()
    with files.log("train").open("a") as log:
        fcntl.flock(log, fcntl.LOCK_SH)
        assert files.status().seconds_left == 300.0
        assert files.status(NOW + 60).seconds_left == 240.0
        assert files.status(NOW + 1000).seconds_left == 0.0


@settings(deadline=None)
@given(st.integers(1, 10**6), st.integers(0, 10**6), st.floats(0, 1e7))
def test_time_left_is_proportional_to_the_remaining_steps(tmp_path_factory, step, rest, seconds):
    files = Files(tmp_path_factory.mktemp("results"))
    files.begin(step=step, steps=step + rest, seconds=seconds)
    with files.log("train").open("a") as log:
        fcntl.flock(log, fcntl.LOCK_SH)
        assert files.status().seconds_left == pytest.approx(seconds * rest / step)


@pytest.mark.parametrize(("age", "state"), [(89, State.RUNNING), (91, State.INTERRUPTED)])
def test_training_on_another_machine_is_running_while_its_progress_is_recent(files, age, state):
    # There is an entry every 20 seconds: the limit is three times that, plus 30 seconds.
    files.begin(at=NOW - age)
    files.write(files.folder / "checkpoint" / "lock", "process 7 on another-machine\n")
    assert files.status().state is state


def test_failed_training_has_its_reason_and_log(files):
    files.begin()
    files.write(files.folder / "checkpoint" / "failure.json", FAILURE)
    log = files.log("train", "Traceback (most recent call last):\n  …\nUserError: the loss …: lower …\n")
    found = files.status()
    assert (found.state, found.stage) == (State.FAILED, "training")
    assert (found.reason, found.log) == ("the loss became nan", log)


def test_failed_evaluation_has_the_reason_in_its_metrics_file(files):
    files.train()
    files.measure(status="failed", reason="model.path 'weights' is not a folder")
    found = files.status()
    assert (found.state, found.stage) == (State.FAILED, "evaluation")
    assert found.reason == "model.path 'weights' is not a folder"
    assert found.log.name == "evaluate.log"
    files.measure(status="done")
    assert files.status().state is State.DONE


def test_failure_of_other_settings_is_ignored(files):
    files.begin()
    files.write(files.folder / "checkpoint" / "failure.json", FAILURE | {"training": {"steps": 9}})
    files.log("train", "Traceback (most recent call last):\n  …\nUserError: of the other settings\n")
    assert files.status().state is State.INTERRUPTED


TRACEBACKS = [
    ("textlvm.runtime.errors.UserError: no space left: free some\n", "no space left: free some"),
    ("AssertionError\n", "AssertionError"),
    ("KeyError: 'x'\n\nThe above …:\n\nTraceback (most recent call last):\n  …\nOSError: gone\n", "gone"),
]


@pytest.mark.parametrize(("end", "reason"), TRACEBACKS)
@pytest.mark.parametrize("step", ["train", "evaluate"])
def test_step_with_a_traceback_in_its_log_has_failed(files, step, end, reason):
    if step == "evaluate":
        files.train()
    frames = '  File "train.py", line 7, in main\n    raise error\n'
    files.log(step, f"x\nTraceback (most recent call last):\n{frames}{end}", at=NOW + 1)
    assert (files.status().state, files.status().reason) == (State.FAILED, reason)


def test_evaluation_log_older_than_the_training_is_ignored(files):
    files.log("evaluate", "Traceback (most recent call last):\n  …\nOSError: gone\n", at=NOW - 1)
    files.train()
    assert files.status().state is State.WAITING


def test_run_trained_on_another_data_set_has_no_steps(tmp_path):
    files = Files(tmp_path, ELSEWHERE)
    files.begin()
    assert (files.status().state, files.status().step) == (State.WAITING, None)
    files.train()
    assert (files.status().state, files.status().stage) == (State.WAITING, "evaluation")
    files.measure()
    assert (files.status().state, files.status().steps) == (State.DONE, None)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"step": 3}', "null"])
def test_damaged_files_are_ignored(files, content):
    for name in ("checkpoint/progress.json", "checkpoint/failure.json", "spec.json", "cost.json"):
        files.write(files.folder / name, content)
    files.write(files.results / RUN.metrics(0), content)
    assert files.status().state is State.WAITING


def test_each_seed_has_a_status(files):
    files.train()
    files.measure()
    found = seed_statuses([RUN], files.results)
    assert [(each.seed, each.state) for each in found] == [(0, State.DONE), (3, State.WAITING)]
