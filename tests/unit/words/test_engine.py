"""The self-test detects modules whose value or gradient differs from the C++ code."""

import math
from dataclasses import replace

import pytest
import torch
from specs import BASE, MODELS, NVP, batch_of, model_of, needs_compiler
from torch import nn
from zuko.transforms import ComposedTransform

from textlvm.distributions import DiagonalNormal
from textlvm.training.checkpoint import Checkpoint
from textlvm.training.failure import Failure
from textlvm.training.interruption import Interruption
from textlvm.training.schedule import Constant
from textlvm.training.trainer import Objective, Training, train
from textlvm.words import engine, fused, objective
from textlvm.words.baseline import GRUBaseline
from textlvm.words.engine import bound, difference, is_fused, log_likelihood
from textlvm.words.flows import Affine, Coupling, Flip
from textlvm.words.inference import InferenceNetwork
from textlvm.words.inference_samples import InferenceSamples
from textlvm.words.model import StateSpaceModel, build
from textlvm.words.noise import draw_noise
from textlvm.words.objective import step_bounds
from textlvm.words.transitions import TrilTransition
from unit.training.regression import Settings


def scaled_gradient(x, factor=1.001):
    """The same value with a different gradient."""
    return x.detach() + factor * (x - x.detach())


def shifted(_, normal):
    return DiagonalNormal(normal.loc + 1e-3, normal.log_scale)


def detached_scale(_, normal):
    return DiagonalNormal(normal.loc, normal.log_scale.detach())


def swapped_halves(_, normal):
    return DiagonalNormal(normal.log_scale, normal.loc)


def detached_determinant(_, result):
    return result[0], result[1].detach()


def flipped(_, flow):
    return ComposedTransform(flow, Flip())


# Model settings, class, method, and a function that changes the result of the method.
CHANGED_METHODS = {
    "q shifted": ({}, InferenceNetwork, "forward", shifted),
    "scale of q detached": ({"samples": 3}, InferenceNetwork, "forward", detached_scale),
    "location and scale swapped": ({"samples": 3}, InferenceNetwork, "forward", swapped_halves),
    "letters detached": ({}, InferenceNetwork, "context", lambda _, context: context.detach()),
    "letters' gradient rescaled": ({}, InferenceNetwork, "context", lambda _, c: scaled_gradient(c)),
    "letters swapped": ({}, InferenceNetwork, "context", lambda _, context: context.flip(-1)),
    "determinant detached": ({}, Affine, "log_abs_det_jacobian", lambda _, ladj: ladj.detach()),
    "dimensions swapped": ({"layers": 2, "samples": 3}, TrilTransition, "forward", flipped),
    "coupling's determinant detached": (NVP, Coupling, "call_and_ladj", detached_determinant),
    "coupling shifted": (NVP, Coupling, "call_and_ladj", lambda _, result: (result[0] + 1e-3, result[1])),
    "emission detached": ({}, StateSpaceModel, "log_likelihood", lambda _, value: value.detach()),
    "emission's gradient rescaled": (
        {"samples": 3},
        StateSpaceModel,
        "log_likelihood",
        lambda _, value: scaled_gradient(value),
    ),
    "first state detached": ({}, StateSpaceModel, "initial_state", lambda _, state: state.detach()),
    "baseline rescaled": ({"family": "gru"}, GRUBaseline, "log_probs", lambda _, value: 0.99 * value),
    "baseline's gradient rescaled": (
        {"family": "gru"},
        GRUBaseline,
        "log_probs",
        lambda _, value: scaled_gradient(value),
    ),
}


def patch_result(monkeypatch, kind, name, change):
    original = getattr(kind, name)
    monkeypatch.setattr(kind, name, lambda self, *args: change(self, original(self, *args)))


def value_of(model, batch):
    torch.manual_seed(1)
    return (log_likelihood if isinstance(model, GRUBaseline) else bound)(model, batch)


def value_of_modules(model, batch):
    torch.manual_seed(1)
    if isinstance(model, GRUBaseline):
        return model.log_probs(batch).sum()
    return step_bounds(model, batch, draw_noise(model, batch)).sum()


def assert_modules_are_used(model, caplog):
    """Value and gradients are those of the modules, and the log has one warning."""
    batch = batch_of(5)
    found, expected = value_of(model, batch), value_of_modules(model, batch)
    assert torch.equal(found, expected)
    parameters = list(model.parameters())
    gradients, reference = (
        torch.autograd.grad(value, parameters, allow_unused=True, materialize_grads=True)
        for value in (found, expected)
    )
    torch.testing.assert_close(gradients, reference)
    value_of(model, batch)
    assert caplog.text.count("using the modules") == 1


@needs_compiler
@pytest.mark.parametrize(("changes", "kind", "name", "change"), CHANGED_METHODS.values(), ids=CHANGED_METHODS)
def test_changed_module_is_detected(changes, kind, name, change, monkeypatch, caplog):
    assert is_fused(model_of(changes, torch.float32))
    patch_result(monkeypatch, kind, name, change)
    assert_modules_are_used(model_of(changes, torch.float32), caplog)


@needs_compiler
def test_detached_proposals_are_detected(monkeypatch, caplog):
    original = InferenceNetwork.forward
    monkeypatch.setattr(
        InferenceNetwork,
        "forward",
        lambda self, state, context, seen: original(self, state, context, seen.detach()),
    )
    assert_modules_are_used(model_of({"samples": 3}, torch.float32), caplog)
    assert "gradient of" in caplog.text


