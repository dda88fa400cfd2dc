"""Attentive pooling compared with its equations for single pairs."""

import pytest
import torch

from textlvm.sentences.data.batches import pack
from textlvm.sentences.models.answer_batches import pack_questions
from textlvm.sentences.models.answer_selection import AttentivePooling, hinge, scores


@pytest.fixture(params=["", "ap-cnn"])
def model(request, model_spec):
    torch.manual_seed(0)
    return AttentivePooling(model_spec(objective="answers", family=request.param), 20).double()


def similarity(model, question, answer):
    """s(q, a) by the equations of dos Santos et al."""

    def states(words):
        batch = pack([words])
        embedded = model.embedding(batch.encoder_inputs)
        if model.is_convolutional:
            zero = torch.zeros_like(embedded[:1])
            padded = torch.cat([zero, embedded, zero])
            trigrams = [padded[i : i + 3].T.flatten() for i in range(len(embedded))]
            return torch.stack(trigrams) @ model.filters.weight.flatten(1).T + model.filters.bias
        turned = model.backwards(embedded.flip(0), batch.packing).flip(0)
        return torch.cat([model.forwards(embedded, batch.packing), turned], 1)

    q, a = states(question), states(answer)
    alignment = torch.tanh(q @ model.bilinear.weight.T @ a.T)
    pooled_q = alignment.max(1).values.softmax(0) @ q
    pooled_a = alignment.max(0).values.softmax(0) @ a
    return pooled_q @ pooled_a / (pooled_q.norm() * pooled_a.norm())


def test_scores_have_full_precision_under_autocast(model, questions):
    model.float()
    with torch.autocast("cpu", torch.bfloat16):
        found = model(pack_questions(questions, None))
    assert found.dtype == torch.float32
    values = found[found.isfinite()]
    assert not torch.equal(values, values.bfloat16().float())


def test_batch_scores_agree_with_single_pairs(model, questions):
    model.requires_grad_(False)
    by_batch = scores(model, questions, batch=2)
    assert [len(row) for row in by_batch] == [3, 2, 1]
    for question, row in zip(questions, by_batch, strict=True):
        expected = [float(similarity(model, question.question, answer)) for answer in question.answers]
        assert row == pytest.approx(expected)


def test_hinge_uses_the_wrong_answer_with_the_largest_score():
    none = -torch.inf
    values = torch.tensor([[0.1, 0.4, 0.2], [0.9, 0.3, none], [0.2, none, none]], requires_grad=True)
    result = hinge(values, torch.tensor([2, 0, 0]))
    assert float(result.detach()) == pytest.approx((0.5 - 0.2 + 0.4) / 3)
    result.backward()
    assert values.grad.tolist() == [[0, pytest.approx(1 / 3), pytest.approx(-1 / 3)], [0, 0, 0], [0, 0, 0]]


def test_pack_questions_truncates_to_max_length(questions):
    batch = pack_questions(questions, max_length=2)
    longest = [len(b.packing.batch_sizes) for b in (batch.questions, batch.answers)]
    assert longest == [3, 3]
    assert batch.best.tolist() == [2, 0, 0]
    assert batch.question.tolist() == [0, 0, 0, 1, 1, 2]
    assert batch.place.tolist() == [0, 1, 2, 0, 1, 0]
    packing = batch.questions.packing
    first = packing.restore(batch.questions.decoder_inputs[packing.position == 1])
    assert first.tolist() == [int(q.question[0]) for q in questions]


def test_every_parameter_has_a_gradient(model, questions):
    batch = pack_questions(questions, None)
    hinge(model(batch), batch.best).backward()
    assert all(p.grad.isfinite().all() and p.grad.any() for p in model.parameters())
