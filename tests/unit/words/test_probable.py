import itertools
import math

import numpy as np
import pytest
import torch
from quadrature import model_with

from textlvm.words.baseline import GRUBaseline
from textlvm.words.cross_entropy import exact_log_probs
from textlvm.words.letter_ngram import LetterNgram
from textlvm.words.letters import END, encode
from textlvm.words.probable import by_probability, extensions
from textlvm.words.samples import LONGEST


def baseline():
    """A GRU of the letters a and b whose words are short."""
    torch.manual_seed(2)
    model = GRUBaseline(4).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
        model.output.bias[3:] = -math.inf
        model.output.bias[END] += 1
    return model


SHORT = ["".join(letters) for n in range(9) for letters in itertools.product("ab", repeat=n)]


def test_words_of_a_gru_equal_enumeration():
    model = baseline()
    log_probs = exact_log_probs(model, encode(SHORT))
    remainder = 1 - np.exp(log_probs).sum()
    expected = [SHORT[i] for i in np.argsort(-log_probs)[:25]]
    assert np.exp(np.sort(log_probs)[-25]) > remainder, "a longer word could be among them"
    assert list(itertools.islice(by_probability(extensions(model, 0)), 25)) == expected


def test_words_of_an_ngram_equal_enumeration():
    model = LetterNgram(["a", "ab", "abb", "ba"], [9, 5, 3, 2], 2)
    log_probs = exact_log_probs(model, encode(SHORT))
    first = list(itertools.islice(by_probability(extensions(model, 0)), 3))
    assert first == [SHORT[i] for i in np.argsort(-log_probs)[:3]]


def test_words_of_a_state_space_model_are_the_most_probable_along_its_trajectories():
    model = model_with(seed=2, scale=0.5, dim=2)
    with torch.no_grad():
        model.emission.bias[3:] = -1e9
        model.emission.bias[END] += 1
    torch.manual_seed(0)
    found = list(itertools.islice(by_probability(extensions(model, 64)), 10))
    torch.manual_seed(0)
    along = model.free_running(64, LONGEST + 1)
    averages = {}
    for word in SHORT:
        codes = encode([word]).codes[0]
        averages[word] = float(sum(along[t, :, c] for t, c in enumerate(codes)).logsumexp(0)) - math.log(64)
    assert found == sorted(averages, key=averages.get, reverse=True)[:10]


def test_no_words_if_the_model_never_ends_a_word():
    model = baseline()
    with torch.no_grad():
        model.output.bias[END] = -math.inf
        model.output.bias[2] = -math.inf
    assert list(by_probability(extensions(model, 0))) == []


def test_probability_of_a_prefix_is_the_sum_over_next_letters():
    model = baseline()
    extend = extensions(model, 0)
    whole = extend((1,)).exp().sum()
    assert float(whole) == pytest.approx(float(extend(()).exp()[1]))