@needs_compiler
def test_differentiable_resampling_is_detected(monkeypatch, caplog):
    def averaged(candidates, log_weights, gumbel):
        chosen = original(candidates, log_weights, gumbel)
        mean = (log_weights.softmax(-1).unsqueeze(-1) * candidates).sum(1)
        return chosen + mean - mean.detach()

    original = objective._resample
    monkeypatch.setattr(objective, "_resample", averaged)
    assert_modules_are_used(model_of({"samples": 3}, torch.float32), caplog)


@needs_compiler
def test_each_estimator_is_tested_separately(monkeypatch, caplog):
    monkeypatch.setattr(InferenceSamples, "scale_gradient", lambda self, log_weights: None)
    model = model_of({"samples": 3}, torch.float32)
    assert is_fused(model, "full")
    assert not is_fused(model, "path")
    assert "the gradient of inference." in caplog.text


@needs_compiler
def test_additional_parameter_is_detected(monkeypatch, caplog):
    model = model_of({}, torch.float32)
    model.temperature = nn.Parameter(torch.zeros(()))
    assert is_fused(model)
    patch_result(
        monkeypatch, StateSpaceModel, "log_likelihood", lambda self, value: value * self.temperature.exp()
    )
    model = model_of({}, torch.float32)
    model.temperature = nn.Parameter(torch.zeros(()))
    assert_modules_are_used(model, caplog)
    assert "the gradient of temperature" in caplog.text


@needs_compiler
@pytest.mark.parametrize("changes", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("scale", [0.0, 0.3, 1.0])
def test_rounding_errors_are_ignored(changes, scale):
    """With initial weights and with weights far from them."""
    model = model_of(changes, torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(scale * torch.randn_like(parameter))
    assert is_fused(model)


@needs_compiler
def test_self_test_runs_once_and_has_no_side_effects(monkeypatch):
    calls = []
    monkeypatch.setattr(engine, "difference", lambda *values: calls.append(values))
    model = model_of({"samples": 2}, torch.float32)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(3)
    state = torch.random.get_rng_state()
    with torch.no_grad():
        assert is_fused(model)
    assert torch.equal(state, torch.random.get_rng_state())
    for _ in range(3):
        bound(model, batch_of(2)).backward()
    assert len(calls) == 1
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


@needs_compiler
def test_frozen_model_passes_the_self_test():
    assert is_fused(model_of({}, torch.float32).requires_grad_(False))


def test_nonfinite_values_are_not_compared():
    model = nn.Linear(1, 1)
    infinite = model.weight.sum() * math.inf
    assert difference(model, infinite, infinite * math.nan) is None
    assert "inf nats instead of" in difference(model, infinite, model.weight.sum())
    nan_gradient = model.weight.sum() + model.weight.sub(model.weight.detach()).sqrt().sum()
    assert "gradient of weight" in difference(
        model, model.weight.sum() + 0 * nan_gradient, model.weight.sum()
    )


def overflow_cases():
    """Models, each with the name of the parameter that is scaled until something overflows."""
    for name in ("tril-k3", "nvp", "diag-forward-k4", "forward"):
        changes = MODELS[name]
        for parameter, _ in build(replace(BASE, **changes)).named_parameters():
            yield pytest.param(changes, parameter, id=f"{name}-{parameter}")


@needs_compiler
@pytest.mark.parametrize(("changes", "parameter"), [*overflow_cases()])
def test_fused_pass_overflows_where_the_modules_do(changes, parameter):
    batch = batch_of(20)
    finite = []
    # Beyond these factors, overflow in a triangular solve depends on the order of its divisions.
    for exponent in range(0, 33, 4):
        model = model_of(changes, torch.float32)
        with torch.no_grad():
            model.get_parameter(parameter).mul_(10.0**exponent)
            noise = draw_noise(model, batch)
            expected = step_bounds(model, batch, noise).sum()
            found = fused.summed_bounds(model, batch, noise)
        assert torch.isfinite(found) == torch.isfinite(expected), (exponent, found, expected)
        finite.append(bool(torch.isfinite(found)))
    assert finite[0]


def model_with_log_scale(log_scale):
    """A model whose q has this log-scale or its negative, depending on the sign of the proposal."""
    model = model_of({"dim": 1, "samples": 7}, torch.float32)
    q = model.inference
    with torch.no_grad():
        q.from_proposal.weight.fill_(1e4)
        q.head.weight[0].fill_(0.0)
        q.head.weight[1].fill_(log_scale / q.head.in_features)
    return model


@needs_compiler
@pytest.mark.parametrize("log_scale", [20.0, 87.5, 90.0, 200.0])
def test_overflow_of_one_scale_is_not_hidden(log_scale):
    """A clamped scale would give its sample the weight zero and hide the overflow."""
    model, batch = model_with_log_scale(log_scale), batch_of(20)
    with torch.no_grad():
        noise = draw_noise(model, batch)
        expected = step_bounds(model, batch, noise).sum()
        found = fused.summed_bounds(model, batch, noise)
    assert torch.isfinite(found) == torch.isfinite(expected) == (log_scale < 88)


@needs_compiler
def test_exploding_scale_ends_training_with_an_error(tmp_path):
    model, batch = model_with_log_scale(200.0), batch_of(20)
    assert is_fused(model)
    with pytest.raises(Failure, match=r"the loss became nan at step 1.* lower its training\.learning_rate"):
        train(
            Training(
                model,
                Objective(lambda _: -bound(model, batch)),
                torch.optim.Adam(model.parameters()),
                Constant(0.01),
                Settings(),
            ),
            Checkpoint(tmp_path / "state.safetensors", "x"),
            Interruption(),
        )
