"""Processes that share GPUs: each has its own GPU, all get one, and killed processes release theirs."""

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
"""Seconds to wait for output of a process; passing tests wait for events only."""


@dataclass
class Job:
    """A process that leases one of two GPUs, prints its name, and ends on request."""

    folder: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", JOB, str(self.folder)],
            env=os.environ | {"PYTHONPATH": str(ROOT / "workflow")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # `select` does not see data in a buffer.
            bufsize=0,
        )

    def line(self) -> str:
        """The next line of its output."""
        first_with_output(self)
        return self.process.stdout.readline().decode().strip()

    def gpu(self) -> str:
        """Wait until it has a GPU, and return the GPU's name."""
        while not (name := leased(self.line())):
            pass
        return name

    def finish(self) -> None:
        self.process.communicate(b"\n", timeout=PATIENCE)
        assert self.process.returncode == 0


def leased(line: str) -> str | None:
    """The GPU that a job has got according to this line; None if it is still waiting."""
    assert line, "the job ended without a GPU"
    return line.split()[1] if line.startswith("leased") else None


def first_with_output(*jobs: Job) -> Job:
    """The first of these jobs that has printed something."""
    ready = select.select([job.process.stdout for job in jobs], [], [], PATIENCE)[0]
    assert ready, "no job has printed anything"
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


def test_eight_jobs_on_two_gpus_all_get_one_exclusively(start):
    waits: list[Job] = [start() for _ in range(8)]
    holders: dict[str, Job] = {}
    served: list[Job] = []
    while waits or holders:
        # While both GPUs are leased, the other jobs print only that they wait.
        while len(holders) < 2 and waits:
            job = first_with_output(*waits)
            if gpu := leased(job.line()):
                assert gpu not in holders, f"{gpu} has two jobs"
                holders[gpu] = job
                waits.remove(job)
        served.append(holders.pop(min(holders)))
        served[-1].finish()
    assert len(served) == 8


def test_gpu_of_a_killed_job_goes_to_the_next(start):
    jobs = {job.gpu(): job for job in (start(), start())}
    next_job = waiting(start())
    os.kill(jobs["GPU-b"].process.pid, signal.SIGKILL)
    assert next_job.gpu() == "GPU-b"
    assert jobs["GPU-a"].process.poll() is None


def test_killed_job_leaves_the_queue(start):
    jobs = [start(), start()]
    gpus = [job.gpu() for job in jobs]
    head, behind = waiting(start()), waiting(start())
    os.kill(head.process.pid, signal.SIGKILL)
    jobs[0].finish()
    assert behind.gpu() == gpus[0]


def test_first_come_first_served(start):
    held = [start(), start()]
    gpus = [job.gpu() for job in held]
    queue = [waiting(start()) for _ in range(4)]
    for _ in range(2):
        for job in held:
            job.finish()
        held, queue = queue[:2], queue[2:]
        assert {job.gpu() for job in held} == set(gpus)
        assert not with_output(queue)


def with_output(jobs: Iterable[Job]) -> list[Job]:
    """The jobs that have printed something."""
    outputs = {job.process.stdout: job for job in jobs}
    return [outputs[output] for output in select.select(list(outputs), [], [], 0)[0]] if outputs else []
