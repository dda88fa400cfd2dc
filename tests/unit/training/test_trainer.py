"""Training resumes exactly, learns, and follows its schedule."""

import dataclasses
import json
import logging
import random
import signal
from contextlib import suppress

import pytest
import torch
from hypothesis import example, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from torch import nn

from textlvm.runtime.errors import UserError
from textlvm.training.checkpoint import Checkpoint
from textlvm.training.course import curve_lines
from textlvm.training.interruption import SIGNALS, Interrupted, Interruption
from textlvm.training.schedule import RELATIVE_RATE, Constant
from textlvm.training.seeds import derive, seed_everything
from textlvm.training.trainer import Objective, Training, train
from unit.training import regression
from unit.training.regression import PLATEAU, Killed, Settings, fit, kill, stop

pytestmark = pytest.mark.usefixtures("unsynced")


def assert_equal_weights(model, other):
    for name, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


@given(
    optimizer=st.sampled_from(sorted(regression.OPTIMIZERS)),
    kills=st.lists(st.integers(1, 24), max_size=3),
    stops=st.lists(st.integers(1, 24), max_size=3),
    log_every=st.integers(2, 13),
    monitor_every=st.integers(2, 13),
    checkpoint_every=st.integers(1, 13),
)
@example(optimizer="sgd", kills=[], stops=[7], log_every=5, monitor_every=6, checkpoint_every=9)
@example(optimizer="adam", kills=[20, 23], stops=[12], log_every=5, monitor_every=6, checkpoint_every=3)
@limits(deadline=None, max_examples=10)
def test_interrupted_training_is_bit_identical(
    tmp_path_factory, optimizer, kills, stops, log_every, monitor_every, checkpoint_every
):
    folder = tmp_path_factory.mktemp("cut")
    every = {"log_every": log_every, "monitor_every": monitor_every, "checkpoint_every": checkpoint_every}
    settings = Settings(**every, steps=24)
    model, whole = fit(folder / "whole", settings, optimizer=optimizer)
    cuts = [(step, kill) for step in kills] + [(step, stop) for step in stops]
    random.Random(0).shuffle(cuts)
    for step, cut in cuts:
        # If the last step is already saved, no step is left to be interrupted.
        with suppress(Killed, Interrupted):
            fit(folder / "cut", settings, optimizer=optimizer, at=dict.fromkeys(range(step, 25), cut))
    resumed, course = fit(folder / "cut", settings, optimizer=optimizer)
    assert course.curve == whole.curve
    assert_equal_weights(model, resumed)


def test_schedule_and_best_weights_survive_a_kill(tmp_path):
    settings = Settings(monitor_every=5)
    losses = [9.0, 7.0, 8.0, 6.0, 6.5, 6.6, 6.7]
    options = {"settings": settings, "schedule": PLATEAU, "validation": losses}
    model, whole = fit(tmp_path / "whole", **options)
    with pytest.raises(Killed):
        # The checkpoint of step 20 holds the best weights, and the rate has fallen once.
        fit(tmp_path / "cut", at={24: kill}, **options)
    resumed, course = fit(tmp_path / "cut", done=4, **options)
    assert course.curve == whole.curve
    assert_equal_weights(model, resumed)


def test_plateau_lowers_the_rate_ends_training_and_keeps_the_best_weights(tmp_path):
    settings = Settings(monitor_every=5)
    losses = [9.0, 7.0, 8.0, 6.0, 6.5, 6.6]
    model, course = fit(tmp_path / "a", settings, schedule=PLATEAU, validation=losses)
    rates = [entry["learning_rate"] for entry in course.curve]
    assert rates == [0.05, 0.05, 0.05, 0.025, 0.025, 0.0125]
    shorter = dataclasses.replace(settings, steps=20)
    until_best, _ = fit(tmp_path / "b", shorter, schedule=PLATEAU, validation=losses)
    assert_equal_weights(model, until_best)


def test_rate_that_ends_training_before_the_first_step_is_an_error(tmp_path):
    with pytest.raises(UserError, match=r"learning_rate is below training\.min_learning_rate"):
        fit(tmp_path, schedule=dataclasses.replace(PLATEAU, least=1.0))


def test_checkpoint_of_another_identity_is_not_resumed(tmp_path):
    with pytest.raises(Killed):
        fit(tmp_path, at={35: kill})
    changed = dataclasses.replace(Settings(), steps=30)
    _, course = fit(tmp_path, changed, identity="y")
    assert [entry["step"] for entry in course.curve] == list(range(5, 31, 5))
    assert course.curve == fit(tmp_path / "fresh", changed)[1].curve


