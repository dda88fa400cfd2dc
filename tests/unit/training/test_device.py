"""The choice of a device on machines whose GPUs are simulated: PyTorch is told what it would find there."""

import argparse
import tempfile
import time
from types import SimpleNamespace

import pytest
import torch

from textlvm.runtime.errors import UserError
from textlvm.training import device as devices


class Machine:
    """What PyTorch finds on a machine with these GPUs."""

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
    """Makes a machine, without what this process was told by Slurm or leased before."""
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
    """The choice of a further process: the lease of the first is held on."""
    devices._lease.cache_clear()
    return devices.choose()


def locks(folder):
    return {path.name for path in folder.glob("textlvm-*/*") if not path.name.startswith("line-")}


def test_processes_take_different_gpus_and_make_them_current(machine):
    here = machine("a", "b")
    assert devices.choose() == torch.device("cuda", 0)
    assert devices.choose() == torch.device("cuda", 0)
    assert another_process() == torch.device("cuda", 1)
    assert here.current == [torch.device("cuda", index) for index in (0, 0, 1)]


def test_a_gpu_is_shared_by_as_many_as_it_is_said_to(machine, monkeypatch, tmp_path):
    machine("a", "b")
    monkeypatch.setenv(devices.JOBS_PER_GPU, "2")
    for index in (0, 1, 0, 1):
        assert another_process() == torch.device("cuda", index)
    assert locks(tmp_path) == {"GPU-a", "GPU-b", "GPU-a+1", "GPU-b+1"}
    with pytest.raises(pytest.fail.Exception, match="waits for a GPU"):
        another_process()


@pytest.mark.parametrize("text", ["0", "-1", "two", "", "1.5"])
def test_a_number_of_jobs_that_is_none_is_refused(machine, monkeypatch, text):
    machine("a")
    monkeypatch.setenv(devices.JOBS_PER_GPU, text)
    with pytest.raises(UserError, match=rf"^TEXTLVM_JOBS_PER_GPU is '{text}': set it to a number of jobs"):
        devices.choose()


def test_without_gpus_it_is_the_cpu(machine, monkeypatch):
    machine()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert devices.choose() == torch.device("cpu")
    assert devices.describe(torch.device("cpu")).endswith("1 thread(s))")


def test_a_process_that_was_given_none_leaves_gpus_alone(machine, monkeypatch, tmp_path):
    here = machine("a")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert devices.choose(0) == torch.device("cpu")
    assert not here.current
    assert not locks(tmp_path)
    # Whoever asks PyTorch later finds none either.
    assert devices.os.environ["CUDA_VISIBLE_DEVICES"] == ""


def test_numbers_that_differ_between_processes_mean_the_same_gpu(machine):
    machine("a", "b")
    assert devices.choose() == torch.device("cuda", 0)
    # A process that counts them the other way round, as another CUDA_DEVICE_ORDER does.
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
def test_a_gpu_is_called_by_its_identifier_where_it_has_one_to_itself(
    machine, monkeypatch, tmp_path, visible, identifiers, names
):
    machine(*identifiers)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    devices.choose()
    assert locks(tmp_path) == names


def test_jobs_of_slurm_keep_what_slurm_gave_them(machine, monkeypatch, tmp_path):
    """Each sees its GPU as number 0; a second process within a job would have to wait for it."""
    for job, identifier in (("7", None), ("8", None), ("9", "shared"), ("10", "shared")):
        machine(identifier)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
        monkeypatch.setenv("SLURM_JOB_ID", job)
        assert another_process() == torch.device("cuda", 0)
    assert locks(tmp_path) == {"slurm7-0", "slurm8-0", "slurm9-GPU-shared", "slurm10-GPU-shared"}


def test_in_slurm_gpus_that_it_does_not_give_out_are_shared_like_elsewhere(machine, monkeypatch, tmp_path):
    machine("a", "b")
    for job, index in (("7", 0), ("8", 1)):
        monkeypatch.setenv("SLURM_JOB_ID", job)
        assert another_process() == torch.device("cuda", index)
    assert locks(tmp_path) == {"GPU-a", "GPU-b"}


def test_a_gpu_that_does_not_answer_is_one_sentence(machine, monkeypatch):
    machine("a")

    def busy():
        raise RuntimeError("CUDA-capable device(s) is/are busy or unavailable\nCompile with …")

    monkeypatch.setattr(torch.cuda, "synchronize", busy)
    with pytest.raises(UserError, match=r"^GPU 0 cannot be used \(CUDA-.* unavailable\): set .* gpu=0$"):
        devices.choose()


def test_random_numbers_of_a_block_change_none_after_it():
    cpu = torch.device("cpu")
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    with devices.fork_rng(cpu):
        torch.rand(5)
    assert torch.rand(2).equal(expected)


def test_random_numbers_of_other_gpus_are_not_touched(machine, monkeypatch):
    machine("a", "b", "c")
    seen = []
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: seen.append(device))
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: seen.append(device))
    own = torch.device("cuda", 1)
    with devices.fork_rng(own):
        pass
    assert set(seen) == {own}


@pytest.mark.parametrize(("words", "gpus"), [([], 1), (["--gpus", "0"], 0), (["--gpus", "2"], 2)])
def test_a_step_is_told_how_many_gpus_it_was_given(words, gpus):
    parser = argparse.ArgumentParser()
    devices.add_argument(parser)
    assert parser.parse_args(words).gpus == gpus
