"""Pretraining: its monitored values, and the optimizer after it."""

import pytest
import torch

from textlvm.training.objective import Objective
from unit.training.regression import Settings, fit


@pytest.mark.parametrize(("step", "counted"), [(1, False), (5, False), (6, True)])
def test_pretraining_has_no_validation_loss(step, counted):
    objective = Objective(torch.tensor, lambda: {"validation_loss": 1.0, "noise": 2.0}, pretraining=5)
    assert objective.measure(step) == ({"validation_loss": 1.0} if counted else {}) | {"noise": 2.0}
    assert Objective(torch.tensor).measure(step) == {}


def test_optimizer_is_reset_after_pretraining(tmp_path):
    """After 50 steps of pretraining, Adam has counted the other 10 of 60."""
    built = []

    def adam(parameters, **options):
        built.append(torch.optim.Adam(parameters, **options))
        return built[-1]

    for name, pretraining in (("whole", 0), ("phases", 50)):
        fit(tmp_path / name, optimizer=adam, pretraining=pretraining)
    steps = [{int(state["step"]) for state in optimizer.state.values()} for optimizer in built]
    assert steps == [{60}, {10}]


def test_weights_of_pretraining_are_not_kept(tmp_path):
    """The lowest value is that after step 20, in pretraining; the lowest later one is that after step 40."""
    model, course = fit(tmp_path / "whole", pretraining=20, validation=[0.1, 2.0, 3.0])
    assert [entry.get("validation_loss") for entry in course.curve if "noise" in entry] == [None, 2.0, 3.0]
    settings = Settings(steps=40)
    shorter, _ = fit(tmp_path / "shorter", settings, pretraining=20, validation=[0.1, 2.0])
    for name, value in model.state_dict().items():
        assert torch.equal(value, shorter.state_dict()[name])
