"""Transforms of PyTorch and zuko as transitions of a state space model, without an adapter."""

import copy
import math

import pytest
import torch
from quadrature import WORDS, bounds, model_with, quadrature
from specs import TorchTransition, ZukoTransition, batch_of, model_of

from textlvm.words.engine import bound, is_fused
from textlvm.words.noise import draw_noise
from textlvm.words.objective import step_bounds
from textlvm.words.transitions import SplineTransition, TrilTransition


@pytest.fixture(scope="module", params=[1, 3])
def scalar_model(request):
    """A one-dimensional model whose p(h_t | h_{t-1}) is not a Gaussian."""
    model = model_with(seed=3, scale=0.12, dim=1, samples=request.param)
    model.generative = TorchTransition(1, width=16, delta=0.3).double()
    with torch.no_grad():
        for parameter in model.generative.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        model.emission.weight.normal_()
        # A proposal wider than its target bounds the weights, so that their averages converge.
        model.inference.head.bias[1] += 1.0
    return model


@pytest.mark.parametrize("word", WORDS)
def test_bound_of_a_composed_pytorch_transform(scalar_model, word):
    """The bound is below log P(w) by quadrature, and its exponential is an unbiased estimate of P(w)."""
    exact = quadrature(scalar_model, word)
    values = bounds(scalar_model, word, 60_000)
    assert float(values.mean()) < exact
    ratios = (values - exact).exp()
    error = float(ratios.std()) / math.sqrt(len(ratios))
    assert error < 0.05
    assert abs(float(ratios.mean()) - 1) < 4.5 * error


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("estimator", ["full", "path"])
def test_affine_pytorch_transform_equals_diag(samples, estimator):
    model = model_of({"transition": "diag", "parametrization": "forward", "samples": samples})
    same = copy.deepcopy(model)
    same.generative = TorchTransition(8, width=16, delta=0.1, affine=True).double()
    same.load_state_dict(model.state_dict())
    batch = batch_of(9)
    noise = draw_noise(model, batch)
    values = [step_bounds(one, batch, noise, estimator) for one in (model, same)]
    torch.testing.assert_close(*values)
    gradients = [
        torch.autograd.grad(value.sum(), list(one.parameters()))
        for value, one in zip(values, (model, same), strict=True)
    ]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("transition", [TorchTransition, ZukoTransition])
@pytest.mark.parametrize("samples", [1, 3])
def test_transforms_of_other_libraries_train_and_sample(transition, samples):
    model = model_of({"samples": samples}, torch.float32)
    model.generative = transition(8)
    assert not is_fused(model)
    bound(model, batch_of(9)).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    assert model.sample(5, 4).shape == (5, 4)


@pytest.mark.parametrize(
    "transition", [TrilTransition(3, 2, 4, 0.1, inverse=False), SplineTransition(3, 4, 0.1, inverse=False)]
)
def test_composition_keeps_no_inverse(transition):
    """The inverse would refer to its transform, and the graph of a step would stay in memory."""
    f = transition(torch.randn(2, 3))
    f.inv(torch.randn(2, 5, 3))
    assert f._inv is None
