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
from textlvm.reporting.progress import State, standing, standings

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
    """Writes what steps leave behind; everything at the time NOW unless it is said otherwise."""

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

    def standing(self, now=NOW):
        return standing(self.run, 0, self.results, now)


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def test_what_has_not_begun_waits(files):
    found = files.standing()
    assert (found.state, found.stage, found.step, found.steps) == (State.WAITING, "", None, None)


def test_a_measured_seed_is_done(files):
    files.begin(step=200, seconds=300.0)
    files.train()
    files.measure()
    found = files.standing()
    assert (found.state, found.step, found.steps, found.loss) == (State.DONE, 200, 200, 12.5)
    assert (found.device, found.seconds_left) == ("a GPU", None)


def test_a_trained_seed_waits_for_its_evaluation(files):
    files.train()
    assert (files.standing().state, files.standing().stage) == (State.WAITING, "evaluation")
    files.measure(settings={"samples": 6})
    assert (files.standing().state, files.standing().stage) == (State.WAITING, "evaluation")


def test_a_run_in_no_table_is_done_when_it_is_trained(files):
    files.run = Run(**{**vars(RUN), "rows": ()})
    files.begin()
    assert files.standing().state is State.INTERRUPTED
    files.train()
    assert files.standing().state is State.DONE


def test_a_model_of_other_settings_is_none(files):
    files.begin()
    files.train(training={"steps": 100})
    files.measure()
    assert (files.standing().state, files.standing().stage) == (State.WAITING, "")


@pytest.mark.parametrize("text", ["", "stopped by SIGTERM after step 50, which is saved: the same …\n"])
def test_a_training_that_nobody_works_at_is_interrupted(files, text):
    files.begin()
    files.log("train", text)
    found = files.standing()
    assert (found.state, found.stage, found.step, found.loss) == (State.INTERRUPTED, "training", 50, 12.5)
    assert found.seconds_left is None


def test_what_a_finished_training_left_is_not_interrupted(files):
    # Its outputs were deleted, to be made again.
    files.begin(step=200)
    assert files.standing().state is State.WAITING
    files.write(files.folder / "checkpoint" / "state.safetensors", "")
    assert files.standing().state is State.INTERRUPTED


@pytest.mark.parametrize("step", ["train", "evaluate"])
def test_a_seed_is_running_while_its_log_is_locked(files, step):
    files.begin()
    if step == "evaluate":
        files.train()
    with files.log(step).open("a") as log:
        fcntl.flock(log, fcntl.LOCK_SH)
        stage = {"train": "training", "evaluate": "evaluation"}[step]
        assert (files.standing().state, files.standing().stage) == (State.RUNNING, stage)
    assert files.standing().state is not State.RUNNING


STEP = """
from textlvm.runtime import cli

def main(options):
    print("at work", flush=True)
    input()

cli.run(main, cli.parser(None))
"""


def test_every_step_locks_its_log_until_it_ends(files):
    log = files.log("train", "of the run before")
    command = [sys.executable, "-c", STEP, "--log", str(log)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(PACKAGES)}, **pipes) as step:
        assert step.stdout.readline() == "at work\n"
        assert files.standing().state is State.RUNNING
        step.kill()
    assert files.standing().state is State.WAITING


def test_the_time_left_is_that_of_the_steps_left_at_the_pace_so_far(files):
    files.begin()
    with files.log("train").open("a") as log:
        fcntl.flock(log, fcntl.LOCK_SH)
        assert files.standing().seconds_left == 300.0
        assert files.standing(NOW + 60).seconds_left == 240.0
        assert files.standing(NOW + 1000).seconds_left == 0.0


@settings(deadline=None)
@given(st.integers(1, 10**6), st.integers(0, 10**6), st.floats(0, 1e7))
def test_the_time_left_is_proportional_to_the_steps_left(tmp_path_factory, step, rest, seconds):
    files = Files(tmp_path_factory.mktemp("results"))
    files.begin(step=step, steps=step + rest, seconds=seconds)
    with files.log("train").open("a") as log:
        fcntl.flock(log, fcntl.LOCK_SH)
        assert files.standing().seconds_left == pytest.approx(seconds * rest / step)


