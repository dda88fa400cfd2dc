import os
import shutil
import string
import subprocess
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textlvm.runtime.errors import UserError
from textlvm.words import kneser_ney, ngram
from textlvm.words.kneser_ney import FALLBACK_DISCOUNTS, arpa, discounts, estimate

ALPHABET = (*string.ascii_lowercase, "</s>")


class Reference:
    """A slow reference implementation: recursive interpolation over dictionaries of tuples."""

    def __init__(self, words, order, weights=None):
        weights = weights or [1] * len(words)
        raw = Counter()
        for word, weight in zip(words, weights, strict=True):
            sentence = ("<s>", *word, "</s>")
            for n in range(1, order + 1):
                for i in range(len(sentence) - n + 1):
                    raw[sentence[i : i + n]] += weight
        predecessors = defaultdict(set)
        for gram in raw:
            predecessors[gram[1:]].add(gram[0])
        self.order = order
        self.followers = defaultdict(dict)
        for gram, count in raw.items():
            if gram != ("<s>",):
                continued = len(gram) < order and gram[0] != "<s>"
                self.followers[gram[:-1]][gram[-1]] = len(predecessors[gram]) if continued else count
        self.discounts = [self._discounts(n) for n in range(1, order + 1)]

    def _discounts(self, n):
        counts = [c for h, f in self.followers.items() if len(h) == n - 1 for c in f.values()]
        seen = [counts.count(c) for c in range(5)]
        try:
            y = seen[1] / (seen[1] + 2 * seen[2])
            result = tuple(c - (c + 1) * y * seen[c + 1] / seen[c] for c in (1, 2, 3))
        except ZeroDivisionError:
            return FALLBACK_DISCOUNTS
        return result if min(result) > 0 else FALLBACK_DISCOUNTS

    def prob(self, symbol, history):
        history = history[len(history) - min(len(history), self.order - 1) :]
        lower = self.prob(symbol, history[1:]) if history else 1 / 27
        followers = self.followers.get(history)
        if not followers:
            return lower
        amounts = self.discounts[len(history)]
        taken = {s: amounts[min(c, 3) - 1] for s, c in followers.items()}
        total = sum(followers.values())
        discounted = (followers[symbol] - taken[symbol]) / total if symbol in followers else 0.0
        return discounted + sum(taken.values()) / total * lower


class Arpa:
    """An ARPA file's text, read and evaluated by the format's back-off rule."""

    def __init__(self, text):
        self.probs, self.backoffs = {}, {}
        for line in text.splitlines():
            fields = line.split("\t")
            if len(fields) > 1:
                gram = tuple(fields[1].split())
                self.probs[gram] = float(fields[0])
                self.backoffs[gram] = float(fields[2]) if len(fields) > 2 else 0.0
        self.order = max(map(len, self.probs))
        self.unigrams = sum(len(gram) == 1 for gram in self.probs)

    def log10_prob(self, symbol, history):
        history = history[len(history) - min(len(history), self.order - 1) :]
        while (gram := (*history, symbol)) not in self.probs and history:
            return self.backoffs.get(history, 0.0) + self.log10_prob(symbol, history[1:])
        return self.probs.get(gram, self.probs[("<unk>",)])

    def prob(self, symbol, history):
        return 10 ** self.log10_prob(symbol, history)


def histories(words, order):
    """Every history that occurs in the words, and some that do not."""
    seen = set()
    for word in words:
        sentence = ("<s>", *word)
        for end in range(1, len(sentence) + 1):
            seen.update(sentence[end - n : end] for n in range(1, min(end, order) + 1))
    return seen | {(), ("z",), ("<s>", "z"), ("a", "z"), ("z", "a"), ("a",) * order}


def kenlm_model(folder, text, name="model.arpa"):
    path = folder / name
    path.write_text(text)
    return ngram.load(path)


def test_discounts_by_hand():
    counts = np.array([1] * 4 + [2] * 2 + [3] + [4] + [9] * 7 + [0] * 5)
    assert discounts(counts) == pytest.approx((0.5, 1.25, 1.0))


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param([], id="no n-grams"),
        pytest.param([2, 3, 4], id="none seen once"),
        pytest.param([1, 3, 4], id="none seen twice"),
        pytest.param([1, 2, 4], id="none seen three times"),
        pytest.param([1, 1, 2, 3, 3, 3, 4], id="below zero for twice"),
        pytest.param([1, 2, 3, 3], id="zero for twice"),
    ],
)
def test_discounts_fall_back(counts):
    assert discounts(np.array(counts, np.int64)) == FALLBACK_DISCOUNTS


