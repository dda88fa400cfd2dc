"""A checkpoint is restored completely or rejected with an error message; the previous one is kept."""

import logging
import math
import os
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import nn

from textlvm.runtime.errors import UserError
from textlvm.training import checkpoint as checkpoints
from textlvm.training.checkpoint import Checkpoint, NonFiniteState, identity, load_weights, save_weights


def training(steps=3):
    """A model and its optimizer after some steps."""
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=True)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(4, 3)).square().mean().backward()
        optimizer.step()
    return model, optimizer


def save(folder, step=1, identity="x"):
    """Save the state after `step` steps; returns the checkpoint and the weights."""
    model, optimizer = training(step)
    checkpoint = Checkpoint(folder / "state.safetensors", identity)
    checkpoint.save(step, model, optimizer, {"curve": [step]}, {"weight": torch.full((2,), float(step))})
    return checkpoint, {name: value.clone() for name, value in model.state_dict().items()}


def restore(checkpoint):
    """Restore a checkpoint into a new model; returns the rest of the checkpoint and the weights."""
    model, optimizer = training(0)
    return checkpoint.restore(model, optimizer), model.state_dict()


def spoil(path, at=-10):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_restore_returns_the_saved_state(tmp_path):
    checkpoint, weights = save(tmp_path, 3)
    noise = torch.rand(5)
    restored, found = restore(checkpoint)
    assert (restored.step, restored.progress) == (3, {"curve": [3]})
    assert torch.equal(restored.best["weight"], torch.full((2,), 3.0))
    assert all(torch.equal(found[name], value) for name, value in weights.items())
    assert torch.equal(torch.rand(5), noise)


def test_missing_file_and_other_identity_are_not_resumed(tmp_path):
    assert restore(Checkpoint(tmp_path / "state.safetensors", "x"))[0] is None
    save(tmp_path)
    assert restore(Checkpoint(tmp_path / "state.safetensors", "y"))[0] is None


def test_previous_checkpoint_is_kept_until_remove(tmp_path):
    checkpoint, _ = save(tmp_path, 1)
    save(tmp_path, 2)
    save(tmp_path, 3)
    assert names(tmp_path) == ["state.previous.safetensors", "state.safetensors"]
    checkpoint.path.unlink()
    assert restore(checkpoint)[0].step == 2
    checkpoint.remove()
    assert names(tmp_path) == []


@pytest.mark.parametrize("damage", [spoil, lambda path: path.write_bytes(path.read_bytes()[:-1])])
def test_damaged_checkpoint_falls_back_to_the_previous_one(tmp_path, caplog, damage):
    checkpoint, weights = save(tmp_path, 1)
    save(tmp_path, 2)
    damage(checkpoint.path)
    restored, found = restore(checkpoint)
    assert restored.step == 1
    assert all(torch.equal(found[name], value) for name, value in weights.items())
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"{checkpoint.path} is damaged (" in record.message
    assert record.message.endswith(": resuming from the checkpoint of step 1")
    # The next save does not replace the good checkpoint by the damaged one.
    save(tmp_path, 3)
    spoil(checkpoint.path)
    assert restore(checkpoint)[0].step == 1


@pytest.mark.parametrize("both", [False, True])
def test_error_names_all_damaged_checkpoints_and_keeps_them(tmp_path, both):
    checkpoint, _ = save(tmp_path, 1)
    if both:
        save(tmp_path, 2)
        spoil(checkpoint.previous)
    spoil(checkpoint.path)
    before = names(tmp_path)
    with pytest.raises(UserError) as caught:
        restore(checkpoint)
    message = str(caught.value)
    assert all(str(tmp_path / name) in message for name in before)
    assert message.endswith(f"or delete the folder {tmp_path} to start the training again")
    assert names(tmp_path) == before


def test_damaged_checkpoint_beside_one_of_another_identity_is_an_error(tmp_path):
    save(tmp_path, 1, "y")
    checkpoint, _ = save(tmp_path, 2)
    spoil(checkpoint.path)
    with pytest.raises(UserError, match="no checkpoint can be read"):
        restore(checkpoint)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return save(tmp_path_factory.mktemp("saved"))[0].path.read_bytes()


