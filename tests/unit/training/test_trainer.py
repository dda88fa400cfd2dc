"""Training resumes exactly, learns, follows its schedule, and says where it went wrong."""

import dataclasses
import itertools
import json
import logging
import math
import random
import re
import signal
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
import torch
from hypothesis import example, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from torch import nn

from textlvm.errors import UserError
from textlvm.training.checkpoint import Checkpoint
from textlvm.training.failure import Failure
from textlvm.training.interruption import Interrupted, Interruption
from textlvm.training.schedule import Cosine, Plateau
from textlvm.training.seeds import derive, seed_everything
from textlvm.training.trainer import EXPLODED, Objective, curve_lines, train

OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
COSINE = Cosine(0.05, 60)
PLATEAU = Plateau(0.05, patience=1, decay=0.5, least=0.01)


@dataclass(frozen=True)
class Settings:
    steps: int = 60
    batch: int = 8
    clip: float | None = 1.0
    log_every: int = 5
    monitor_every: int = 20
    checkpoint_every: int = 10


@pytest.fixture(autouse=True, scope="module")
def unsynced():
    """No power fails here, and waiting for the disk takes longer than these trainings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        yield


class Killed(BaseException):
    """Ends a training as a kill would: nothing below catches it."""


def kill(_value=None):
    raise Killed


def stop(value=None):
    signal.raise_signal(signal.SIGTERM)
    return value


class Noisy(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.dropout = nn.Linear(3, 1), nn.Dropout(0.1)

    def forward(self, x):
        return self.linear(self.dropout(x)).squeeze(1)


@dataclass
class Regression:
    """A noisy regression, its batches from the global generator."""

    validation: list[float] | None = None
    """Validation losses by measurement."""
    at: dict = field(default_factory=dict)
    """What becomes of the loss of a step."""
    measuring: dict = field(default_factory=dict)
    """What happens while the n-th measurement of this process is under way."""
    model: nn.Module = field(default_factory=Noisy)
    measured: int = 0

    def loss(self, step):
        x = torch.randn(8, 3)
        value = (self.model(x) - x.sum(1) + 0.1 * torch.randn(8)).square().mean()
        return self.at.get(step, lambda value: value)(value)

    def monitor(self):
        self.measured += 1
        noise = {"noise": float(torch.rand(()))}
        self.measuring.get(self.measured, lambda: None)()
        return noise if self.validation is None else noise | {"validation_loss": next(self.losses)}

    def inputs(self, step):
        return [f"first of {step}", "second " * 20, "third", "fourth"]


def fit(path, settings=None, identity="x", optimizer="adam", schedule=COSINE, done=0, **changes):
    """Train as a new process would; of the validation losses, `done` were measured by others."""
    seed_everything("test", 0)
    own = Regression(**changes)
    own.losses = iter((own.validation or [])[done:])
    with Interruption() as interruption:
        course = train(
            own.model,
            Objective(own.loss, own.monitor, own.inputs),
            OPTIMIZERS[optimizer](own.model.parameters(), fused=True),
            schedule,
            settings or Settings(),
            Checkpoint(path / "state.safetensors", identity),
            interruption,
            path / "progress.json",
        )
    return own.model, course


def assert_equal_weights(model, other):
    for name, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_killed_training_ends_bit_identical(tmp_path, optimizer):
    model, whole = fit(tmp_path / "whole", optimizer=optimizer)
    for step in (3, 17, 34):
        with pytest.raises(Killed):
            fit(tmp_path / "cut", optimizer=optimizer, at={step: kill})
    resumed, course = fit(tmp_path / "cut", optimizer=optimizer)
    assert course.curve == whole.curve
    assert_equal_weights(model, resumed)


@given(
    kills=st.lists(st.integers(1, 24), max_size=3),
    stops=st.lists(st.integers(1, 24), max_size=3),
    log_every=st.integers(2, 13),
    monitor_every=st.integers(2, 13),
    checkpoint_every=st.integers(1, 13),
)
@example(kills=[], stops=[7], log_every=5, monitor_every=6, checkpoint_every=9)
@example(kills=[20, 23], stops=[12], log_every=5, monitor_every=6, checkpoint_every=3)
@limits(deadline=None, max_examples=10)
def test_whenever_it_is_cut_a_training_ends_bit_identical(
    tmp_path_factory, kills, stops, log_every, monitor_every, checkpoint_every
):
    folder = tmp_path_factory.mktemp("cut")
    settings = Settings(
        log_every=log_every, monitor_every=monitor_every, checkpoint_every=checkpoint_every, steps=24
    )
    model, whole = fit(folder / "whole", settings)
    cuts = [(step, kill) for step in kills] + [(step, stop) for step in stops]
    random.Random(0).shuffle(cuts)
    for step, cut in cuts:
        # Where the last step is saved already, there is none left to be cut at.
        with suppress(Killed, Interrupted):
            fit(folder / "cut", settings, at=dict.fromkeys(range(step, 25), cut))
    resumed, course = fit(folder / "cut", settings)
    assert course.curve == whole.curve
    assert_equal_weights(model, resumed)


def test_a_schedule_and_the_best_weights_survive_a_kill(tmp_path):
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


def test_a_plateau_lowers_the_rate_ends_the_training_and_keeps_the_best_weights(tmp_path):
    settings = Settings(monitor_every=5)
    losses = [9.0, 7.0, 8.0, 6.0, 6.5, 6.6]
    model, course = fit(tmp_path / "a", settings, schedule=PLATEAU, validation=losses)
    rates = [entry["learning_rate"] for entry in course.curve]
    assert rates == [0.05, 0.05, 0.05, 0.025, 0.025, 0.0125]
    until_best, _ = fit(
        tmp_path / "b", dataclasses.replace(settings, steps=20), schedule=PLATEAU, validation=losses
    )
    assert_equal_weights(model, until_best)


def test_a_rate_that_ends_the_training_before_it_began_is_a_sentence(tmp_path):
    with pytest.raises(UserError, match=r"learning_rate is below training\.min_learning_rate"):
        fit(tmp_path, schedule=dataclasses.replace(PLATEAU, least=1.0))


def test_the_resumed_part_is_not_repeated(tmp_path):
    with pytest.raises(Killed):
        fit(tmp_path, at={45: kill})
    # 40 steps are in the checkpoint.
    _, course = fit(tmp_path, at=dict.fromkeys(range(1, 41), kill))
    assert course.curve[-1]["step"] == 60


def test_a_checkpoint_of_other_settings_is_left_alone(tmp_path):
    with pytest.raises(Killed):
        fit(tmp_path, at={35: kill})
    changed = dataclasses.replace(Settings(), steps=30)
    _, course = fit(tmp_path, changed, identity="y")
    assert [entry["step"] for entry in course.curve] == list(range(5, 31, 5))
    assert course.curve == fit(tmp_path / "fresh", changed)[1].curve


# ---- signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_after_the_step_which_is_saved(tmp_path, caplog, number):
    handlers = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]

    def interrupt(value):
        signal.raise_signal(number)
        return value

    caplog.set_level(logging.INFO)
    with pytest.raises(Interrupted) as stopped:
        fit(tmp_path, at={33: interrupt})
    assert stopped.value.code == 128 + number
    assert f"stopped by {number.name} after step 33" in caplog.text
    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)] == handlers
    # Not one step is done again.
    _, course = fit(tmp_path, at=dict.fromkeys(range(1, 34), kill))
    assert "going on after step 33" in caplog.text
    assert course.curve == fit(tmp_path / "whole")[1].curve


def test_a_signal_cuts_a_measurement_short_which_is_done_again(tmp_path):
    settings = Settings(monitor_every=5)
    options = {
        "settings": settings,
        "validation": [9.0, 7.0, 8.0, 6.0, 5.0, 6.0, 4.0, 3.0, 2.0, 5.0, 6.0, 7.0],
    }
    model, whole = fit(tmp_path / "whole", **options)

    def endless():
        torch.rand(1000)
        stop()
        raise AssertionError("the measurement went on")

    with pytest.raises(Interrupted):
        fit(tmp_path / "cut", measuring={3: endless}, **options)
    resumed, course = fit(tmp_path / "cut", done=2, at=dict.fromkeys(range(1, 16), kill), **options)
    assert course.curve == whole.curve
    assert_equal_weights(model, resumed)


def test_a_stop_before_the_first_step_leaves_nothing_behind(tmp_path):
    seed_everything("test", 0)
    own = Regression()
    optimizer = torch.optim.SGD(own.model.parameters(), lr=1.0)
    checkpoint = Checkpoint(tmp_path / "state.safetensors", "x")
    with Interruption() as interruption:
        stop()
        with pytest.raises(Interrupted):
            train(own.model, Objective(own.loss), optimizer, COSINE, Settings(), checkpoint, interruption)
    assert list(tmp_path.iterdir()) == []


# ---- what goes wrong


def nan(value):
    return value * math.nan


def nan_gradient(value):
    value.register_hook(lambda own: own * math.nan)
    return value


def with_gradient(factor, step):
    """A model in which one gradient of a step is multiplied."""
    model, calls = Noisy(), itertools.count(1)
    model.linear.bias.register_hook(lambda own: own * factor if next(calls) == step else own)
    return model


def test_a_loss_that_is_no_number_is_told_with_its_step_and_batch(tmp_path):
    with pytest.raises(Failure) as failed:
        fit(tmp_path, at={23: nan})
    cut = ("second " * 20)[:59]
    assert str(failed.value) == (
        f"the loss became nan at step 23, whose batch has 'first of 23', '{cut}…', 'third': "
        "lower its training.learning_rate or its training.clip in config.yaml"
    )
    with pytest.raises(Failure, match=r"became inf at step 7, .* or set its training.clip"):
        fit(tmp_path / "free", Settings(clip=None), at={7: lambda value: value * math.inf})


@pytest.mark.parametrize("factor", [math.nan, math.inf])
def test_a_gradient_that_is_no_number_is_told_with_its_own_batch(tmp_path, factor):
    """The loss is not a number one step later, on a batch that is not to blame."""
    told = f"the gradient became {factor} at step 23, whose batch has 'first of 23'"
    with pytest.raises(Failure, match=told):
        fit(tmp_path, model=with_gradient(factor, 23))


def test_a_gradient_whose_norm_alone_overflows_is_clipped(tmp_path):
    _, course = fit(tmp_path, model=with_gradient(1e30, 23))
    assert course.step == 60


def test_a_monitored_value_that_is_no_number_is_told(tmp_path):
    with pytest.raises(Failure, match="the monitored validation_loss became nan at step 20: "):
        fit(tmp_path, validation=[math.nan])


@pytest.mark.parametrize("settings", [Settings(), Settings(log_every=7), Settings(clip=None, log_every=60)])
@pytest.mark.parametrize("step", [20, 23, 60])
def test_weights_that_are_no_numbers_are_never_saved_nor_handed_over(tmp_path, settings, step):
    # Without a norm of the gradient it shows in the weights, if they are saved then, or in the next loss.
    with pytest.raises(Failure, match=rf"became nan at step {step}|finite at step {step}|at step {step + 1}"):
        fit(tmp_path, settings, at={step: nan_gradient})
    # The same again: it went on from the last good state.
    with pytest.raises(Failure):
        fit(tmp_path, settings, at={step: nan_gradient})
    _, course = fit(tmp_path, settings)
    assert course.curve == fit(tmp_path / "whole", settings)[1].curve


def test_a_loss_explodes_beyond_a_thousand_times_the_first(tmp_path):
    first = fit(tmp_path / "whole")[1].curve[0]["loss"]
    limit = EXPLODED * max(first, 1.0) * 5  # the mean of five is taken

    def grown(factor):
        return lambda value: value + factor * limit - value.detach()

    told = re.escape(f"the loss exploded from {first:.4g} to {1.1 * limit:.4g} at step 38, whose")
    with pytest.raises(Failure, match=told):
        fit(tmp_path / "a", at={38: grown(1.1)})
    with pytest.raises(Failure, match=f"exploded from {first:.4g} to -"):
        fit(tmp_path / "b", at={38: grown(-1.1)})
    fit(tmp_path / "c", at={38: grown(0.9)})
    # There is nothing yet that the first entry could be compared with.
    fit(tmp_path / "d", at={3: grown(1e3)})


def test_an_explosion_is_the_same_after_an_interruption(tmp_path):
    """A single loss that its entry forgives is forgiven where it is the last one before a signal, too."""
    options = {"at": {37: lambda value: value * 1500}}
    whole = fit(tmp_path / "whole", **options)[1]
    with pytest.raises(Interrupted):
        fit(tmp_path / "cut", at={37: lambda value: stop(value * 1500)})
    assert fit(tmp_path / "cut", **options)[1].curve == whole.curve


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        torch.cuda.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory"
        ),
    ],
)
def test_out_of_memory_names_the_batch_to_try(tmp_path, error):
    def allocate(_):
        raise error

    with pytest.raises(Failure) as failed:
        fit(tmp_path, at={17: allocate})
    assert str(failed.value) == (
        "out of memory in step 17 with a batch of 8: "
        "set its training.batch to 4 in config.yaml or run it where there is more memory"
    )
    with pytest.raises(Failure, match="with a batch of 1: run it where there is more memory"):
        fit(tmp_path, Settings(batch=1), at={17: allocate})
    _, course = fit(tmp_path)
    assert course.curve == fit(tmp_path / "whole")[1].curve


def test_out_of_memory_in_a_measurement_blames_no_batch(tmp_path):
    def allocate():
        raise MemoryError

    with pytest.raises(Failure, match="out of memory while measuring after step 20: run it where"):
        fit(tmp_path, measuring={1: allocate})


def test_another_error_stays_what_it_is(tmp_path):
    def fail(_):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1"):
        fit(tmp_path, at={17: fail})


# ---- what is recorded


def test_loss_falls_and_monitored_values_come_at_their_steps(tmp_path):
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


def test_monitored_values_come_between_the_lines_of_the_curve_too(tmp_path):
    _, course = fit(tmp_path, Settings(steps=17, monitor_every=7))
    assert [entry["step"] for entry in course.curve] == [5, 7, 10, 14, 15, 17]
    assert [entry["step"] for entry in course.curve if "noise" in entry] == [7, 14, 17]


def test_the_seconds_of_all_processes_are_summed(tmp_path, monkeypatch):
    clock = iter(range(10**6))
    monkeypatch.setattr("textlvm.training.trainer.time.monotonic", lambda: float(next(clock)))
    with pytest.raises(Interrupted):
        fit(tmp_path, at={30: stop})
    before = json.loads((tmp_path / "progress.json").read_text())["seconds"]
    next_process = fit(tmp_path)[1].seconds
    whole = fit(tmp_path / "whole")[1].seconds
    # Each process looks at the clock once more: when it begins, and when it ends.
    assert before < whole <= next_process <= whole + 3


def test_seeds_differ_between_streams_and_numbers():
    seeds = {derive(name, k) for name in ("a", "b", "a/evaluation") for k in range(10)}
    assert len(seeds) == 30
    assert all(0 <= seed < 2**63 for seed in seeds)
