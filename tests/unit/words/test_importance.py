import numpy as np
import pytest
import torch
from quadrature import WORDS, quadrature, smooth_model

from textlvm.words import importance
from textlvm.words.importance import importance_log_probs
from textlvm.words.letters import encode


@pytest.mark.parametrize("samples", [1, 3])
def test_estimates_equal_quadrature(samples):
    model = smooth_model(samples=samples)
    torch.manual_seed(0)
    # Packing sorts the words by length; the estimates must keep this order.
    index = torch.tensor([2, 0, 1])
    found = importance_log_probs(model, encode(WORDS), index, 20_000)
    expected = np.array([quadrature(model, WORDS[i]) for i in index])
    assert (found.standard_errors < 0.05).all()
    assert (np.abs(found.log_probs - expected) < 4 * found.standard_errors).all()
    assert (found.effective > 100).all()


def test_estimates_equal_exact_values_if_letters_ignore_the_state():
    """P(w) is a product of constants; only q and F_g make the weights vary."""
    model = smooth_model(samples=1)
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


def test_words_and_draws_are_split_into_batches(monkeypatch):
    model = smooth_model(samples=1)
    lexicon, index = encode(WORDS), torch.arange(3)
    exact = np.array([quadrature(model, word) for word in WORDS])
    for particles in (700, 5_000):
        monkeypatch.setattr(importance, "PARTICLES", particles)
        torch.manual_seed(1)
        found = importance_log_probs(model, lexicon, index, 2_000)
        assert (np.abs(found.log_probs - exact) < 4.5 * found.standard_errors).all()
