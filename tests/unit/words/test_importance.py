import numpy as np
import pytest
import torch
from quadrature import WORDS, model_with, quadrature

from textlvm.words import importance
from textlvm.words.importance import importance_log_probs
from textlvm.words.letters import encode


def scalar(samples):
    model = model_with(seed=3, scale=0.12, dim=1, samples=samples, delta=0.3)
    with torch.no_grad():
        model.emission.weight.normal_()
        # A proposal wider than its target keeps the weights bounded, so that averages of them settle.
        model.inference.head.bias[1] += 1.0
    return model


@pytest.mark.parametrize("samples", [1, 3])
def test_estimates_are_those_of_the_quadrature(samples):
    model = scalar(samples)
    torch.manual_seed(0)
    # Out of the order of lengths, which packing brings about.
    index = torch.tensor([2, 0, 1])
    found = importance_log_probs(model, encode(WORDS), index, 20_000)
    expected = np.array([quadrature(model, WORDS[i]) for i in index])
    assert (found.standard_errors < 0.05).all()
    assert (np.abs(found.log_probs - expected) < 4 * found.standard_errors).all()
    assert (found.effective > 100).all()


def test_letters_that_ignore_the_state_are_exact():
    """P(w) is a product of constants; only q and F_g make the weights vary."""
    model = scalar(1)
    with torch.no_grad():
        model.emission.weight.zero_()
        model.emission.bias.normal_()
    lexicon = encode(["to", "a"])
    log_probs = torch.log_softmax(model.emission.bias, -1).detach()
    exact = [
        float(log_probs[codes[:n]].sum()) for codes, n in zip(lexicon.codes, lexicon.lengths, strict=True)
    ]
    torch.manual_seed(0)
    found = importance_log_probs(model, lexicon, torch.arange(2), 5_000)
    assert (np.abs(found.log_probs - exact) < 4 * found.standard_errors).all()
    assert (found.standard_errors < 0.2).all()


def test_batches_are_parts_of_words_and_of_draws(monkeypatch):
    model = scalar(1)
    lexicon, index = encode(WORDS), torch.arange(3)
    exact = np.array([quadrature(model, word) for word in WORDS])
    for particles in (700, 5_000):
        monkeypatch.setattr(importance, "PARTICLES", particles)
        torch.manual_seed(1)
        found = importance_log_probs(model, lexicon, index, 2_000)
        assert (np.abs(found.log_probs - exact) < 4.5 * found.standard_errors).all()
