import errno
import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.runtime.files import naming, read_json, remove_temporaries, replacing, write_json, write_text

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_write_text_creates_parent_folders(tmp_path):
    write_text(tmp_path / "a" / "b.txt", "drei – 3\n")
    assert (tmp_path / "a" / "b.txt").read_bytes() == "drei – 3\n".encode()
    assert names(tmp_path / "a") == ["b.txt"]


def test_failed_write_keeps_only_the_old_file(tmp_path):
    path = tmp_path / "x.txt"
    write_text(path, "old")
    with pytest.raises(ZeroDivisionError), replacing(path) as temporary:
        temporary.write_text(f"half {1 / 0}")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["x.txt"]


def test_file_appears_only_after_the_write(tmp_path):
    path = tmp_path / "x.txt"
    with replacing(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.suffix == ".txt"
        assert temporary.parent == tmp_path
    assert path.read_text() == "half"


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "x", "")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


@given(value=VALUES)
def test_json_round_trip(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("json") / "x.json"
    write_json(path, value)
    assert read_json(path) == value
    assert path.read_text(encoding="utf-8").endswith("\n")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_rejects_nan_and_infinity(tmp_path, value):
    path = tmp_path / "x.json"
    write_json(path, [1])
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, [value])
    assert json.loads(path.read_text()) == [1]


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_error_of_a_full_disk_names_the_file(tmp_path, monkeypatch):
    path = tmp_path / "x.txt"
    write_text(path, "old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left") as raised:
            write_text(path, "new")
    assert raised.value.filename == str(path)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["x.txt"]


def test_error_about_the_temporary_file_names_the_file(tmp_path, monkeypatch):
    def refuse(path, *_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "touch", refuse)
        with pytest.raises(PermissionError) as raised:
            write_text(tmp_path / "x.txt", "new")
    assert raised.value.filename == str(tmp_path / "x.txt")


def test_error_about_another_file_keeps_its_name(tmp_path):
    def copy():
        with replacing(tmp_path / "x.txt") as temporary:
            temporary.write_text((tmp_path / "missing.txt").read_text())

    with pytest.raises(FileNotFoundError) as raised:
        copy()
    assert str(raised.value.filename) == str(tmp_path / "missing.txt")


def test_remove_temporaries_removes_only_those_of_the_file(tmp_path):
    for name in (".x-1f.txt", ".x-2e.txt", "x.txt", ".y-1f.txt", ".x-1f.json", "x-1f.txt"):
        (tmp_path / name).write_text("")
    remove_temporaries(tmp_path / "x.txt")
    assert names(tmp_path) == [".x-1f.json", ".y-1f.txt", "x-1f.txt", "x.txt"]


@pytest.mark.parametrize("named", [None, "elsewhere"])
def test_naming_adds_a_missing_file_name(named):
    with pytest.raises(OSError, match="No space left") as error, naming("here"):
        raise OSError(errno.ENOSPC, "No space left on device", named)
    assert error.value.filename == (named or "here")


def test_file_is_synced_before_it_is_renamed_and_the_folder_afterwards(tmp_path, monkeypatch):
    events = []
    sync, replace = os.fsync, Path.replace

    def syncing(file):
        events.append(("sync", os.fstat(file).st_ino))
        sync(file)

    def renaming(path, name):
        events.append(("rename", path.stat().st_ino))
        return replace(path, name)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(Path, "replace", renaming)
    path = tmp_path / "a.txt"
    write_text(path, "tick")
    file, folder = path.stat().st_ino, tmp_path.stat().st_ino
    assert events == [("sync", file), ("rename", file), ("sync", folder)]
