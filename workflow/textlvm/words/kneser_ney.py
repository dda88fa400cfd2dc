"""Interpolated modified Kneser-Ney models of the letters of words, written as ARPA files.

Chen and Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling" (1999), Section 3
and equation (26) for the discounts; the counts, the fallback discounts and the treatment of word
beginnings are those of KenLM's `lmplz --discount_fallback` (Heafield et al., "Scalable Modified
Kneser-Ney Language Model Estimation", 2013, Section 3). The only difference is a closed alphabet.
`lmplz` interpolates the unigrams with a uniform distribution over the symbols it has seen and <unk>;
here it is uniform over a..z and </s>, so that the probabilities of these 27 sum to one in every
context: unseen letters have a positive probability, and <unk> has none.
"""

import itertools
import string
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from textlvm.runtime.errors import UserError

__all__ = [
    "BASE",
    "FALLBACK_DISCOUNTS",
    "MAX_ORDER",
    "START",
    "KneserNeyModel",
    "NgramTable",
    "arpa",
    "discounts",
    "estimate",
]

SYMBOLS = ("</s>", *string.ascii_lowercase, "<s>")
END, START = 0, len(SYMBOLS) - 1
BASE = len(SYMBOLS)

MAX_ORDER = 6
"""The maximum order that the prebuilt kenlm module supports."""

FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)
"""Discounts of counts 1, 2 and 3 or more if equation (26) is undefined."""

LOG10_ZERO = -99.0


@dataclass(frozen=True)
class NgramTable:
    """All n-grams of one length n, M of them."""

    keys: NDArray[np.int64]
    """(M,) increasing: the n symbols as digits of a number to base 28, the first the most significant;
    0 is </s>, 1..26 are a..z, 27 is <s>."""
    probs: NDArray[np.float64]
    """(M,) P(last symbol | symbols before it); 0 for <s>, which is never predicted."""
    backoffs: NDArray[np.float64]
    """(M,) weight of the next shorter context where this n-gram is the context; 1 where it never is."""
    discounts: tuple[float, float, float]
    """Discounts of the counts 1, 2, and 3 or more of this order."""


@dataclass(frozen=True)
class KneserNeyModel:
    """An interpolated modified Kneser-Ney model in back-off form."""

    tables: tuple[NgramTable, ...]
    """The n-grams of length 1 to `order`."""

    @property
    def order(self) -> int:
        """Length of the longest n-grams."""
        return len(self.tables)

    def conditionals(self) -> list[NDArray[np.float64]]:
        """P(symbol | context) for each length n: (28^(n-1), 28), contexts numbered as an `NgramTable`'s keys.

        Includes contexts that occur in no word, with the probabilities of the shorter context.
        """
        dense = [self.tables[0].probs[None]]
        for shorter, table in itertools.pairwise(self.tables):
            weights = np.ones(BASE ** len(dense))
            weights[shorter.keys] = shorter.backoffs
            probs = weights[:, None] * np.tile(dense[-1], (BASE, 1))
            probs.flat[table.keys] = table.probs
            dense.append(probs)
        return dense


def estimate(words: Sequence[str], order: int, weights: ArrayLike | None = None) -> KneserNeyModel:
    """Estimate a model of the letters of `words`, where each word is a sentence.

    `weights` are the words' counts, positive integers; None counts every word once. Raises
    `UserError` if there is no word or a word has a character outside a to z, `ValueError` for an
    order outside 2..6.
    """
    if not 2 <= order <= MAX_ORDER:
        raise ValueError(f"order must be 2 to {MAX_ORDER}, not {order}")
    if not words:
        raise UserError("there are no words to estimate an n-gram model on: give at least one")
    sentences = _encode(words)
    weights = np.ones(len(words), np.int64) if weights is None else np.asarray(weights, np.int64)

    # From the longest n-grams down: the next longer n-grams determine the counts of continuations.
    grams = []
    longer = np.empty(0, np.int64)
    for n in range(order, 1, -1):
        keys, counts = _count(sentences, weights, n)
        if n < order:
            counts = np.where(_first(keys, n) == START, counts, _continuations(keys, longer, n))
        grams.append((keys, counts))
        longer = keys
    grams.append((np.arange(BASE), _continuations(np.arange(BASE), longer, 1)))
    return _interpolate(grams[::-1])


def discounts(counts: NDArray[np.int64]) -> tuple[float, float, float]:
    """The discounts of counts 1, 2 and 3 or more, from adjusted counts: equation (26).

    `FALLBACK_DISCOUNTS` if the equation is undefined (no n-gram has count 1, 2 or 3) or gives a value
    of zero or less, as with the few unigrams of an alphabet.
    """
    n1, n2, n3, n4 = (int(np.count_nonzero(counts == count)) for count in (1, 2, 3, 4))
    if not (n1 and n2 and n3):
        return FALLBACK_DISCOUNTS
    y = n1 / (n1 + 2 * n2)
    closed_form = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    return closed_form if min(closed_form) > 0 else FALLBACK_DISCOUNTS


