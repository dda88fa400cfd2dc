"""A table made on a Slurm cluster whose jobs are preempted, cancelled and stopped by their time limit."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import tiny
from watching import LIMIT, differing, products, wait_until

pytestmark = pytest.mark.faults

HERE = Path(__file__).parent
SKIP = 77
STANDARD = f"results/words/{tiny.CORPUS}/standard"
RUNS = ("tril", "tril-k2", "baseline-8d")
TABLE = "results/table1.csv"
RESUMING = "resuming after step"
# The jobs take seconds: check their status soon.
SNAKEMAKE = (
    "snakemake --profile workflow/profiles/slurm --set-resources words_train:gpu=1"
    " --slurm-init-seconds-before-status-checks 2"
)


@dataclass(frozen=True)
class Training:
    """A training process in a job of Slurm."""

    pid: int
    run: str
    gpu: str
    """CUDA_VISIBLE_DEVICES, as Slurm set it."""
    job: str
    parent: str
    """The command line of its parent process."""

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """A cluster of one node with two GPUs, stopped after these tests."""
    folder = tmp_path_factory.mktemp("cluster") / "slurm"
    started = subprocess.run([HERE / "slurm_up.sh", folder], capture_output=True, text=True, check=False)
    if started.returncode == SKIP:
        pytest.skip(started.stdout.strip())
    try:
        assert started.returncode == 0, started.stderr
        yield
    finally:
        subprocess.run([HERE / "slurm_down.sh", folder], check=False)


@pytest.fixture(scope="module")
def reference(new_project):
    """A project in which the table was made without the cluster."""
    project = new_project()
    tiny.write(project.root, tiny.words)

    def edit(section):
        section["runs"] = {"standard": {name: section["runs"]["standard"][name] for name in RUNS}}
        section["training"] |= {"steps": 300, "monitor_every": 300}

    tiny.change(project.root, "words", edit)
    project.run(f"snakemake --cores 2 {TABLE}")
    return project


@pytest.fixture(scope="module")
def project(reference, new_project):
    """A copy of the project for the cluster, without the trainings."""
    project = new_project()
    shutil.copytree(reference.root, project.root, dirs_exist_ok=True)
    for run in RUNS:
        shutil.rmtree(project.root / STANDARD / run)
    (project.root / TABLE).unlink()
    return project


def trainings(project) -> Iterator[Training]:
    """The processes that are training in this project."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
            if "textlvm.words.train" not in words or (folder / "cwd").readlink() != project.root:
                continue
            text = (folder / "environ").read_bytes().decode()
            parent = Path("/proc", (folder / "stat").read_text().rpartition(")")[2].split()[1], "cmdline")
            parent = parent.read_bytes().decode().replace("\0", " ")
        except OSError:  # it has ended
            continue
        variables = dict(line.partition("=")[::2] for line in text.split("\0"))
        yield Training(
            int(folder.name),
            words[words.index("--name") + 1].split("/")[-1],
            variables.get("CUDA_VISIBLE_DEVICES", ""),
            variables["SLURM_JOB_ID"],
            parent,
        )


def state(project, run) -> Path:
    """The checkpoint file of a training."""
    return project.root / STANDARD / run / "seed0" / "checkpoint" / "state.safetensors"


def training_log(project, run) -> str:
    """The log of a training's last process."""
    log = Path(project.root, STANDARD.replace("results/", "results/logs/"), run, "seed0", "train.log")
    return log.read_text(encoding="utf-8") if log.exists() else ""


def hold(project, process, ready) -> list[Training]:
    """Stop two trainings by SIGSTOP as soon as each is `ready`; Slurm's signals continue them."""
    held: dict[str, Training] = {}

    def two() -> bool:
        assert process.poll() is None, process.communicate()[0][-6000:]
        # Searching all processes is slow, and must not delay the trainings.
        due = {run for run in RUNS if run not in held and ready(run)}
        for training in trainings(project) if due else ():
            if training.run in due:
                training.send(signal.SIGSTOP)
                held[training.run] = training
        return len(held) == 2

    wait_until(two, "two trainings")
    return list(held.values())


def slurm_output(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@dataclass(frozen=True)
class Events:
    """The jobs of two trainings, and what happened to them."""

    first: list[Training]
    restarts: list[str]
    """How often Slurm requeued their jobs."""
    timed_out: Training
    """The one that reaches its time limit."""
    cancelled: Training
    """The one that is cancelled."""
    output: str


@pytest.fixture(scope="module")
def events(slurm, project):
    """Run the table once; two of its trainings are each interrupted twice."""
    process = project.start(f"exec {SNAKEMAKE} {TABLE}", stderr=subprocess.STDOUT)
    try:
        first = hold(project, process, lambda run: state(project, run).exists())
        # A job of higher priority preempts both.
        urgent = ("--partition=urgent", "--gpus=2", "--mem=10", "--output=/dev/null", "--wrap=true")
        slurm_output("sbatch", "--wait", *urgent)
        jobs = [slurm_output("scontrol", "show", "job", training.job) for training in first]
        restarts = [re.search(r"Restarts=(\d+)", job)[1] for job in jobs]
        timed_out, cancelled = hold(project, process, lambda run: RESUMING in training_log(project, run))
        slurm_output("scontrol", "update", f"JobId={timed_out.job}", "TimeLimit=1")
        slurm_output("scancel", cancelled.job)
        output, _ = process.communicate(timeout=2 * LIMIT)
    finally:
        process.kill()
    assert process.returncode == 0, output[-6000:]
    return Events(first, restarts, timed_out, cancelled, output)


def test_parallel_jobs_have_different_gpus(events):
    assert sorted(training.gpu for training in events.first) == ["0", "1"]


def test_preempted_job_is_requeued_without_a_retry(events):
    assert events.restarts == ["1", "1"]
    assert {events.timed_out.job, events.cancelled.job} == {training.job for training in events.first}
    assert events.output.count("Trying to restart job") == 2


def test_cancelled_and_timed_out_jobs_are_retried(events):
    for training, status in ((events.timed_out, "TIMEOUT"), (events.cancelled, "CANCELLED")):
        assert f"SLURM-job '{training.job}' failed, SLURM status is: '{status}'" in events.output


def test_training_saves_its_state_on_sigterm(events, project):
    for training in (events.timed_out, events.cancelled):
        (log,) = (project.root / ".snakemake" / "slurm_logs").rglob(f"{training.job}.log")
        output = log.read_text(encoding="utf-8")
        assert "stopped by SIGTERM after step" in output
        # The Snakemake of each job is not taken for another instance in the folder.
        assert "is running in this folder" not in output
    # The parent is not a shell: it would end at the signal, and the job with it.
    for training in events.first:
        assert "-m snakemake " in training.parent


def test_training_resumes_from_the_saved_state(events, project):
    for training in events.first:
        assert RESUMING in training_log(project, training.run)


def test_results_match_the_run_without_the_cluster(events, project, reference):
    assert (project.root / TABLE).exists()
    assert products(project.root).keys() == products(reference.root).keys()
    assert differing(project.root, reference.root) == set()
