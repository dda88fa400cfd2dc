"""A table on a real cluster whose jobs are preempted, cancelled and cut off by their time limit."""

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
GOES_ON = "resuming after step"
# Jobs of seconds: their ends should not be noticed minutes later.
SNAKEMAKE = (
    "snakemake --profile workflow/profiles/slurm --set-resources words_train:gpu=1"
    " --slurm-init-seconds-before-status-checks 2"
)


@dataclass(frozen=True)
class Training:
    """A process that trains, as a job of Slurm."""

    pid: int
    run: str
    gpu: str
    """CUDA_VISIBLE_DEVICES, as Slurm set it."""
    job: str
    parent: str
    """The command line of the process that waits for it."""

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """A cluster of one node with two GPUs, for as long as these tests take."""
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
    """A project with the table, made on this machine."""
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
    """The same project on the cluster, before its trainings."""
    project = new_project()
    shutil.copytree(reference.root, project.root, dirs_exist_ok=True)
    for run in RUNS:
        shutil.rmtree(project.root / STANDARD / run)
    (project.root / TABLE).unlink()
    return project


def trainings(project) -> Iterator[Training]:
    """The processes that train in this project now."""
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
    """The saved state of a training."""
    return project.root / STANDARD / run / "seed0" / "checkpoint" / "state.safetensors"


def said(project, run) -> str:
    """The log of a training's last process."""
    log = Path(project.root, STANDARD.replace("results/", "results/logs/"), run, "seed0", "train.log")
    return log.read_text(encoding="utf-8") if log.exists() else ""


def hold(project, process, ready) -> list[Training]:
    """Stop two trainings, each as soon as it is `ready`; Slurm's signals wake them."""
    held: dict[str, Training] = {}

    def two() -> bool:
        assert process.poll() is None, process.communicate()[0][-6000:]
        # To look at all processes of a machine is work, which the trainings should not have to wait for.
        due = {run for run in RUNS if run not in held and ready(run)}
        for training in trainings(project) if due else ():
            if training.run in due:
                training.send(signal.SIGSTOP)
                held[training.run] = training
        return len(held) == 2

    wait_until(two, "two trainings")
    return list(held.values())


def slurm_says(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@dataclass(frozen=True)
class Story:
    """What happened to the jobs of two trainings."""

    first: list[Training]
    restarts: list[str]
    """How often Slurm queued their jobs again."""
    late: Training
    """The one whose time is up then."""
    unwanted: Training
    """The other one, which is cancelled."""
    output: str


@pytest.fixture(scope="module")
def story(slurm, project):
    """The table is asked for once; two of its trainings are cut off twice each."""
    process = project.start(f"exec {SNAKEMAKE} {TABLE}", stderr=subprocess.STDOUT)
    try:
        first = hold(project, process, lambda run: state(project, run).exists())
        # Somebody more important needs both GPUs for a moment.
        urgent = ("--partition=urgent", "--gpus=2", "--mem=10", "--output=/dev/null", "--wrap=true")
        slurm_says("sbatch", "--wait", *urgent)
        jobs = [slurm_says("scontrol", "show", "job", training.job) for training in first]
        restarts = [re.search(r"Restarts=(\d+)", job)[1] for job in jobs]
        late, unwanted = hold(project, process, lambda run: GOES_ON in said(project, run))
        slurm_says("scontrol", "update", f"JobId={late.job}", "TimeLimit=1")
        slurm_says("scancel", unwanted.job)
        output, _ = process.communicate(timeout=2 * LIMIT)
    finally:
        process.kill()
    assert process.returncode == 0, output[-6000:]
    return Story(first, restarts, late, unwanted, output)


def test_jobs_beside_each_other_have_gpus_of_their_own(story):
    assert sorted(training.gpu for training in story.first) == ["0", "1"]


def test_a_preempted_job_is_queued_again_and_takes_no_attempt(story):
    assert story.restarts == ["1", "1"]
    assert {story.late.job, story.unwanted.job} == {training.job for training in story.first}
    assert story.output.count("Trying to restart job") == 2


def test_a_cancelled_job_and_a_late_one_take_another_attempt(story):
    for training, status in ((story.late, "TIMEOUT"), (story.unwanted, "CANCELLED")):
        assert f"SLURM-job '{training.job}' failed, SLURM status is: '{status}'" in story.output


def test_a_signal_lets_a_training_save_its_state(story, project):
    for training in (story.late, story.unwanted):
        (log,) = (project.root / ".snakemake" / "slurm_logs").rglob(f"{training.job}.log")
        output = log.read_text(encoding="utf-8")
        assert "stopped by SIGTERM after step" in output
        # Each job has a Snakemake of its own, which is no stranger.
        assert "is running in this folder" not in output
    # A shell in between would end at once, and its end would be that of the job.
    for training in story.first:
        assert "-m snakemake " in training.parent


def test_trainings_go_on_from_there(story, project):
    for training in story.first:
        assert GOES_ON in said(project, training.run)


def test_the_numbers_are_those_of_this_machine(story, project, reference):
    assert (project.root / TABLE).exists()
    assert products(project.root).keys() == products(reference.root).keys()
    assert differing(project.root, reference.root) == set()
