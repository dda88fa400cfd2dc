"""The estimators of the inference model's gradient: equal values and expectations, different variances."""

import itertools
from dataclasses import replace

import pytest
import torch
from specs import BASE, MODELS, batch_of, gradients, model_of

from textlvm.words.letters import encode, pack
from textlvm.words.model import build
from textlvm.words.noise import Noise, draw_noise
from textlvm.words.objective import step_bounds

OF_Q = ("inference.", "variational.")
"""Prefixes of the names of the inference model's parameters."""


def gradients_by_estimator(model, batch, noise):
    """Gradients of the summed bound with the estimators full and path."""
    estimators = ("full", "path")
    return tuple(gradients(model, step_bounds(model, batch, noise, one).sum()) for one in estimators)


@pytest.mark.parametrize("changes", [*MODELS.values(), {"samples": 3, "resampling": True}])
def test_estimators_agree_on_value_and_generative_gradient(changes):
    model, batch = model_of(changes), batch_of(17)
    noise = draw_noise(model, batch)
    full, path = (step_bounds(model, batch, noise, one) for one in ("full", "path"))
    torch.testing.assert_close(path, full, rtol=1e-12, atol=1e-12)
    full, path = gradients_by_estimator(model, batch, noise)
    for name, gradient in full.items():
        if name.startswith(OF_Q):
            assert not torch.allclose(path[name], gradient, rtol=1e-3), name
        else:
            torch.testing.assert_close(path[name], gradient, rtol=1e-9, atol=1e-9)


def scalar_model(**changes):
    """A one-dimensional model that depends on all its parameters, smooth enough for quadrature."""
    torch.manual_seed(1)
    model = build(replace(BASE, dim=1, width=4, delta=0.3, **changes)).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        model.emission.weight.normal_()
    return model


def nodes(count, dimensions):
    """Gauss-Hermite nodes (n, dimensions) and weights (n,) of independent standard normal variables."""
    # The eigenvalues of the Jacobi matrix of the Hermite polynomials (Golub & Welsch 1969).
    off = torch.arange(1, count, dtype=torch.float64).sqrt()
    at, vectors = torch.linalg.eigh(off.diag(1) + off.diag(-1))
    points = torch.tensor([*itertools.product(at.tolist(), repeat=dimensions)], dtype=torch.float64)
    weights = [*itertools.product(vectors[0].square().tolist(), repeat=dimensions)]
    return points, torch.tensor(weights, dtype=torch.float64).prod(1)


def expected_gradients(model, word, count, estimator):
    """The expected gradient of the bound by quadrature; with K > 1 only for words of one symbol."""
    symbols, samples = len(word) + 1, model.samples
    points, weights = nodes(count, symbols * samples * (2 if samples > 1 else 1))
    batch = pack(encode([word]), torch.zeros(len(points), dtype=torch.long))
    points = points.view(len(points), -1, symbols, samples).permute(1, 2, 0, 3).flatten(1, 2).unsqueeze(-1)
    noise = Noise(points[0], None, None)
    if samples > 1:
        noise = Noise(points[0], points[1], torch.zeros(len(batch.letters), samples, dtype=torch.float64))
    terms = step_bounds(model, batch, noise, estimator)
    return gradients(model, weights @ batch.packing.sums(terms))


@pytest.mark.parametrize("transition", ["tril", "diag"])
@pytest.mark.parametrize(
    ("samples", "word", "count", "error"),
    [(1, "", 40, 1e-9), (1, "a", 40, 1e-9), (1, "to", 24, 1e-9), (2, "", 16, 1e-5)],
)
def test_estimators_have_equal_expectation_by_quadrature(transition, samples, word, count, error):
    model = scalar_model(transition=transition, samples=samples)
    full, path = (expected_gradients(model, word, count, one) for one in ("full", "path"))
    for name, gradient in full.items():
        torch.testing.assert_close(path[name], gradient, rtol=error, atol=error)
    assert path["inference.head.weight"].abs().max() > 0.01


@pytest.mark.parametrize(
    "changes", [{"samples": 2}, {"samples": 4, "layers": 2}, {"samples": 3, "resampling": True}]
)
def test_estimators_have_equal_expectation_over_several_steps(changes):
    """The mean difference over many draws is zero up to its standard error."""
    torch.manual_seed(2)
    model = build(replace(BASE, dim=2, width=4, delta=0.3, **changes)).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    batch = pack(encode(["to", "a", "tea"]), torch.arange(3).repeat(150))
    differences = []
    for _ in range(60):
        full, path = gradients_by_estimator(model, batch, draw_noise(model, batch))
        differences.append(torch.cat([(path[n] - full[n]).flatten() for n in full if n.startswith(OF_Q)]))
    differences = torch.stack(differences)
    error = differences.std(0) / len(differences) ** 0.5
    seen = error > 0  # without the parameters of letters that occur in no word
    assert seen.sum() > 100
    scores = differences.mean(0)[seen] / error[seen]
    assert scores.abs().max() < 4.5
    assert scores.square().mean() < 1.5


@pytest.mark.parametrize("samples", [1, 3])
def test_path_gradient_is_zero_for_an_exact_inference_model(samples):
    """For every draw, not only in expectation, since all weights are one (Roeder et al. 2017)."""
    torch.manual_seed(0)
    model = build(replace(BASE, transition="diag", parametrization="forward", samples=samples)).double()
    model.generative.load_state_dict(model.variational.state_dict())
    with torch.no_grad():
        # Letters do not depend on the state, so the posterior of the noise is its prior.
        model.emission.weight.zero_()
        model.inference.head.weight.zero_()
    batch = batch_of(17)
    full, path = gradients_by_estimator(model, batch, draw_noise(model, batch))
    for name, gradient in path.items():
        if name.startswith(OF_Q):
            assert gradient.abs().max() < 1e-12, name
    assert full["inference.head.weight"].abs().max() > 0.1


@pytest.mark.parametrize("samples", [1, 3])
def test_frozen_parameters_share_memory_with_trained_ones(samples):
    """The next bound uses the parameters of an optimizer step."""
    model, batch = model_of({"samples": samples}), batch_of(5)
    noise = draw_noise(model, batch)
    before = step_bounds(model, batch, noise, "path").sum()
    before.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.sub_(0.01 * parameter.grad)
    full, path = (step_bounds(model, batch, noise, one).sum() for one in ("full", "path"))
    assert path != before
    torch.testing.assert_close(path, full)
    with torch.no_grad():
        torch.testing.assert_close(step_bounds(model, batch, noise, "path").sum(), full)