def test_one_word_by_hand():
    # Bigrams <s> a, a </s>; unigrams a, </s>; every count is one and is discounted by one half.
    model = Arpa(arpa(estimate(["a"], 2)))
    unigram = 0.5 / 2 + 0.5 / 27
    assert model.prob("a", ()) == pytest.approx(unigram)
    assert model.prob("b", ()) == pytest.approx(0.5 / 27)
    assert model.prob("a", ("<s>",)) == pytest.approx(0.5 + 0.5 * unigram)
    assert model.prob("</s>", ("<s>",)) == pytest.approx(0.5 * unigram)
    assert model.prob("</s>", ("b",)) == pytest.approx(unigram)


small_words = st.lists(
    st.tuples(st.text("abc", max_size=6), st.integers(1, 5)),
    min_size=1,
    max_size=25,
    unique_by=lambda weighted: weighted[0],
)


@settings(max_examples=60, deadline=None)
@given(weighted=small_words, order=st.integers(2, 5))
def test_equals_the_definition_and_sums_to_one(weighted, order):
    words, weights = map(list, zip(*weighted, strict=True))
    model = Arpa(arpa(estimate(words, order, weights)))
    reference = Reference(words, order, weights)
    for history in histories(words, order):
        probs = [model.prob(symbol, history) for symbol in ALPHABET]
        assert min(probs) > 0
        assert sum(probs) == pytest.approx(1, abs=1e-7)
        assert probs == pytest.approx([reference.prob(s, history) for s in ALPHABET], rel=1e-7)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("order", [3, 5])
def test_real_words_equal_the_definition(documentation_words, order, weighted):
    words, counts = documentation_words
    weights = counts if weighted else None
    model = estimate(words, order, weights)
    text, reference = Arpa(arpa(model)), Reference(words, order, weights)
    amounts = np.array([table.discounts for table in model.tables])
    np.testing.assert_allclose(amounts, reference.discounts, rtol=1e-12)
    assert model.tables[-1].discounts != FALLBACK_DISCOUNTS
    for history in sorted(histories(words, order))[::97]:
        probs = [text.prob(symbol, history) for symbol in ALPHABET]
        assert sum(probs) == pytest.approx(1, abs=1e-7)
        assert probs == pytest.approx([reference.prob(s, history) for s in ALPHABET], rel=1e-7)


def test_kenlm_reads_the_same_model(documentation_words, tmp_path):
    words, _ = documentation_words
    text = arpa(estimate(words[::2], 5))
    ours, read = Arpa(text), kenlm_model(tmp_path, text)
    for word in ["", "zzzzqqq", *words[::20]]:
        sentence = ("<s>", *word, "</s>")
        expected = sum(ours.log10_prob(sentence[i], sentence[:i]) for i in range(1, len(sentence)))
        assert read.score(" ".join(word)) == pytest.approx(expected, rel=2e-6)
    assert read.order == 5


def test_word_shorter_than_the_order(tmp_path):
    read = kenlm_model(tmp_path, arpa(estimate(["a"], 5)))
    assert 10 ** read.score("") == pytest.approx(Reference(["a"], 5).prob("</s>", ("<s>",)), rel=1e-5)


def test_result_does_not_depend_on_word_order(documentation_words):
    words, counts = documentation_words
    assert arpa(estimate(words, 5, counts)) == arpa(estimate(words[::-1], 5, counts[::-1]))


def test_weights_repeat_words():
    words, weights = ["ab", "abc", "bca", "cc"], [3, 1, 2, 5]
    repeated = [word for word, weight in zip(words, weights, strict=True) for _ in range(weight)]
    assert arpa(estimate(words, 3, weights)) == arpa(estimate(repeated, 3))


def test_invalid_input_is_rejected():
    with pytest.raises(UserError, match="no words"):
        estimate([], 3)
    with pytest.raises(UserError, match="'café' has a character outside a to z"):
        estimate(["a", "café"], 3)
    with pytest.raises(ValueError, match="order must be 2 to 6"):
        estimate(["a"], 1)


