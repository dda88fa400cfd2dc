import argparse
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import textlvm
from textlvm.runtime.errors import UserError
from textlvm.words import ngram
from textlvm.words.kneser_ney import arpa, estimate

WORDS = ["banana", "ananas", "nab", "ban", "abba", "bandana", "sand", "sandal"]


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "char3.arpa"
    path.write_text(arpa(estimate(WORDS, 3)))
    return ngram.load(path)


@pytest.fixture
def coin(tmp_path):
    """P(a) = P(b) = 1/4 and P(end) = 1/2, whatever came before."""
    path = tmp_path / "coin.arpa"
    lines = ["\\data\\", "ngram 1=5", "ngram 2=1", "", "\\1-grams:", "-99\t<unk>", "-99\t<s>\t0"]
    lines += [f"{math.log10(p)}\t{symbol}\t0" for symbol, p in (("</s>", 0.5), ("a", 0.25), ("b", 0.25))]
    lines += ["", "\\2-grams:", f"{math.log10(0.25)}\t<s> a", "", "\\end\\", ""]
    path.write_text("\n".join(lines))
    return ngram.load(path)


def test_score_by_hand(coin):
    expected = np.log([0.5, 0.125, 2**-7])
    np.testing.assert_allclose(ngram.score(coin, ["", "a", "bab"]), expected, rtol=1e-6)
    assert ngram.score(coin, []).shape == (0,)


def test_metrics_by_hand(coin):
    # -log2 P is 1, 3 and 7 bits over 1, 2 and 4 symbols.
    words = ["", "a", "bab"]
    nats = ngram.nats_per_word(coin, words)
    assert nats.value == pytest.approx(11 / 3 * math.log(2))
    spread = 1.96 * math.log(2) * np.std([1, 3, 7], ddof=1) / math.sqrt(3)
    assert (nats.low, nats.high) == pytest.approx((nats.value - spread, nats.value + spread), abs=1e-3)
    assert ngram.perplexity(coin, words).value == pytest.approx(2 ** (11 / 7))


def test_duplicate_words_count_twice(coin):
    assert ngram.nats_per_word(coin, ["a", "a", "bab"]).value == pytest.approx(13 / 3 * math.log(2))


def test_unseen_letters_and_histories_have_positive_probability(model):
    scores = ngram.score(model, ["", "zzz", "qxqxqxqxqxqxq", "banana"])
    assert np.isfinite(scores).all()
    assert scores.min() > math.log(1e-50)


@pytest.mark.parametrize("metric", [ngram.nats_per_word, ngram.perplexity])
def test_interval_equals_the_bootstrap_interval(model, metric):
    rng = np.random.default_rng(0)
    words = rng.choice([*WORDS, "", "zz", "nanana", "s"], 400).tolist()
    estimate_ = metric(model, words)
    losses = -ngram.score(model, words)
    symbols = np.array([len(word) + 1.0 for word in words])
    resampled = rng.integers(0, len(words), (4000, len(words)))
    if metric is ngram.nats_per_word:
        bootstrap = losses[resampled].mean(1)
    else:
        bootstrap = np.exp(losses[resampled].sum(1) / symbols[resampled].sum(1))
    low, high = np.quantile(bootstrap, [0.025, 0.975])
    width = high - low
    assert (estimate_.low, estimate_.high) == pytest.approx((low, high), abs=0.06 * width)


@pytest.mark.parametrize("word", ["Banana", "b n", "naïve", "a1", "<unk>"])
def test_other_characters_are_rejected(model, word):
    with pytest.raises(ValueError, match="letters a to z"):
        ngram.score(model, ["ban", word])


def test_single_word_is_rejected(model):
    for metric in (ngram.nats_per_word, ngram.perplexity):
        with pytest.raises(ValueError, match="at least two"):
            metric(model, ["ban"])


def test_load_rejects_missing_and_invalid_files(tmp_path):
    broken = tmp_path / "broken.arpa"
    broken.write_text("not a model\n")
    for path in (broken, tmp_path / "missing.arpa"):
        with pytest.raises(UserError, match="is missing or is not an n-gram model"):
            ngram.load(path)


def run(words, weight, *models):
    command = [sys.executable, "-m", "textlvm.words.ngram", "--words", words, "--weight", weight, "--out"]
    environment = os.environ | {"PYTHONPATH": str(Path(textlvm.__file__).parents[1])}
    return subprocess.run([*map(str, command), *models], capture_output=True, text=True, env=environment)


@pytest.fixture
def words_file(tmp_path):
    path = tmp_path / "words.tsv"
    rows = [f"{word}\t10\t{count}" for count, word in enumerate(WORDS)]
    path.write_text("\n".join(["word\ttrain\ttest", *rows, ""]))
    return path


@pytest.mark.parametrize("weight", ["types", "tokens"])
def test_entry_point(words_file, tmp_path, weight):
    files = {order: tmp_path / f"char{order}.arpa" for order in (2, 3)}
    done = run(words_file, weight, *(f"{order}={path}" for order, path in files.items()))
    assert done.returncode == 0, done.stderr
    # The first word's test count is zero.
    weights = range(1, len(WORDS)) if weight == "tokens" else None
    for order, path in files.items():
        assert path.read_text() == arpa(estimate(WORDS[1:], order, weights))
    assert "discounts 0.5000, 1.0000, 1.5000 (fallback)" in done.stderr


def test_entry_point_without_test_words(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text("word\ttrain\ttest\nban\t10\t0\n")
    done = run(path, "types", f"3={tmp_path / 'char3.arpa'}")
    assert done.returncode == 2
    assert "no word with a positive test count" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "char3.arpa").exists()


@pytest.mark.parametrize("text", ["char3.arpa", "3=", "1=char1.arpa", "99=char99.arpa"])
def test_model_path_rejects_invalid_arguments(text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"an order from 2 to 6, got '{text}'"):
        ngram.model_path(text)
