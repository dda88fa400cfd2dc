"""Training resumes exactly, learns, follows its schedule, and says where it went wrong."""

import dataclasses
import json
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from textlvm.errors import UserError
from textlvm.training.checkpoint import Checkpoint, identity, load_weights, save_weights
from textlvm.training.schedule import Cosine, Plateau
from textlvm.training.seeds import derive, seed_everything
from textlvm.training.trainer import Objective, curve_lines, train

OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
COSINE = Cosine(0.05, 60)
PLATEAU = Plateau(0.05, patience=1, decay=0.5, least=0.01)


@dataclass(frozen=True)
class Settings:
    steps: int = 60
    clip: float | None = 1.0
    log_every: int = 5
    monitor_every: int = 20
    checkpoint_every: int = 10


class Interrupted(Exception):
    pass


def regression(stop_at=None, poison_at=None, validation=None):
    """A noisy regression, its batches from the global generator; `validation` lists losses to report."""
    model = nn.Linear(3, 1)
    measured = iter(validation or ())
    calls = 0

    def loss(step):
        nonlocal calls
        calls += 1
        if stop_at == calls:
            raise Interrupted
        x = torch.randn(8, 3)
        value = (model(x).squeeze(1) - x.sum(1) + 0.1 * torch.randn(8)).square().mean()
        return value * float("nan") if step == poison_at else value

    def monitor():
        noise = {"noise": float(torch.rand(()))}
        return noise if validation is None else noise | {"validation_loss": next(measured)}

    return model, Objective(loss, monitor)


def fit(path, settings=None, identity="x", optimizer="adam", schedule=COSINE, done=0, **interruptions):
    """Train; of the validation losses, a resumed training has used up `done`."""
    seed_everything("test", 0)
    if interruptions.get("validation"):
        interruptions["validation"] = interruptions["validation"][done:]
    model, objective = regression(**interruptions)
    checkpoint = Checkpoint(path / "state.safetensors", identity)
    made = OPTIMIZERS[optimizer](model.parameters(), fused=True)
    curve = train(
        model, objective, made, schedule, settings or Settings(), checkpoint, path / "progress.json"
    )
    return model, curve


def assert_equal_weights(model, other):
    for name, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_interrupted_training_ends_bit_identical(tmp_path, optimizer):
    model, curve = fit(tmp_path / "whole", optimizer=optimizer)
    for stop_at in (3, 17, 34):
        with pytest.raises(Interrupted):
            fit(tmp_path / "cut", optimizer=optimizer, stop_at=stop_at)
    resumed, resumed_curve = fit(tmp_path / "cut", optimizer=optimizer)
    assert resumed_curve == curve
    assert_equal_weights(model, resumed)


def test_a_schedule_and_the_best_weights_survive_an_interruption(tmp_path):
    settings = Settings(monitor_every=5)
    losses = [9.0, 7.0, 8.0, 6.0, 6.5, 6.6, 6.7]
    options = {"settings": settings, "schedule": PLATEAU, "validation": losses}
    model, curve = fit(tmp_path / "whole", **options)
    with pytest.raises(Interrupted):
        # The checkpoint of step 20 holds the best weights, and the rate has fallen once.
        fit(tmp_path / "cut", stop_at=24, **options)
    resumed, resumed_curve = fit(tmp_path / "cut", done=4, **options)
    assert resumed_curve == curve
    assert_equal_weights(model, resumed)


def test_a_plateau_lowers_the_rate_ends_the_training_and_keeps_the_best_weights(tmp_path):
    settings = Settings(monitor_every=5)
    losses = [9.0, 7.0, 8.0, 6.0, 6.5, 6.6]
    model, curve = fit(tmp_path / "a", settings, schedule=PLATEAU, validation=losses)
    rates = [entry["learning_rate"] for entry in curve]
    assert rates == [0.05, 0.05, 0.05, 0.025, 0.025, 0.0125]
    until_best, _ = fit(
        tmp_path / "b", dataclasses.replace(settings, steps=20), schedule=PLATEAU, validation=losses
    )
    assert_equal_weights(model, until_best)


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
    with pytest.raises(UserError, match="loss became nan at step 23"):
        fit(tmp_path / "a", poison_at=23)
    with pytest.raises(UserError, match="validation loss became nan at step 20"):
        fit(tmp_path / "b", validation=[float("nan")])


def test_loss_falls_and_monitored_values_come_at_their_steps(tmp_path):
    _, curve = fit(tmp_path)
    assert curve[-1]["loss"] < 0.2 * curve[0]["loss"]
    assert [entry["step"] for entry in curve if "noise" in entry] == [20, 40, 60]
    lines = [json.loads(line) for line in curve_lines(curve).splitlines()]
    assert lines[:-1] == curve[:-1]
    assert lines[-1] == curve[-1] | {"done": True}
    assert json.loads((tmp_path / "progress.json").read_text())["step"] == 60


def test_monitored_values_come_between_the_lines_of_the_curve_too(tmp_path):
    _, curve = fit(tmp_path, Settings(steps=17, monitor_every=7))
    assert [entry["step"] for entry in curve] == [5, 7, 10, 14, 15, 17]
    assert [entry["step"] for entry in curve if "noise" in entry] == [7, 14, 17]


def test_weights_survive_the_file(tmp_path):
    saved, loaded = nn.GRU(3, 4), nn.GRU(3, 4)
    save_weights(tmp_path / "w.safetensors", saved)
    load_weights(tmp_path / "w.safetensors", loaded)
    assert_equal_weights(saved, loaded)
    with pytest.raises(UserError, match="rerun the training"):
        load_weights(tmp_path / "w.safetensors", nn.Linear(3, 4))


def test_seeds_differ_between_streams_and_numbers():
    seeds = {derive(name, k) for name in ("a", "b", "a/evaluation") for k in range(10)}
    assert len(seeds) == 30
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_identity_depends_on_code_settings_and_data(tmp_path):
    data = tmp_path / "words.tsv"
    data.write_text("a")
    first = identity("textlvm.words.train", {"steps": 1}, [data])
    assert identity("textlvm.words.train", {"steps": 1}, [data]) == first
    assert identity("textlvm.words.train", {"steps": 2}, [data]) != first
    assert identity("textlvm.words.evaluate", {"steps": 1}, [data]) != first
    data.write_text("b")
    assert identity("textlvm.words.train", {"steps": 1}, [data]) != first