# ---- signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_stops_after_the_step_and_saves_it(tmp_path, caplog, number):
    handlers = [signal.getsignal(each) for each in SIGNALS]

    def interrupt(value):
        signal.raise_signal(number)
        return value

    caplog.set_level(logging.INFO)
    with pytest.raises(Interrupted) as stopped:
        fit(tmp_path, at={33: interrupt})
    assert stopped.value.code == 128 + number
    assert f"stopped by {number.name} after step 33" in caplog.text
    assert [signal.getsignal(each) for each in SIGNALS] == handlers
    # No step is repeated.
    _, course = fit(tmp_path, at=dict.fromkeys(range(1, 34), kill))
    assert "resuming after step 33" in caplog.text
    assert course.curve == fit(tmp_path / "whole")[1].curve


def test_signal_interrupts_a_validation_which_is_repeated(tmp_path):
    losses = [9.0, 7.0, 8.0, 6.0, 5.0, 6.0, 4.0, 3.0, 2.0, 5.0, 6.0, 7.0]
    options = {"settings": Settings(monitor_every=5), "validation": losses}
    model, whole = fit(tmp_path / "whole", **options)

    def endless():
        torch.rand(1000)
        stop()
        raise AssertionError("the measurement continued")

    with pytest.raises(Interrupted):
        fit(tmp_path / "cut", measuring={3: endless}, **options)
    resumed, course = fit(tmp_path / "cut", done=2, at=dict.fromkeys(range(1, 16), kill), **options)
    assert course.curve == whole.curve
    assert_equal_weights(model, resumed)


def test_stop_before_the_first_step_writes_nothing(tmp_path):
    seed_everything("test", 0)
    toy = regression.Regression()
    optimizer = torch.optim.SGD(toy.model.parameters(), lr=1.0)
    checkpoint = Checkpoint(tmp_path / "state.safetensors", "x")
    training = Training(toy.model, Objective(toy.loss), optimizer, regression.COSINE, Settings())
    with Interruption() as interruption:
        stop()
        with pytest.raises(Interrupted):
            train(training, checkpoint, interruption)
    assert list(tmp_path.iterdir()) == []


def test_loss_decreases_and_monitored_values_are_recorded(tmp_path):
    _, course = fit(tmp_path)
    curve = course.curve
    assert curve[-1]["loss"] < 0.4 * curve[0]["loss"]
    assert [entry["step"] for entry in curve if "noise" in entry] == [20, 40, 60]
    lines = [json.loads(line) for line in curve_lines(curve).splitlines()]
    assert lines[:-1] == curve[:-1]
    assert lines[-1] == curve[-1] | {"done": True}
    assert curve_lines([]) == ""
    progress = json.loads((tmp_path / "progress.json").read_text())
    assert (progress["step"], progress["steps"]) == (60, 60)


def test_monitored_values_add_entries_to_the_curve(tmp_path):
    _, course = fit(tmp_path, Settings(steps=17, monitor_every=7))
    assert [entry["step"] for entry in course.curve] == [5, 7, 10, 14, 15, 17]
    assert [entry["step"] for entry in course.curve if "noise" in entry] == [7, 14, 17]


def test_seconds_are_summed_over_processes(tmp_path, monkeypatch):
    clock = iter(range(10**6))
    monkeypatch.setattr("textlvm.training.trainer.time.monotonic", lambda: float(next(clock)))
    with pytest.raises(Interrupted):
        fit(tmp_path, at={30: stop})
    before = json.loads((tmp_path / "progress.json").read_text())["seconds"]
    next_process = fit(tmp_path)[1].seconds
    whole = fit(tmp_path / "whole")[1].seconds
    # A process reads the clock when it begins and when it ends.
    assert before < whole <= next_process <= whole + 3


def test_peak_memory_is_the_maximum_over_processes(tmp_path, monkeypatch):
    with monkeypatch.context() as larger:
        larger.setattr("textlvm.training.trainer.provenance.peak_memory_mib", lambda: 10**6)
        with pytest.raises(Interrupted):
            fit(tmp_path / "cut", at={30: stop})
    _, course = fit(tmp_path / "cut")
    assert course.peak_memory_mib == 10**6
    _, whole = fit(tmp_path / "whole")
    assert 0 < whole.peak_memory_mib < 10**6


def test_derived_seeds_differ_between_streams_and_seed_numbers():
    seeds = {derive(name, k) for name in ("a", "b", "a/evaluation") for k in range(10)}
    assert len(seeds) == 30
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_relative_rate_scales_the_rate_of_a_parameter_group(tmp_path):
    """Without momentum, SGD moves a weight by its rate times the gradient, which is one."""
    model = nn.ParameterList([nn.Parameter(torch.zeros(())) for _ in range(2)])
    groups = [{"params": [model[0]]}, {"params": [model[1]], RELATIVE_RATE: 0.25}]
    objective = Objective(lambda _: model[0] + model[1])
    settings = Settings(steps=3, clip=None)
    training = Training(model, objective, torch.optim.SGD(groups, lr=0.05), Constant(0.1), settings)
    train(training, Checkpoint(tmp_path / "state", "x"), Interruption())
    assert [float(value.detach()) for value in model] == pytest.approx([-0.3, -0.075])
