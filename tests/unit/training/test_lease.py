import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.runtime.errors import UserError
from textlvm.training.lease import acquire


@given(held=st.lists(st.booleans(), min_size=1, max_size=6).filter(lambda held: not all(held)))
def test_free_gpus_are_found_among_leased_ones(held):
    names = [f"GPU-{index}" for index in range(len(held))]
    with tempfile.TemporaryDirectory() as folder:
        leases = [acquire(names, Path(folder)) for _ in names]
        assert sorted(lease.index for lease in leases) == list(range(len(held)))
        for lease in leases:
            if not held[lease.index]:
                lease.release()
        found = [acquire(names, Path(folder)) for free in held if not free]
        assert sorted(lease.index for lease in found) == [i for i, busy in enumerate(held) if not busy]
        for lease in (*found, *(lease for lease in leases if held[lease.index])):
            lease.release()


def test_lease_without_reference_is_still_held(tmp_path):
    acquire(["GPU-a", "GPU-b"], tmp_path)
    assert acquire(["GPU-a", "GPU-b"], tmp_path).index == 1


def test_lock_folder_is_accessible_to_the_user_only(tmp_path):
    acquire(["GPU-a"], tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_unusable_folder_gives_a_one_line_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"^GPUs cannot be locked .*/locks \(Not a directory\): set TMPDIR"):
        acquire(["GPU-a"], tmp_path / "file" / "locks")
