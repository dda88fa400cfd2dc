"""P^(w) by the trie, against direct look-ups, and the cross entropies built on it."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_objective import WORDS, model_with, quadrature

from textlvm.words.cross_entropy import cross_entropy, frequencies, monte_carlo_marginals
from textlvm.words.letters import encode
from textlvm.words.marginal import log_sums, tries

SOME_WORDS = st.lists(st.text("abz", max_size=6), min_size=1, max_size=40, unique=True)


def direct(lexicon, log_probs):
    """log P(w|h) (V, C) by looking every letter up, from (T, 27, C)."""
    result = torch.zeros(len(lexicon), log_probs.shape[-1], dtype=log_probs.dtype)
    for word, length in enumerate(lexicon.lengths.tolist()):
        for position in range(length):
            result[word] += log_probs[position, lexicon.codes[word, position]]
    return result


@given(SOME_WORDS, st.integers(1, 9))
@settings(deadline=None)
def test_trie_equals_direct_lookup(words, block):
    lexicon = encode(words)
    torch.manual_seed(0)
    log_probs = torch.randn(lexicon.codes.shape[1], 27, 5, dtype=torch.float64).log_softmax(1)
    expected = direct(lexicon, log_probs)
    seen = []
    for trie in tries(lexicon, torch.device("cpu"), block):
        assert len(trie.words) <= block
        torch.testing.assert_close(trie.log_probs(log_probs), expected[trie.words])
        seen += trie.words.tolist()
    assert sorted(seen) == list(range(len(words)))


def test_a_level_holds_each_prefix_once():
    words = ["a", "ab", "abc", "abd", "b"]
    (trie,) = tries(encode(words), torch.device("cpu"))
    # Nodes per level: a b | a$ ab b$ | ab$ abc abd | abc$ abd$
    assert [len(letters) for letters in trie.letters] == [2, 3, 3, 2]


@torch.no_grad()
def test_sums_of_uneven_chunks_cover_all_trajectories():
    model, lexicon = model_with(dim=3), encode(["a", "to", "the"])
    sizes = [size for size, _ in log_sums(model, lexicon, 25, chunk=10)]
    assert sizes == [10, 10, 5]


@pytest.mark.parametrize("word", WORDS)
def test_average_over_trajectories_converges_to_the_quadrature(word):
    model = model_with(seed=3, scale=0.3, dim=1, transition="tril", delta=0.3)
    marginals = monte_carlo_marginals(model, encode([word]), 60_000, ())
    per_group = np.exp(marginals.groups[0] - np.log(marginals.sizes))
    error = per_group.std(ddof=1) / math.sqrt(len(per_group))
    assert abs(np.exp(marginals.log_probs()[0]) - math.exp(quadrature(model, word))) < 4.5 * error


def test_trajectories_are_shared_and_counted_in_the_curve():
    words = ["a", "to", "the"]
    frequency = frequencies(np.array([5, 3, 2]))
    marginals = monte_carlo_marginals(model_with(dim=2), encode(words), 1000, (frequency,))
    assert marginals.sizes.tolist() == [128, 128, 128, 128, 128, 128, 232]
    assert [k for k, _ in marginals.over_k] == [128, 256, 512, 1000]
    final = cross_entropy(frequency, marginals.log_probs())
    assert marginals.over_k[-1][1] == pytest.approx((final,))


def test_bootstrap_error_matches_the_spread_of_independent_estimates():
    model, lexicon = model_with(dim=2, seed=4), encode(["a", "to", "the", "of"])
    frequency = frequencies(np.array([4, 3, 2, 1]))
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    runs = [monte_carlo_marginals(model, lexicon, 4096, ()) for _ in range(40)]
    spread = np.std([cross_entropy(frequency, run.log_probs()) for run in runs], ddof=1)
    errors = [run.standard_error(frequency, 200, rng) for run in runs]
    assert np.mean(errors) == pytest.approx(spread, rel=0.45)


def test_cross_entropy_of_the_distribution_itself_is_its_entropy():
    frequency = frequencies(np.array([4, 4, 8, 0]))
    with np.errstate(divide="ignore"):
        log_probs = np.log(frequency)
    assert cross_entropy(frequency, log_probs) == pytest.approx(1.5 * math.log(2))
    assert cross_entropy(frequencies(np.array([1, 1, 1, 1])), log_probs) == math.inf
