import itertools
import math
from argparse import Namespace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from textlvm.corpora import tables
from textlvm.corpora.splits import SplitSettings, read_words, split, standard, unseen, write_words
from textlvm.corpora.splits import _main as main
from textlvm.runtime.errors import UserError

COUNTS = st.lists(st.integers(1, 1000), min_size=12, max_size=40).map(lambda counts: np.array(counts))
SEEDS = st.integers(0, 2**31)


def names(counts) -> list[str]:
    return [f"w{i:03}" for i in range(len(counts))]


@given(COUNTS, SEEDS, st.sampled_from(["standard", "unseen"]), st.floats(0.05, 0.95), st.integers(1, 10))
def test_training_and_test_counts_add_up_to_the_counts(counts, seed, name, fraction, tokens):
    settings = SplitSettings(fraction, tokens if seed % 2 and tokens < counts.sum() else None, seed)
    try:
        words = split(names(counts), counts, name, settings)
    except UserError:
        assume(False)
    assert words.words == names(counts)
    np.testing.assert_array_equal(words.train + words.test, counts)
    assert (words.train >= 0).all()
    assert (words.test >= 0).all()
    assert words.train.dtype == words.test.dtype == np.int64
    if name == "unseen":
        assert not (words.train * words.test).any()
        assert np.count_nonzero(words.test) == round(fraction * len(counts))
    elif settings.test_tokens:
        assert words.test.sum() == settings.test_tokens


@given(COUNTS, SEEDS, st.sampled_from(["standard", "unseen"]), st.randoms())
def test_split_does_not_depend_on_the_order_of_the_words(counts, seed, name, random):
    order = list(range(len(counts)))
    random.shuffle(order)
    words = names(counts)
    settings = SplitSettings(0.3, None, seed)
    plain = split(words, counts, name, settings)
    shuffled = split([words[i] for i in order], counts[order], name, settings)
    np.testing.assert_array_equal(shuffled.test, plain.test[order])


def test_split_is_deterministic_and_depends_on_the_seed():
    counts = np.arange(100, 130)
    drawn = [
        split(names(counts), counts, "standard", SplitSettings(0.1, None, seed)).test for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()
    # All results depend on these numbers: a change invalidates every recorded result.
    assert drawn[0][:6].tolist() == [13, 12, 11, 7, 19, 4]
    words = split(names(counts), counts, "unseen", SplitSettings())
    assert np.flatnonzero(words.test).tolist() == [13, 17, 28]


def test_standard_is_a_binomial_draw():
    counts = np.full(20_000, 10)
    test = standard(counts, SplitSettings(0.1), np.random.default_rng(0))
    expected = [20_000 * math.comb(10, k) * 0.1**k * 0.9 ** (10 - k) for k in range(11)]
    observed = np.bincount(test, minlength=11)
    statistic = sum((observed[k] - expected[k]) ** 2 / expected[k] for k in range(5))
    assert statistic < 23.5  # the 99.99% quantile of chi-square with 4 degrees of freedom


@pytest.mark.parametrize("tokens", [1, 3, 5])
def test_test_tokens_are_drawn_without_replacement(tokens):
    """Compare with the enumerated multivariate hypergeometric distribution."""
    counts, draws = np.array([1, 2, 3]), 20_000
    generator = np.random.default_rng(tokens)
    observed: dict[tuple[int, ...], int] = {}
    for _ in range(draws):
        test = tuple(standard(counts, SplitSettings(0.1, tokens), generator).tolist())
        observed[test] = observed.get(test, 0) + 1
    outcomes = [k for k in itertools.product(range(2), range(3), range(4)) if sum(k) == tokens]
    assert set(observed) <= set(outcomes)
    for outcome in outcomes:
        ways = math.prod(math.comb(int(n), k) for n, k in zip(counts, outcome, strict=True))
        share = ways / math.comb(6, tokens)
        error = math.sqrt(share * (1 - share) / draws)
        assert observed.get(outcome, 0) / draws == pytest.approx(share, abs=5 * error)


def test_test_tokens_can_be_drawn_from_more_than_a_billion():
    counts = np.array([3 * 10**9, 10**9, 10])
    test = standard(counts, SplitSettings(0.1, 50_000), np.random.default_rng(0))
    assert test.sum() == 50_000
    assert test[0] / 50_000 == pytest.approx(0.75, abs=0.01)


def test_unseen_words_are_drawn_regardless_of_frequency():
    counts = np.array([10**6, 1, 1, 1, 1])
    chosen = np.zeros(5)
    for seed in range(2000):
        chosen += unseen(counts, SplitSettings(0.4), np.random.default_rng(seed)) > 0
    np.testing.assert_allclose(chosen / 2000, 0.4, atol=0.06)


@pytest.mark.parametrize(
    ("name", "counts", "settings", "message"),
    [
        ("unseen", [5, 5], SplitSettings(0.1), "leaves the test set empty"),
        ("unseen", [5, 5], SplitSettings(0.9), "leaves the training set empty"),
        ("standard", [1], SplitSettings(1e-9), "leaves the test set empty"),
        ("standard", [1], SplitSettings(1 - 1e-9), "leaves the training set empty"),
        ("standard", [2, 3], SplitSettings(test_tokens=5), "leaves none of 5 for training"),
        ("standard", [], SplitSettings(), "leaves the training set empty"),
    ],
)
def test_empty_set_is_rejected(name, counts, settings, message):
    with pytest.raises(UserError, match=message):
        split(names(counts), np.array(counts, dtype=np.int64), name, settings)


@pytest.mark.parametrize("values", [{"test_fraction": 0.0}, {"test_fraction": 1}, {"test_tokens": 0}])
def test_invalid_settings_are_rejected(values):
    with pytest.raises(UserError, match="must"):
        SplitSettings(**values)


def test_split_file_round_trip(tmp_path):
    counts = np.arange(10, 60)
    words = split(names(counts), counts, "standard", SplitSettings())
    write_words(tmp_path / "words.tsv", words)
    back = read_words(tmp_path / "words.tsv")
    assert back.words == words.words
    np.testing.assert_array_equal(back.train, words.train)
    np.testing.assert_array_equal(back.test, words.test)
    assert back.train.dtype == np.int64
    assert back.train.flags.c_contiguous


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"sed": 0}, "^split settings: .*'sed'"), ({}, r"vocabulary\.tsv: .* training set empty")],
)
def test_error_message_for_invalid_settings(tmp_path, settings, message):
    tables.write(tmp_path / "vocabulary.tsv", ("word", "count"), [], [])
    options = {"vocabulary": tmp_path / "vocabulary.tsv", "split": "standard", "out": tmp_path / "out.tsv"}
    with pytest.raises(UserError, match=message):
        main(Namespace(settings=settings, **options))
    assert not (tmp_path / "out.tsv").exists()