def arpa(model: KneserNeyModel) -> str:
    """The model as an ARPA file: base-10 logarithms to nine digits, enough for single precision."""
    lines = ["\\data\\", f"ngram 1={BASE + 1}"]
    lines += [f"ngram {n}={len(table.keys)}" for n, table in enumerate(model.tables[1:], 2)]
    texts = list(SYMBOLS)
    for n, table in enumerate(model.tables, 1):
        lines += ["", f"\\{n}-grams:"]
        if n == 1:
            lines.append(f"{LOG10_ZERO:g}\t<unk>")
        else:
            contexts = np.searchsorted(model.tables[n - 2].keys, table.keys // BASE)
            last = (table.keys % BASE).tolist()
            texts = [f"{texts[c]} {SYMBOLS[s]}" for c, s in zip(contexts.tolist(), last, strict=True)]
        probs = np.log10(table.probs, out=np.full(len(texts), LOG10_ZERO), where=table.probs > 0)
        backoffs = np.log10(table.backoffs)
        lines += [
            f"{p:.9g}\t{text}\t{b:.9g}" if b else f"{p:.9g}\t{text}"
            for p, text, b in zip(probs.tolist(), texts, backoffs.tolist(), strict=True)
        ]
    return "\n".join([*lines, "", "\\end\\", ""])


def _encode(words: Sequence[str]) -> NDArray[np.int64]:
    """Words as rows <s> letters </s>, padded at the end with -1."""
    for word in words:
        if not set(word).issubset(string.ascii_lowercase):
            raise UserError(
                f"the word {word!r} has a character outside a to z, which n-gram models do not support"
            )
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    sentences = np.full((len(words), int(lengths.max()) + 2), -1)
    sentences[:, 0] = START
    column = np.arange(sentences.shape[1])
    letters = np.frombuffer("".join(words).encode("ascii"), np.uint8).astype(np.int64) - ord("a") + 1
    sentences[(column >= 1) & (column <= lengths[:, None])] = letters
    sentences[np.arange(len(words)), lengths + 1] = END
    return sentences


def _count(
    sentences: NDArray[np.int64], weights: NDArray[np.int64], n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct n-grams of the sentences as increasing keys, and how often each occurs."""
    if sentences.shape[1] < n:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    powers = BASE ** np.arange(n - 1, -1, -1)
    windows = np.lib.stride_tricks.sliding_window_view(sentences, n, axis=1)
    row, start = np.nonzero(windows[..., -1] >= 0)
    keys, inverse = np.unique(windows[row, start] @ powers, return_inverse=True)
    counts = np.zeros(len(keys), np.int64)
    np.add.at(counts, inverse, weights[row])
    return keys, counts


def _first(keys: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    return keys // BASE ** (n - 1)


def _continuations(keys: NDArray[np.int64], longer: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Count the distinct symbols that precede each n-gram: the n+1-grams that end in it."""
    return np.bincount(np.searchsorted(keys, longer % BASE**n), minlength=len(keys))


def _interpolate(grams: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> KneserNeyModel:
    """Probabilities and back-off weights from the (keys, adjusted counts) of the lengths 1..order."""
    probs: list[NDArray[np.float64]] = []
    backoffs: list[NDArray[np.float64]] = []
    amounts = []
    for n, (keys, counts) in enumerate(grams, 1):
        amount = discounts(counts)
        taken = np.array([0.0, *amount])[np.minimum(counts, 3)]
        if n == 1:
            contexts = np.zeros(BASE, np.int64)
            lower = np.where(keys == START, 0.0, 1 / (BASE - 1))
            shorter = 1
        else:
            shorter_keys = grams[n - 2][0]
            contexts = np.searchsorted(shorter_keys, keys // BASE)
            lower = probs[-1][np.searchsorted(shorter_keys, keys % BASE ** (n - 1))]
            shorter = len(shorter_keys)
        total = np.bincount(contexts, counts, minlength=shorter)
        gamma = np.divide(
            np.bincount(contexts, taken, minlength=shorter), total, out=np.ones(shorter), where=total > 0
        )
        probs.append((counts - taken) / total[contexts] + gamma[contexts] * lower)
        amounts.append(amount)
        if n > 1:
            backoffs.append(gamma)
    backoffs.append(np.ones(len(grams[-1][0])))
    tables = map(NgramTable, (keys for keys, _ in grams), probs, backoffs, amounts)
    return KneserNeyModel(tuple(tables))