@pytest.mark.parametrize("order", [2, 3])
def test_equals_nltk_with_a_single_discount(monkeypatch, documentation_words, order):
    """NLTK's model is Kneser-Ney with one discount, none for unigrams, and an open alphabet.

    With the same discounts, the two agree on every history except the beginning of a word in orders
    above two, where NLTK looks up a symbol before <s>.
    """
    from nltk.lm import KneserNeyInterpolated
    from nltk.util import everygrams

    words = documentation_words[0][::10]
    amounts = iter([(0.0,) * 3, *[(0.75,) * 3] * (order - 1)])
    monkeypatch.setattr(kneser_ney, "discounts", lambda counts: next(amounts))
    ours = Arpa(arpa(estimate(words, order)))
    theirs = KneserNeyInterpolated(order, discount=0.75)
    theirs.fit([everygrams(("<s>", *word, "</s>"), max_len=order) for word in words], ("<s>", *ALPHABET))
    known = histories(words, order - 1) - ({("<s>",)} if order > 2 else set())
    for history in sorted(known)[::7]:
        expected = [theirs.score(symbol, history) for symbol in ALPHABET]
        assert [ours.prob(s, history) for s in ALPHABET] == pytest.approx(expected, abs=1e-7)


@pytest.fixture(scope="session")
def lmplz():
    executable = shutil.which(os.environ.get("TEXTLVM_LMPLZ", "lmplz"))
    if executable is None:
        pytest.skip("no lmplz: name the executable in TEXTLVM_LMPLZ or put it on PATH")

    def run(words, order):
        command = [executable, "-o", str(order), "--discount_fallback", "-S", "256M"]
        text = "".join(" ".join(word) + "\n" for word in words)
        return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout

    return run


def share_unknown(model, symbol, history):
    """lmplz's P(symbol | history) on the closed alphabet of this project.

    lmplz divides the uniform part of the unigrams among <unk> and the symbols it has seen, this project
    among 27 symbols. Only that part differs, and P(<unk> | history) is its value per symbol.
    """
    unknown = model.prob("<unk>", history)
    # <s> takes no share.
    return model.prob(symbol, history) - unknown + unknown * (model.unigrams - 1) / 27


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("order", [3, 5])
def test_equals_lmplz(lmplz, documentation_words, order, weighted):
    """Equal models if lmplz estimates its discounts only from adjusted counts.

    For the last n-gram of each length, in order of the letters' first appearance, lmplz uses the raw
    count. If the last word is "q", with the only q, raw and adjusted counts are equal.
    """
    chosen = [(w, c) for w, c in zip(*documentation_words, strict=True) if "q" not in w] + [("q", 1)]
    words = [w for w, c in chosen for _ in range(min(c, 50) if weighted else 1)]
    ours, theirs = Arpa(arpa(estimate(words, order))), Arpa(lmplz(words, order))
    assert set(ours.probs) == set(theirs.probs)
    grams = [gram for gram in ours.probs if gram not in (("<s>",), ("<unk>",))]
    expected = np.log10([share_unknown(theirs, gram[-1], gram[:-1]) for gram in grams])
    np.testing.assert_allclose([ours.probs[gram] for gram in grams], expected, atol=1e-6)
    backoffs = [[model.backoffs[gram] for gram in grams] for model in (ours, theirs)]
    np.testing.assert_allclose(*backoffs, atol=1e-6)


def test_equals_lmplz_where_letters_are_missing(lmplz):
    words = ["banana", "ananas", "nab", "ban", "abba", "baa", "sab"]
    ours, theirs = Arpa(arpa(estimate(words, 3))), Arpa(lmplz(words, 3))
    for history in sorted(histories(words, 3)):
        for symbol in ALPHABET:
            expected = share_unknown(theirs, symbol if (symbol,) in theirs.probs else "<unk>", history)
            assert ours.prob(symbol, history) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("order", [3, 5])
def test_same_perplexity_as_lmplz(lmplz, documentation_words, tmp_path, order):
    words, held_out = documentation_words[0][::2], documentation_words[0][1::2]
    ours = kenlm_model(tmp_path, arpa(estimate(words, order)))
    theirs = kenlm_model(tmp_path, lmplz(words, order), "lmplz.arpa")
    for chosen in (words, held_out):
        expected = ngram.perplexity(theirs, chosen).value
        assert ngram.perplexity(ours, chosen).value == pytest.approx(expected, rel=5e-4)
