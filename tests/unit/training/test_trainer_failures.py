"""A failed training reports the step, and neither saves nor returns bad weights."""

import itertools
import math
import re

import pytest
import torch

from textlvm.training.failure import Failure
from textlvm.training.interruption import Interrupted
from textlvm.training.trainer import EXPLODED
from unit.training.regression import Noisy, Settings, fit, stop

pytestmark = pytest.mark.usefixtures("unsynced")


def nan(value):
    return value * math.nan


def nan_gradient(value):
    value.register_hook(lambda gradient: gradient * math.nan)
    return value


def with_gradient(factor, step):
    """A model in which the gradient of the bias is multiplied by `factor` at this step."""
    model, calls = Noisy(), itertools.count(1)
    model.linear.bias.register_hook(lambda grad: grad * factor if next(calls) == step else grad)
    return model


def test_nan_loss_is_reported_with_its_step_and_batch(tmp_path):
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
def test_non_finite_gradient_is_reported_with_its_own_batch(tmp_path, factor):
    """The loss becomes NaN one step later, with a batch that is not the cause."""
    message = f"the gradient became {factor} at step 23, whose batch has 'first of 23'"
    with pytest.raises(Failure, match=message):
        fit(tmp_path, model=with_gradient(factor, 23))


def test_gradient_with_overflowing_norm_is_clipped(tmp_path):
    _, course = fit(tmp_path, model=with_gradient(1e30, 23))
    assert course.step == 60


def test_nan_in_a_monitored_value_is_reported(tmp_path):
    with pytest.raises(Failure, match="the monitored validation_loss became nan at step 20: "):
        fit(tmp_path, validation=[math.nan])


@pytest.mark.parametrize("settings", [Settings(), Settings(log_every=7), Settings(clip=None, log_every=60)])
@pytest.mark.parametrize("step", [20, 23, 60])
def test_nan_weights_are_neither_saved_nor_returned(tmp_path, settings, step):
    # Without gradient clipping it is detected in the weights if they are saved then, or in the next loss.
    with pytest.raises(Failure, match=rf"(?i)nan at step {step}|at step {step + 1}"):
        fit(tmp_path, settings, at={step: nan_gradient})
    # It fails again: it resumes from the last good state.
    with pytest.raises(Failure):
        fit(tmp_path, settings, at={step: nan_gradient})
    _, course = fit(tmp_path, settings)
    assert course.curve == fit(tmp_path / "whole", settings)[1].curve


def test_loss_above_a_thousand_times_the_first_is_an_explosion(tmp_path):
    first = fit(tmp_path / "whole")[1].curve[0]["loss"]
    limit = EXPLODED * max(first, 1.0) * 5  # an entry is the mean of five losses

    def grown(factor):
        return lambda value: value + factor * limit - value.detach()

    message = re.escape(f"the loss exploded from {first:.4g} to {1.1 * limit:.4g} at step 38, whose")
    with pytest.raises(Failure, match=message):
        fit(tmp_path / "a", at={38: grown(1.1)})
    with pytest.raises(Failure, match=f"exploded from {first:.4g} to -"):
        fit(tmp_path / "b", at={38: grown(-1.1)})
    fit(tmp_path / "c", at={38: grown(0.9)})
    # The first entry cannot be compared with an earlier one.
    fit(tmp_path / "d", at={3: grown(1e3)})


def test_explosion_check_is_independent_of_interruptions(tmp_path):
    """A large loss in an entry with an acceptable mean is also accepted as the last one before a signal."""
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
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_out_of_memory_error_suggests_a_smaller_batch(tmp_path, error):
    def allocate(_):
        raise error

    with pytest.raises(Failure) as failed:
        fit(tmp_path, at={17: allocate})
    assert str(failed.value) == (
        "out of memory in step 17 with a batch of 8: "
        "set its training.batch to 4 in config.yaml or run it on a device with more memory"
    )
    with pytest.raises(Failure, match="with a batch of 1: run it on a device with more memory"):
        fit(tmp_path, Settings(batch=1), at={17: allocate})
    _, course = fit(tmp_path)
    assert course.curve == fit(tmp_path / "whole")[1].curve


def test_out_of_memory_during_validation_suggests_no_batch(tmp_path):
    def allocate():
        raise MemoryError

    with pytest.raises(
        Failure, match="out of memory during validation after step 20: run it on a device with more memory"
    ):
        fit(tmp_path, measuring={1: allocate})


def test_other_errors_are_not_converted(tmp_path):
    def fail(_):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1"):
        fit(tmp_path, at={17: fail})
