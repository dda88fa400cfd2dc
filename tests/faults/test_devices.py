"""Jobs that share GPUs, as real processes: each has its own, all are served, and the dead hold nothing."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
JOB = """
import logging
import sys
from pathlib import Path
from textlvm.training.lease import acquire

logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
acquire(["GPU-a", "GPU-b"], Path(sys.argv[1]))
sys.stdin.readline()
"""
PATIENCE = 60
"""Seconds until a process that says nothing has failed; a passing test waits for events alone."""


@dataclass
class Job:
    """A process that leases one of two GPUs, says so, and ends when it is told to."""

    folder: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", JOB, str(self.folder)],
            env=os.environ | {"PYTHONPATH": str(ROOT / "workflow")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A buffer would hide from select what it has read ahead.
            bufsize=0,
        )

    def line(self) -> str:
        """What it says next."""
        says(self)
        return self.process.stdout.readline().decode().strip()

    def gpu(self) -> str:
        """The GPU it gets, once it has got one."""
        while not (name := leased(self.line())):
            pass
        return name

    def finish(self) -> None:
        self.process.communicate(b"\n", timeout=PATIENCE)
        assert self.process.returncode == 0


def leased(line: str) -> str | None:
    """The GPU that this line says a job got."""
    assert line, "the job ended without a GPU"
    return line.split()[1] if line.startswith("leased") else None


def says(*jobs: Job) -> Job:
    """The first of these jobs that has something to say."""
    ready = select.select([job.process.stdout for job in jobs], [], [], PATIENCE)[0]
    assert ready, "no job says anything"
    return next(job for job in jobs if job.process.stdout is ready[0])


@pytest.fixture
def start(tmp_path):
    started: list[Job] = []

    def starter() -> Job:
        started.append(Job(tmp_path / "locks"))
        return started[-1]

    yield starter
    for job in started:
        job.process.kill()
        job.process.communicate()


def waiting(job: Job) -> Job:
    """The job, which must be waiting for a GPU."""
    assert job.line() == "waiting for a GPU: all 2 slots are in use; --gpus 0 selects the CPU"
    return job


def test_eight_jobs_on_two_gpus_never_share_one_and_all_are_served(start):
    waits: list[Job] = [start() for _ in range(8)]
    has: dict[str, Job] = {}
    served: list[Job] = []
    while waits or has:
        # With both GPUs held, whatever the others say is that they wait.
        while len(has) < 2 and waits:
            job = says(*waits)
            if gpu := leased(job.line()):
                assert gpu not in has, f"{gpu} has two jobs"
                has[gpu] = job
                waits.remove(job)
        served.append(has.pop(min(has)))
        served[-1].finish()
    assert len(served) == 8


def test_the_gpu_of_a_killed_job_goes_to_the_next(start):
    jobs = {job.gpu(): job for job in (start(), start())}
    next_job = waiting(start())
    os.kill(jobs["GPU-b"].process.pid, signal.SIGKILL)
    assert next_job.gpu() == "GPU-b"
    assert jobs["GPU-a"].process.poll() is None


def test_a_killed_job_leaves_its_place_in_the_line(start):
    jobs = [start(), start()]
    gpus = [job.gpu() for job in jobs]
    head, behind = waiting(start()), waiting(start())
    os.kill(head.process.pid, signal.SIGKILL)
    jobs[0].finish()
    assert behind.gpu() == gpus[0]


def test_first_come_first_served(start):
    held = [start(), start()]
    gpus = [job.gpu() for job in held]
    line = [waiting(start()) for _ in range(4)]
    for _ in range(2):
        for job in held:
            job.finish()
        held, line = line[:2], line[2:]
        assert {job.gpu() for job in held} == set(gpus)
        assert not speaking(line)


def speaking(jobs: Iterable[Job]) -> list[Job]:
    """Those of these jobs that have said something although they must wait."""
    outputs = {job.process.stdout: job for job in jobs}
    return [outputs[output] for output in select.select(list(outputs), [], [], 0)[0]] if outputs else []
