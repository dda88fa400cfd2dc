"""Training resumes exactly, learns, and says where it went wrong."""

import dataclasses
import json
from dataclasses import dataclass

import pytest
import torch
from textlvm.errors import UserError
from textlvm.training.checkpoint import Checkpoint, load_weights, save_weights
from textlvm.training.seeds import derive, seed_everything
from textlvm.training.trainer import Objective, curve_lines, learning_rate, train
from torch import nn


@dataclass(frozen=True)
class Settings:
    steps: int = 60
    learning_rate: float = 0.05
    schedule: str = "cosine"
    clip: float | None = 1.0
    log_every: int = 5
    monitor_every: int = 20
    checkpoint_every: int = 10


class Interrupted(Exception):
    pass


def regression(stop_at=None, poison_at=None):
    """A noisy regression whose batches come from the global generator."""
    model = nn.Linear(3, 1)
    calls = 0

    def loss():
        nonlocal calls
        calls += 1
        if stop_at == calls:
            raise Interrupted
        x = torch.randn(8, 3)
        value = (model(x).squeeze(1) - x.sum(1) + 0.1 * torch.randn(8)).square().mean()
        return value * float("nan") if calls == poison_at else value

    return model, Objective(loss, lambda: {"noise": float(torch.rand(()))})


def fit(path, settings=None, identity="x", **interruptions):
    seed_everything("test", 0)
    model, objective = regression(**interruptions)
    checkpoint = Checkpoint(path / "state.safetensors", identity)
    return model, train(model, objective, settings or Settings(), checkpoint, path / "progress.json")


def test_an_interrupted_training_ends_bit_identical(tmp_path):
    model, curve = fit(tmp_path / "whole")
    for stop_at in (3, 17, 34):
        with pytest.raises(Interrupted):
            fit(tmp_path / "cut", stop_at=stop_at)
    resumed, resumed_curve = fit(tmp_path / "cut")
    assert resumed_curve == curve
    for name, value in model.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_the_resumed_part_is_not_repeated(tmp_path):
    with pytest.raises(Interrupted):
        fit(tmp_path, stop_at=45)
    # 40 steps are in the checkpoint, so the rest takes 20 draws and a 21st never comes.
    _, curve = fit(tmp_path, stop_at=21)
    assert curve[-1]["step"] == 60


def test_a_checkpoint_of_other_settings_is_left_alone(tmp_path):
    with pytest.raises(Interrupted):
        fit(tmp_path, stop_at=35)
    changed = dataclasses.replace(Settings(), steps=30)
    _, curve = fit(tmp_path, changed, identity="y")
    assert [entry["step"] for entry in curve] == list(range(5, 31, 5))
    assert curve == fit(tmp_path / "fresh", changed)[1]


def test_a_damaged_checkpoint_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(Interrupted):
        fit(tmp_path, stop_at=35)
    path = tmp_path / "state.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="delete it and run again"):
        fit(tmp_path)


def test_nan_stops_the_training_at_its_step(tmp_path):
    with pytest.raises(UserError, match="nan at step 23"):
        fit(tmp_path, poison_at=23)


def test_loss_falls_and_monitored_values_come_at_their_steps(tmp_path):
    _, curve = fit(tmp_path)
    assert curve[-1]["loss"] < 0.2 * curve[0]["loss"]
    assert [entry["step"] for entry in curve if "noise" in entry] == [20, 40, 60]
    lines = [json.loads(line) for line in curve_lines(curve).splitlines()]
    assert lines[:-1] == curve[:-1]
    assert lines[-1] == curve[-1] | {"done": True}
    assert json.loads((tmp_path / "progress.json").read_text())["step"] == 60


def test_learning_rate_schedules():
    cosine = Settings()
    assert learning_rate(cosine, 1) == pytest.approx(0.05)
    assert learning_rate(cosine, 31) == pytest.approx(0.025)
    assert 0 < learning_rate(cosine, 60) < 1e-3
    assert learning_rate(dataclasses.replace(cosine, schedule="constant"), 60) == 0.05


def test_weights_survive_the_file(tmp_path):
    saved, loaded = nn.GRU(3, 4), nn.GRU(3, 4)
    save_weights(tmp_path / "w.safetensors", saved)
    load_weights(tmp_path / "w.safetensors", loaded)
    for name, value in saved.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name])
    with pytest.raises(UserError, match="rerun the training"):
        load_weights(tmp_path / "w.safetensors", nn.Linear(3, 4))


def test_seeds_differ_between_streams_and_numbers():
    seeds = {derive(name, k) for name in ("a", "b", "a/evaluation") for k in range(10)}
    assert len(seeds) == 30
    assert all(0 <= seed < 2**63 for seed in seeds)