@given(data=st.data())
@limits(deadline=None, max_examples=300)
def test_flipped_bits_and_truncation_are_detected(saved, tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "flipped"
    folder.mkdir(exist_ok=True)
    content = bytearray(saved)
    if data.draw(st.booleans(), label="cut"):
        content = content[: data.draw(st.integers(0, len(content) - 1), label="length")]
    else:
        # The header is small, but errors in it have more consequences.
        last = data.draw(st.sampled_from([7, 600, len(content) - 1]), label="last")
        bit = data.draw(st.integers(0, 7), label="bit")
        content[data.draw(st.integers(0, last), label="byte")] ^= 1 << bit
    (folder / "state.safetensors").write_bytes(content)
    with pytest.raises(UserError, match="no checkpoint can be read"):
        restore(Checkpoint(folder / "state.safetensors", "x"))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_non_finite_state_is_not_saved(tmp_path, value):
    checkpoint, _ = save(tmp_path)
    content = checkpoint.path.read_bytes()
    model, optimizer = training()
    optimizer.state_dict()["state"][1]["exp_avg"][0] = value
    with pytest.raises(NonFiniteState):
        checkpoint.save(2, model, optimizer, {})
    model, optimizer = training()
    with torch.no_grad():
        model.bias[1] = value
    with pytest.raises(NonFiniteState):
        checkpoint.save(2, model, optimizer, {})
    assert checkpoint.path.read_bytes() == content
    assert names(tmp_path) == ["state.safetensors"]


def test_unreadable_new_checkpoint_replaces_nothing(tmp_path, monkeypatch):
    checkpoint, _ = save(tmp_path, 1)
    save(tmp_path, 2)
    sync = os.fsync

    def truncate(file):
        os.truncate(file, os.fstat(file).st_size // 2)
        sync(file)

    monkeypatch.setattr(os, "fsync", truncate)
    with pytest.raises(UserError, match="cannot be read back as written"):
        save(tmp_path, 3)
    monkeypatch.undo()
    assert names(tmp_path) == ["state.previous.safetensors", "state.safetensors"]
    assert restore(checkpoint)[0].step == 2


class Killed(BaseException):
    """Represents the end of the process."""


@pytest.mark.parametrize("call", range(9))
def test_kill_during_save_keeps_one_of_the_last_two_checkpoints(tmp_path, monkeypatch, call):
    """The process ends before one of the calls that change the folder or wait for the disk."""
    checkpoint, _ = save(tmp_path, 1)
    save(tmp_path, 2)
    calls = 0

    def dying(function):
        def run(*arguments, **options):
            nonlocal calls
            calls += 1
            if calls > call:
                raise Killed
            return function(*arguments, **options)

        return run

    for name in ("touch", "replace", "unlink", "chmod"):
        monkeypatch.setattr(Path, name, dying(getattr(Path, name)))
    monkeypatch.setattr(os, "fsync", dying(os.fsync))
    died = False
    try:
        save(tmp_path, 3)
    except Killed:
        died = True
    monkeypatch.undo()
    assert died == (call < 8)
    assert restore(checkpoint)[0].step in (2, 3)


def test_permission_error_is_not_damage(tmp_path, monkeypatch):
    checkpoint, _ = save(tmp_path)

    def refuse(*_):
        raise PermissionError(13, "Permission denied", str(checkpoint.path))

    monkeypatch.setattr(checkpoints, "_verified_header", refuse)
    with pytest.raises(PermissionError):
        restore(checkpoint)


def test_weights_round_trip(tmp_path):
    saved, loaded = nn.GRU(3, 4), nn.GRU(3, 4)
    save_weights(tmp_path / "w.safetensors", saved)
    load_weights(tmp_path / "w.safetensors", loaded)
    for name, value in saved.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name]), name
    with pytest.raises(UserError, match=r"use files of the same training"):
        load_weights(tmp_path / "w.safetensors", nn.Linear(3, 4))


def test_identity_depends_on_code_settings_and_data(tmp_path):
    def of(module="textlvm.words.train", seed=0, **training):
        spec = {"training": {"steps": 1} | training}
        return identity(module, "words/mine/standard/tril", seed, spec, [data])

    data = tmp_path / "words.tsv"
    data.write_text("a")
    first = of()
    assert of() == first
    assert of(steps=2) != first
    assert of(seed=1) != first
    assert of("textlvm.words.evaluate") != first
    assert of(checkpoint_every=5) == first, "how often it is saved does not determine the training"
    data.write_text("b")
    assert of() != first


@pytest.mark.parametrize("dtype", checkpoints.DTYPES)
def test_safetensors_reads_all_dtypes(tmp_path, dtype):
    model = nn.Module()
    for name, shape in {"matrix": (2, 3), "number": (), "none": (0, 4)}.items():
        model.register_buffer(name, torch.ones(shape, dtype=dtype))
    path = tmp_path / "state.safetensors"
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    Checkpoint(path, "identity").save(1, model, optimizer, {})
    read = load_file(path)
    for name, value in model.state_dict().items():
        assert read[f"model.{name}"].dtype == dtype
        assert torch.equal(read[f"model.{name}"], value)