@pytest.mark.parametrize(("age", "state"), [(89, State.RUNNING), (91, State.INTERRUPTED)])
def test_on_another_machine_entries_that_keep_coming_are_a_running_training(files, age, state):
    # An entry every 20 seconds, three of them and 30 seconds more.
    files.begin(at=NOW - age)
    files.write(files.folder / "checkpoint" / "lock", "process 7 on another-machine\n")
    assert files.standing().state is state


def test_a_failed_training_says_why(files):
    files.begin()
    files.write(files.folder / "checkpoint" / "failure.json", FAILURE)
    log = files.log("train", "Traceback (most recent call last):\n  …\nUserError: the loss …: lower …\n")
    found = files.standing()
    assert (found.state, found.stage) == (State.FAILED, "training")
    assert (found.reason, found.log) == ("the loss became nan", log)


def test_an_evaluation_without_the_model_of_others_says_what_is_missing(files):
    files.train()
    files.measure(status="failed", reason="model.path 'weights' is not a folder")
    found = files.standing()
    assert (found.state, found.stage) == (State.FAILED, "evaluation")
    assert found.reason == "model.path 'weights' is not a folder"
    assert found.log.name == "evaluate.log"
    files.measure(status="done")
    assert files.standing().state is State.DONE


def test_a_failure_of_other_settings_is_none(files):
    files.begin()
    files.write(files.folder / "checkpoint" / "failure.json", FAILURE | {"training": {"steps": 9}})
    files.log("train", "Traceback (most recent call last):\n  …\nUserError: of the other settings\n")
    assert files.standing().state is State.INTERRUPTED


TRACEBACKS = [
    ("textlvm.runtime.errors.UserError: no space left: free some\n", "no space left: free some"),
    ("AssertionError\n", "AssertionError"),
    ("KeyError: 'x'\n\nThe above …:\n\nTraceback (most recent call last):\n  …\nOSError: gone\n", "gone"),
]


@pytest.mark.parametrize(("end", "reason"), TRACEBACKS)
@pytest.mark.parametrize("step", ["train", "evaluate"])
def test_a_step_whose_log_ends_with_an_error_has_failed(files, step, end, reason):
    if step == "evaluate":
        files.train()
    frames = '  File "train.py", line 7, in main\n    raise error\n'
    files.log(step, f"x\nTraceback (most recent call last):\n{frames}{end}", at=NOW + 1)
    assert (files.standing().state, files.standing().reason) == (State.FAILED, reason)


def test_an_evaluation_that_failed_before_the_training_does_not_count(files):
    files.log("evaluate", "Traceback (most recent call last):\n  …\nOSError: gone\n", at=NOW - 1)
    files.train()
    assert files.standing().state is State.WAITING


def test_a_run_trained_elsewhere_waits_for_that_and_shows_no_steps(tmp_path):
    files = Files(tmp_path, ELSEWHERE)
    files.begin()
    assert (files.standing().state, files.standing().step) == (State.WAITING, None)
    files.train()
    assert (files.standing().state, files.standing().stage) == (State.WAITING, "evaluation")
    files.measure()
    assert (files.standing().state, files.standing().steps) == (State.DONE, None)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"step": 3}', "null"])
def test_damaged_files_are_as_good_as_none(files, content):
    for name in ("checkpoint/progress.json", "checkpoint/failure.json", "spec.json", "cost.json"):
        files.write(files.folder / name, content)
    files.write(files.results / RUN.metrics(0), content)
    assert files.standing().state is State.WAITING


def test_every_seed_has_a_standing(files):
    files.train()
    files.measure()
    found = standings([RUN], files.results)
    assert [(each.seed, each.state) for each in found] == [(0, State.DONE), (3, State.WAITING)]
