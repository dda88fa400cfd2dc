"""Eq. (12) along trajectories drawn by a GRU, compared with enumeration."""

import itertools
import math

import numpy as np
import pytest
import torch

from textlvm.words.baseline import GRUBaseline
from textlvm.words.cross_entropy import (
    cross_entropy,
    exact_log_probs,
    frequencies,
    monte_carlo_marginals,
)
from textlvm.words.letters import END, encode, pack
from textlvm.words.samples import generate

SYMBOLS = (END, 1, 2)
WORDS = ["", "a", "b", "ab", "ba", "abb"]
FREQUENCY = frequencies(np.array([1, 4, 3, 2, 2, 1]))


def baseline(scale=4.0):
    """A GRU of the letters a and b whose next letter depends strongly on those before it."""
    torch.manual_seed(2)
    model = GRUBaseline(4).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(scale)
        model.output.bias[3:] = -1e9
    return model


def conditionals(model, prefixes):
    """P(. | v_1..v_n) over the symbols for prefixes (B, n), without stopping at an END: (B, 27)."""
    starts = prefixes.new_full((len(prefixes), 1), END)
    inputs = model.embedding(torch.cat([starts, prefixes], 1).T)
    return torch.softmax(model.output(model.gru(inputs)[0][-1]), -1)


@torch.no_grad()
def limit(model, word):
    """log of the expectation over all trajectories v: sum_v P(v_1..v_{T-1}) prod_t P(w_t | v_<t)."""
    codes = encode([word]).codes[0]
    trajectories = torch.tensor(list(itertools.product(SYMBOLS, repeat=len(codes) - 1)), dtype=torch.long)
    trajectories = trajectories.view(3 ** (len(codes) - 1), len(codes) - 1)
    probs = torch.ones(len(trajectories), dtype=torch.float64)
    for t, letter in enumerate(codes):
        after = conditionals(model, trajectories[:, :t])
        probs = probs * after[:, letter]
        if t < trajectories.shape[1]:
            probs = probs * after.gather(1, trajectories[:, t : t + 1]).squeeze(1)
    return float(probs.sum().log())


def test_estimates_converge_to_the_sum_over_all_trajectories():
    model = baseline()
    torch.manual_seed(0)
    marginals = monte_carlo_marginals(model, encode(WORDS), 60_000, ())
    per_group = np.exp(marginals.groups - np.log(marginals.sizes))
    errors = per_group.std(axis=1, ddof=1) / math.sqrt(per_group.shape[1])
    expected = np.exp([limit(model, word) for word in WORDS])
    assert (np.abs(np.exp(marginals.log_probs()) - expected) < 4.5 * errors + 1e-6).all()


def test_free_running_reading_differs_from_the_exact_cross_entropy():
    model = baseline()
    free = cross_entropy(FREQUENCY, np.array([limit(model, word) for word in WORDS]))
    exact = cross_entropy(FREQUENCY, exact_log_probs(model, encode(WORDS)))
    assert free > exact + 0.02


def test_first_letter_is_exact():
    """h_1 depends on no letter."""
    model = baseline()
    along = model.free_running(5, 3)
    assert along.shape == (3, 5, 27)
    torch.testing.assert_close(along[0], along[0][:1].expand(5, -1))
    assert float(along[0, 0, END]) == pytest.approx(float(exact_log_probs(model, encode([""]))[0]))


def test_drawn_letters_are_fed_back():
    model = baseline()
    torch.manual_seed(3)
    along = model.free_running(40, 4)
    torch.manual_seed(3)
    letters = model.sample(40, 4)
    for t in range(4):
        expected = conditionals(model, letters[:, :t])
        torch.testing.assert_close(along[t].exp(), expected.detach())


def test_deterministic_states_give_exact_probabilities():
    """If all letters have the same embedding, Eq. (12) along any trajectory is the exact probability."""
    model = baseline()
    with torch.no_grad():
        model.embedding.weight.copy_(model.embedding.weight[:1].expand(27, -1).clone())
    marginals = monte_carlo_marginals(model, encode(WORDS), 300, ())
    np.testing.assert_allclose(marginals.log_probs(), exact_log_probs(model, encode(WORDS)), rtol=1e-5)


def test_one_hot_predictions_give_exact_probabilities():
    """Every trajectory is the same word, whose probability is one by both definitions."""
    model = baseline()
    torch.manual_seed(7)
    with torch.no_grad():
        model.output.weight.mul_(1e6)
        model.output.weight[3:] = 0
        model.output.bias[:3] = 0
    along = model.free_running(30, 4)
    expected = torch.nn.functional.one_hot(model.sample(30, 4, argmax=True).T, 27).double()
    torch.testing.assert_close(along.exp(), expected)
    words = ["a", "b", "ab"]
    free = monte_carlo_marginals(model, encode(words), 256, ()).log_probs()
    exact = exact_log_probs(model, encode(words))
    assert (np.isclose(free, 0, atol=1e-6) == np.isclose(exact, 0, atol=1e-6)).all()


def test_argmax_feeds_back_the_most_probable_letter():
    model = baseline()
    (word,) = set(generate(model, 6, argmax=True))
    codes = torch.zeros(1, 0, dtype=torch.long)
    expected = ""
    for _ in range(31):
        letter = int(conditionals(model, codes).argmax())
        if letter == END:
            break
        expected += chr(96 + letter)
        codes = torch.cat([codes, torch.tensor([[letter]])], 1)
    assert word == (expected if len(expected) < 31 else None)


def test_log_probs_equal_the_conditionals_along_the_word():
    model = baseline()
    packed = pack(encode(["ab"]), torch.arange(1))
    steps = [conditionals(model, torch.tensor([[1, 2]])[:, :t])[0] for t in range(3)]
    expected = torch.stack([step[letter] for step, letter in zip(steps, (1, 2, END), strict=True)]).log()
    torch.testing.assert_close(model.log_probs(packed), expected)
