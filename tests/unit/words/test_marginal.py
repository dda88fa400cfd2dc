"""P^(w) by shared parts of words, compared with direct look-up, and cross entropies computed from it."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from quadrature import WORDS, model_with, quadrature
from specs import needs_compiler

from textlvm.words.cross_entropy import GROUPS, cross_entropy, frequencies, monte_carlo_marginals
from textlvm.words.fused.marginal import CompiledProduct
from textlvm.words.letters import encode
from textlvm.words.marginal import SLICE, WordSums, log_sums

CPU = torch.device("cpu")
IMPLEMENTATIONS = pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=needs_compiler)])
SOME_WORDS = st.lists(st.text("abz", max_size=6), min_size=1, max_size=40, unique=True)


def direct(lexicon, log_probs):
    """log P(w|h) (V, C) by direct look-up of every letter, from (T, 27, C)."""
    result = torch.zeros(len(lexicon), log_probs.shape[-1], dtype=log_probs.dtype)
    for word, length in enumerate(lexicon.lengths.tolist()):
        for position in range(length):
            result[word] += log_probs[position, lexicon.codes[word, position]]
    return result


def letter_log_probs(lexicon, trajectories, sharpness=1.0):
    """log P(letter|h_t) of random trajectories: (T, 27, C)."""
    torch.manual_seed(0)
    return (sharpness * torch.randn(lexicon.codes.shape[1], 27, trajectories)).log_softmax(1)


# Products in float32 and sums of logarithms have different rounding errors.
@IMPLEMENTATIONS
@given(SOME_WORDS, st.integers(1, 9) | st.integers(SLICE - 1, 2 * SLICE + 1))
@settings(deadline=None)
def test_sums_equal_direct_lookup(compiled, words, size):
    lexicon = encode(words)
    log_probs = letter_log_probs(lexicon, size)
    expected = direct(lexicon, log_probs.double()).logsumexp(1)
    sums = WordSums(lexicon, CPU, compiled)(log_probs)
    torch.testing.assert_close(sums, expected, rtol=1e-6, atol=1e-6)


@IMPLEMENTATIONS
def test_probabilities_below_the_float_range_are_accurate(compiled):
    words = ["a", "abandonment", "to", "zymurgy"]
    lexicon = encode(words)
    log_probs = letter_log_probs(lexicon, 8, sharpness=20.0)
    expected = direct(lexicon, log_probs.double()).logsumexp(1)
    # exp(-300) underflows in single precision.
    assert expected.min() < -300 < -60 < expected.max()
    sums = WordSums(lexicon, CPU, compiled)(log_probs)
    torch.testing.assert_close(sums, expected, rtol=1e-6, atol=1e-6)


def test_equal_prefixes_and_ends_are_computed_once():
    words = ["abcing", "abding", "abcs", "abds", "xing", "xs"]
    sums = WordSums(encode(words), CPU)
    # abc abd xin xs$ | ing$ s$ g$ and an empty end
    assert sums.cut == 3
    assert (len(sums.prefixes), len(sums.suffixes)) == (4, 4)
    assert [len(symbols) for _, symbols in sums.prefixes.levels] == [2, 3, 4]


@IMPLEMENTATIONS
def test_chunks_are_summed_separately(compiled):
    lexicon = encode(["a", "to", "the"])
    sums, log_probs = WordSums(lexicon, CPU, compiled), letter_log_probs(lexicon, 6)
    first = sums(log_probs)
    sums(log_probs.flip(2)[..., :3])
    torch.testing.assert_close(sums(log_probs), first, rtol=0, atol=0)


@needs_compiler
def test_compiled_product_is_the_default_and_rejects_float64():
    product = WordSums(encode(["a"]), CPU).product
    assert isinstance(product, CompiledProduct)
    with pytest.raises(TypeError, match=r"float32 on the CPU, not .*float64"):
        product(*torch.ones(2, 1, 28, 4, dtype=torch.float64))


@torch.no_grad()
def test_uneven_chunks_cover_all_trajectories():
    model, lexicon = model_with(dim=3), encode(["a", "to", "the"])
    sizes = [size for size, _ in log_sums(model, lexicon, 25, chunk=10)]
    assert sizes == [10, 10, 5]


@pytest.mark.parametrize("word", WORDS)
def test_average_over_trajectories_converges_to_quadrature(word):
    model = model_with(seed=3, scale=0.3, dim=1, transition="tril", delta=0.3)
    marginals = monte_carlo_marginals(model, encode([word]), 60_000, ())
    per_group = np.exp(marginals.groups[0] - np.log(marginals.sizes))
    error = per_group.std(ddof=1) / math.sqrt(len(per_group))
    assert abs(np.exp(marginals.log_probs()[0]) - math.exp(quadrature(model, word))) < 4.5 * error


def test_groups_and_curve_cover_all_trajectories():
    words = ["a", "to", "the"]
    frequency = frequencies(np.array([5, 3, 2]))
    marginals = monte_carlo_marginals(model_with(dim=2), encode(words), 1000, (frequency,))
    assert marginals.sizes.tolist() == [128, 128, 128, 128, 128, 128, 232]
    assert [k for k, _ in marginals.over_k] == [128, 256, 512, 1000]
    final = cross_entropy(frequency, marginals.log_probs())
    assert marginals.over_k[-1][1] == pytest.approx((final,))


@pytest.mark.parametrize("trajectories", [9_000, 65_536, 100_000])
def test_number_of_groups_is_limited(trajectories):
    marginals = monte_carlo_marginals(model_with(dim=2), encode(["a"]), trajectories, ())
    assert GROUPS / 2 < len(marginals.sizes) <= GROUPS
    assert marginals.sizes.sum() == trajectories


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
