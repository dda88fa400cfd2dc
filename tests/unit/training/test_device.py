"""The choice of a device on machines with simulated GPUs."""

import argparse
import tempfile
import time
from types import SimpleNamespace

import pytest
import torch

from textlvm.runtime.errors import UserError
from textlvm.training import device as devices


class Machine:
    """Replaces PyTorch's view of the machine by one with these GPUs."""

    def __init__(self, monkeypatch, *identifiers):
        self.identifiers = identifiers
        self.current = []
        cuda = torch.cuda
        monkeypatch.setattr(cuda, "is_available", lambda: bool(self.identifiers))
        monkeypatch.setattr(cuda, "init", lambda: None)
        monkeypatch.setattr(cuda, "device_count", lambda: len(self.identifiers))
        monkeypatch.setattr(cuda, "get_device_properties", self.properties)
        monkeypatch.setattr(cuda, "set_device", self.current.append)
        monkeypatch.setattr(cuda, "synchronize", lambda: None)

    def properties(self, index):
        identifier = self.identifiers[index]
        return SimpleNamespace(uuid=identifier) if identifier else SimpleNamespace()


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Makes a machine for a process without variables of Slurm and without a lease."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID", devices.JOBS_PER_GPU):
        monkeypatch.delenv(name, raising=False)

    def waits(_seconds):
        pytest.fail("it waits for a GPU")

    monkeypatch.setattr(time, "sleep", waits)
    devices._lease.cache_clear()
    yield lambda *identifiers: Machine(monkeypatch, *identifiers)
    devices._lease.cache_clear()


def another_process():
    """The choice of another process, while all earlier leases are held."""
    devices._lease.cache_clear()
    return devices.choose()


def locks(folder):
    return {path.name for path in folder.glob("textlvm-*/*") if not path.name.startswith("line-")}


def test_processes_reserve_different_gpus_and_make_them_current(machine):
    here = machine("a", "b")
    assert devices.choose() == torch.device("cuda", 0)
    assert devices.choose() == torch.device("cuda", 0)
    assert another_process() == torch.device("cuda", 1)
    assert here.current == [torch.device("cuda", index) for index in (0, 0, 1)]


def test_gpu_is_shared_by_the_given_number_of_processes(machine, monkeypatch, tmp_path):
    machine("a", "b")
    monkeypatch.setenv(devices.JOBS_PER_GPU, "2")
    for index in (0, 1, 0, 1):
        assert another_process() == torch.device("cuda", index)
    assert locks(tmp_path) == {"GPU-a", "GPU-b", "GPU-a+1", "GPU-b+1"}
    with pytest.raises(pytest.fail.Exception, match="waits for a GPU"):
        another_process()


@pytest.mark.parametrize("text", ["0", "-1", "two", "", "1.5"])
def test_invalid_number_of_jobs_per_gpu_is_rejected(machine, monkeypatch, text):
    machine("a")
    monkeypatch.setenv(devices.JOBS_PER_GPU, text)
    with pytest.raises(UserError, match=rf"^TEXTLVM_JOBS_PER_GPU is '{text}': set it to a number of jobs"):
        devices.choose()


def test_cpu_is_used_without_gpus(machine, monkeypatch):
    machine()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert devices.choose() == torch.device("cpu")
    assert devices.describe(torch.device("cpu")).endswith("1 thread(s))")


def test_zero_gpus_select_the_cpu_and_hide_gpus(machine, monkeypatch, tmp_path):
    here = machine("a")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert devices.choose(0) == torch.device("cpu")
    assert not here.current
    assert not locks(tmp_path)
    # PyTorch then finds no GPU in this process.
    assert devices.os.environ["CUDA_VISIBLE_DEVICES"] == ""


def test_gpu_order_may_differ_between_processes(machine):
    machine("a", "b")
    assert devices.choose() == torch.device("cuda", 0)
    # Another process with the opposite order, as with another CUDA_DEVICE_ORDER.
    machine("b", "a")
    assert another_process() == torch.device("cuda", 0)


@pytest.mark.parametrize(
    ("visible", "identifiers", "names"),
    [
        (None, ("a",), {"GPU-a"}),
        ("3,5", ("a", "b"), {"GPU-a"}),
        ("3, 5", (None, None), {"3"}),
        (None, (None,), {"0"}),
        # Two slices of GPU a, in the old and the new notation.
        ("MIG-7f", ("a",), {"MIG-7f"}),
        ("MIG-GPU-a/1/0", ("a",), {"MIG-GPU-a_1_0"}),
    ],
)
def test_lock_is_named_after_the_unique_identifier_of_the_gpu(
    machine, monkeypatch, tmp_path, visible, identifiers, names
):
    machine(*identifiers)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    devices.choose()
    assert locks(tmp_path) == names


def test_slurm_jobs_use_their_allocated_gpus(machine, monkeypatch, tmp_path):
    """Each job sees its GPU as number 0, and locks it under the number of the job."""
    for job, identifier in (("7", None), ("8", None), ("9", "shared"), ("10", "shared")):
        machine(identifier)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
        monkeypatch.setenv("SLURM_JOB_ID", job)
        assert another_process() == torch.device("cuda", 0)
    assert locks(tmp_path) == {"slurm7-0", "slurm8-0", "slurm9-GPU-shared", "slurm10-GPU-shared"}


def test_gpus_not_allocated_by_slurm_are_locked_as_elsewhere(machine, monkeypatch, tmp_path):
    machine("a", "b")
    for job, index in (("7", 0), ("8", 1)):
        monkeypatch.setenv("SLURM_JOB_ID", job)
        assert another_process() == torch.device("cuda", index)
    assert locks(tmp_path) == {"GPU-a", "GPU-b"}


def test_unusable_gpu_gives_a_one_line_error(machine, monkeypatch):
    machine("a")

    def busy():
        raise RuntimeError("CUDA-capable device(s) is/are busy or unavailable\nCompile with …")

    monkeypatch.setattr(torch.cuda, "synchronize", busy)
    with pytest.raises(UserError, match=r"^GPU 0 cannot be used \(CUDA-.* unavailable\): set .* gpu=0$"):
        devices.choose()


def test_fork_rng_restores_the_cpu_generator():
    cpu = torch.device("cpu")
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    with devices.fork_rng(cpu):
        torch.rand(5)
    assert torch.rand(2).equal(expected)


def test_fork_rng_touches_only_the_given_gpu(machine, monkeypatch):
    machine("a", "b", "c")
    seen = []
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: seen.append(device))
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: seen.append(device))
    used = torch.device("cuda", 1)
    with devices.fork_rng(used):
        pass
    assert set(seen) == {used}


@pytest.mark.parametrize(("words", "gpus"), [([], 1), (["--gpus", "0"], 0), (["--gpus", "2"], 2)])
def test_option_gpus_is_parsed(words, gpus):
    parser = argparse.ArgumentParser()
    devices.add_argument(parser)
    assert parser.parse_args(words).gpus == gpus
