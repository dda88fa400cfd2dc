"""HyperQA: the distance compared with closed forms, scores of single pairs, the loss by hand."""

import math

import pytest
import torch

from textlvm.sentences.models.answer_batches import pack_questions
from textlvm.sentences.models.answer_selection import scores
from textlvm.sentences.models.autoencoder import build
from textlvm.sentences.models.hyperbolic import HyperQA, distance, pairwise_hinge
from textlvm.training.checkpoint import load_weights, save_weights


@pytest.fixture
def model(model_spec):
    torch.manual_seed(0)
    built = build(model_spec(objective="answers", family="hyperqa"), 20).double()
    assert isinstance(built, HyperQA)
    with torch.no_grad():
        built.log_scale.fill_(0.5)
        built.embedding.weight.mul_(50)
    return built


def test_distance_from_origin_agrees_with_closed_form():
    """The distance is log((1 + r) / (1 - r)) = 2 artanh r."""
    radii = torch.tensor([0.0, 1e-4, 0.3, 0.9, 0.999], dtype=torch.float64)
    points = torch.stack([radii * math.cos(1), radii * math.sin(1)], 1)
    expected = 2 * torch.atanh(radii)
    torch.testing.assert_close(distance(torch.zeros_like(points), points), expected, rtol=1e-6, atol=2e-6)


def test_distance_agrees_with_upper_half_plane():
    """The Cayley transform z = i (1 + w) / (1 - w) is an isometry to the upper half plane."""
    generator = torch.Generator().manual_seed(2)
    points = torch.rand(2, 50, 2, generator=generator, dtype=torch.float64) * 1.3 - 0.65
    w = torch.complex(points[..., 0], points[..., 1])
    z = 1j * (1 + w) / (1 - w)
    assert (z.imag > 0).all()
    expected = 2 * torch.asinh((z[0] - z[1]).abs() / (2 * (z[0].imag * z[1].imag).sqrt()))
    torch.testing.assert_close(distance(points[0], points[1]), expected, rtol=1e-8, atol=1e-5)


def test_gradient_of_distance_zero_is_finite():
    x = torch.full((1, 2), 0.2, requires_grad=True)
    distance(x, x.detach().clone()).sum().backward()
    assert x.grad.isfinite().all()


def point(model, words):
    """The point of a text, by the equations."""
    total = torch.zeros(11, dtype=torch.float64)
    for word in words:
        total = (
            total + (model.projection.weight @ model.embedding.weight[word] + model.projection.bias).relu()
        )
    return total / max(1.0, float(total.norm()) / (1 - 1e-5))


def test_batch_scores_agree_with_single_pairs(model, questions):
    model.requires_grad_(False)
    by_batch = scores(model, questions, batch=2)
    assert [len(row) for row in by_batch] == [3, 2, 1]
    norms = []
    for question, row in zip(questions, by_batch, strict=True):
        q = point(model, question.question)
        for answer, found in zip(question.answers, row, strict=True):
            a = point(model, answer)
            norms.append(float(a.norm()))
            squares = (1 - q.square().sum()) * (1 - a.square().sum())
            expected = -math.exp(0.5) * torch.acosh(1 + 2 * (q - a).square().sum() / squares)
            assert found == pytest.approx(float(expected), rel=1e-6)
    # Some points are inside the ball, and some have been clipped to its surface.
    assert min(norms) < 0.9 < max(norms)


def test_pairwise_hinge_averages_over_all_wrong_answers():
    none = -torch.inf
    values = torch.tensor([[0.1, 0.4, 0.2], [2.9, 0.3, none], [0.2, none, none]], requires_grad=True)
    result = pairwise_hinge(values, torch.tensor([2, 0, 0]))
    assert float(result.detach()) == pytest.approx((1 - 0.2 + 0.1 + 1 - 0.2 + 0.4) / 3)
    result.backward()
    third = pytest.approx(1 / 3)
    assert values.grad.tolist() == [[third, third, pytest.approx(-2 / 3)], [0, 0, 0], [0, 0, 0]]
    assert float(pairwise_hinge(torch.tensor([[0.3]]), torch.tensor([0]))) == 0


def test_every_parameter_has_a_gradient(model, questions):
    batch = pack_questions(questions, None)
    model.loss(model(batch), batch.best).backward()
    assert all(p.grad.isfinite().all() and p.grad.any() for p in model.parameters())


def test_loaded_weights_give_the_same_scores(model, model_spec, questions, tmp_path):
    model = model.float().requires_grad_(False)
    save_weights(tmp_path / "model.safetensors", model)
    other = build(model_spec(objective="answers", family="hyperqa"), 20).requires_grad_(False)
    load_weights(tmp_path / "model.safetensors", other)
    for expected, found in zip(scores(model, questions, 2), scores(other, questions, 2), strict=True):
        assert found.tolist() == expected.tolist()


def test_projection_has_the_published_number_of_parameters(model_spec):
    built = build(model_spec(objective="answers", family="hyperqa", hidden=300, embedding=300), 20)
    assert sum(p.numel() for p in built.projection.parameters()) == 90_300
