import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from quadrature import model_with

from textlvm.words.letters import END
from textlvm.words.samples import LONGEST, distinct_share, generate, share_in


@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=2, max_size=30))
def test_shares_equal_counts(words):
    unique = distinct_share(words)
    assert unique.value * len(words) == pytest.approx(len(set(words) - {None}) + words.count(None))
    assert unique.low <= unique.value <= unique.high
    inside = distinct_share(words, {"a", "b"})
    assert inside.value * len(words) == pytest.approx(len(set(words) & {"a", "b"}))
    assert distinct_share(words, {"a", "b", "c", None}) == unique or None in words
    known = share_in(words, {"a", "b"})
    assert known.value * len(words) == pytest.approx(sum(word in ("a", "b") for word in words))
    assert 0 <= known.low <= known.value <= known.high <= 1


def test_interval_of_the_distinct_share_covers_its_expectation():
    rng = np.random.default_rng(0)
    probabilities = 1 / np.arange(1, 501)
    probabilities /= probabilities.sum()
    n = 300
    expectation = (1 - (1 - probabilities) ** n).sum() / n
    covered = 0
    for _ in range(200):
        words = [str(w) for w in rng.choice(500, n, p=probabilities)]
        estimate = distinct_share(words)
        covered += estimate.low <= expectation <= estimate.high
    # The jackknife is conservative here: at least the nominal 95%, less three standard errors.
    assert covered / 200 > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200)


def test_unfinished_words_are_none():
    model = model_with()
    with torch.no_grad():
        model.emission.weight.zero_()
        model.emission.bias[END] = -1e9
    assert generate(model, 7, batch=3) == [None] * 7
    with torch.no_grad():
        model.emission.bias[END] = 1e9
    assert generate(model, 5, batch=3) == [""] * 5


def test_generated_words_follow_the_letter_probabilities():
    model = model_with()
    with torch.no_grad():
        model.emission.weight.zero_()
        model.emission.bias.fill_(-1e9)
        model.emission.bias[[END, 1]] = torch.tensor([0.0, 1.0]).double().log_softmax(0)
    torch.manual_seed(1)
    words = generate(model, 4000)
    p = float(torch.sigmoid(torch.tensor(1.0)))
    assert set("".join(word for word in words if word is not None)) == {"a"}
    share = sum(word == "" for word in words) / 4000
    assert share == pytest.approx(1 - p, abs=4 * np.sqrt(p * (1 - p) / 4000))
    assert LONGEST > 12
