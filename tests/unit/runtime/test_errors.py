import errno
import os

import numpy as np
import pytest
import torch

from textlvm.runtime.errors import UserError, explain, is_out_of_memory, nearest, repair


def test_close_names_are_suggested_best_first():
    assert nearest("tril-k6", ["tril", "tril-k5", "oracle"]) == "did you mean 'tril-k5', 'tril'?"


def test_without_a_close_name_all_valid_ones_are_listed_in_order():
    assert nearest("zzz", ["beta", "alpha"]) == "valid: 'alpha', 'beta'"


def test_a_long_list_is_cut_and_says_so():
    sentence = nearest("zzz", [f"name{i:02d}" for i in range(20)])
    assert sentence.endswith("'name11', …")
    assert "name12" not in sentence


def test_without_any_name_no_list_is_begun():
    assert nearest("zzz", []) == "there is none"


def test_no_more_than_count_names_are_suggested():
    assert nearest("aaaa", ["aaab", "aaac", "aaad", "aaae"], count=2).count("'") == 4


def test_a_user_error_is_its_sentence():
    with pytest.raises(UserError, match=r"^config\.yaml: no$"):
        raise UserError("config.yaml: no")


def test_the_sentence_of_a_user_error_is_its_own():
    assert explain(UserError("config.yaml: no")) == "config.yaml: no"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_with_the_file_and_what_to_do(number):
    sentence = explain(OSError(number, os.strerror(number), "results/x.json"))
    assert sentence.startswith(f"no space left for results/x.json ({os.strerror(number)}): free some and run")
    assert "goes on from a training's last checkpoint" in sentence
    assert explain(OSError(number, os.strerror(number))).startswith("no space left for a file (")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR])
def test_no_access_is_told_with_the_file(number):
    sentence = explain(OSError(number, os.strerror(number), "results/x.json"))
    assert sentence.startswith(f"no access to results/x.json ({os.strerror(number)}): change its permissions")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_a_lack_of_memory_is_told(error):
    assert is_out_of_memory(error)
    assert explain(error).startswith("out of memory: ")


def test_libraries_say_so_in_these_words():
    """What NumPy and PyTorch raise for more memory than there are addresses."""
    for allocate in (lambda: np.empty(1 << 60, np.int8), lambda: torch.empty(1 << 60, dtype=torch.int8)):
        with pytest.raises((MemoryError, RuntimeError)) as raised:
            allocate()
        assert is_out_of_memory(raised.value)


@pytest.mark.parametrize(
    "error", [FileNotFoundError(2, "No such file", "x"), ValueError("x"), RuntimeError("x")]
)
def test_other_errors_are_ours(error):
    assert explain(error) is None


def test_the_repair_of_a_damaged_file_is_a_command(tmp_path):
    assert repair("a folder/metrics.json") == (
        "the same command with `--forcerun 'a folder/metrics.json'` at its end makes it anew"
    )
    assert repair(tmp_path / "model.safetensors").endswith("makes it anew, by training the run again")
