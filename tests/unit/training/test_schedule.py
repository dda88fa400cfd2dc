import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn, optim

from textlvm.training.schedule import Constant, Cosine, Plateau

LOSSES = st.lists(st.sampled_from([1.0, 2.0, 3.0, 4.0]), max_size=12)


def test_constant_and_cosine_rates():
    cosine = Cosine(0.05, 60)
    assert cosine(1, []) == pytest.approx(0.05)
    assert cosine(31, []) == pytest.approx(0.025)
    assert 0 < cosine(60, []) < 1e-3
    assert Constant(0.05)(60, [1.0]) == 0.05


@given(LOSSES, st.integers(1, 3))
@settings(deadline=None)
def test_plateau_equals_reduce_lr_on_plateau(losses, patience):
    """PyTorch's `patience` is the number of tolerated validations, one less than ours."""
    optimizer = optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    theirs = optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.25, patience=patience - 1, threshold=0.0, eps=0.0
    )
    for loss in losses:
        theirs.step(loss)
    ours = Plateau(1.0, patience, 0.25, least=0.0)(1, losses)
    assert ours == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)


@given(LOSSES, st.integers(1, 3))
def test_plateau_can_count_all_validations_without_improvement(losses, patience):
    worse = sum(loss >= min(losses[:i], default=5.0) for i, loss in enumerate(losses))
    rate = Plateau(1.0, patience, 0.25, least=0.0, consecutive=False)(1, losses)
    assert rate == pytest.approx(0.25 ** (worse // patience))


@given(LOSSES)
def test_plateau_ends_training_below_its_least_rate(losses):
    free, ending = Plateau(1.0, 1, 0.25, least=0.0), Plateau(1.0, 1, 0.25, least=0.06)
    rate = free(1, losses)
    assert ending(1, losses) == (rate if rate >= 0.06 else None)
