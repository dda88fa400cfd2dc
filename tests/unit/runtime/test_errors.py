import errno
import os

import numpy as np
import pytest
import torch

from textlvm.runtime import PARENT
from textlvm.runtime.errors import explain, is_out_of_memory, nearest, repair


@pytest.mark.parametrize(
    ("name", "valid", "advice"),
    [
        ("tril-k6", ["tril", "tril-k5", "oracle"], "did you mean 'tril-k5', 'tril'?"),
        ("aaaa", ["aaab", "aaac", "aaad", "aaae"], "did you mean 'aaae', 'aaad', 'aaac'?"),
        ("zzz", ["beta", "alpha"], "valid: 'alpha', 'beta'"),
        ("z", "nmlkjihgfedcba", f"valid: {str([*'abcdefghijkl'])[1:-1]}, …"),
        ("zzz", [], "there is none"),
    ],
    ids=["close", "many that are close", "none is close", "many", "no name"],
)
def test_nearest_names(name, valid, advice):
    assert nearest(name, valid) == advice


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_error_message_for_a_full_disk(number):
    message = explain(OSError(number, os.strerror(number), "results/x.json"))
    assert message.startswith(f"no space left for results/x.json ({os.strerror(number)}): free some and run")
    assert "training resumes from its last checkpoint" in message
    assert explain(OSError(number, os.strerror(number))).startswith("no space left for a file (")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR])
def test_error_message_for_denied_access(number):
    message = explain(OSError(number, os.strerror(number), "results/x.json"))
    assert message.startswith(f"no access to results/x.json ({os.strerror(number)}): change its permissions")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_error_message_for_exhausted_memory(error):
    assert is_out_of_memory(error)
    assert explain(error).startswith("out of memory: ")


def test_allocation_errors_of_numpy_and_pytorch_are_recognised():
    """Allocate more memory than there are addresses."""
    for allocate in (lambda: np.empty(1 << 60, np.int8), lambda: torch.empty(1 << 60, dtype=torch.int8)):
        with pytest.raises((MemoryError, RuntimeError)) as raised:
            allocate()
        assert is_out_of_memory(raised.value)


@pytest.mark.parametrize(
    "error", [FileNotFoundError(2, "No such file", "x"), ValueError("x"), RuntimeError("x")]
)
def test_other_errors_are_not_explained(error):
    assert explain(error) is None


@pytest.mark.parametrize(
    ("step", "command"),
    [
        (True, "the same command with `--forcerun 'a folder/metrics.json'` at its end recreates it"),
        (
            False,
            "correct the path, or recreate an output of the workflow with "
            "`snakemake --force 'a folder/metrics.json'`",
        ),
    ],
)
def test_repair_is_a_command(tmp_path, monkeypatch, step, command):
    monkeypatch.delenv(PARENT, raising=False)
    if step:
        monkeypatch.setenv(PARENT, "1")
    assert repair("a folder/metrics.json") == command
    assert repair(tmp_path / "model.safetensors").endswith(", by training the run again")
