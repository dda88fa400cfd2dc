"""Score generated words under a Kneser-Ney character model of the test words.

The paper evaluates "under two Kneser-Ney-smoothed character n-gram models trained on the test data"
(Schmidt and Hofmann 2018, Sec. 5; Table 2, P_3-gram(w) and P_5-gram(w)). This module estimates the
models and scores words with KenLM:

    python -m textlvm.words.ngram --words words.tsv --weight tokens --out 3=char3.arpa 5=char5.arpa

Reads the words with a positive `test` count and writes the model of each order as an ARPA file. The paper
does not state the weight of a test word:

--weight types    One. The score then measures whether new words are formed like those of the language,
                  regardless of frequency, and the closed-form discounts are defined, which need n-grams
                  with the counts one, two and three.
--weight tokens   Its count. On the split `unseen` no count is below the vocabulary's minimum, so the
                  longest n-grams use the fallback discounts, which hardly smooth, and an unexpected letter
                  has a very low probability.

The paper does not state a unit either. Of the readings tried, only the perplexity per letter with tokens has
values like its 21.74 and 66.15. Words that are well formed but not in the test set (drawn from a trigram
model of Gutenberg's training tokens, 58% of them in V) score, for orders 3 and 5,

             perplexity per letter    nats per word    mean of words' perplexities
    tokens           14.2   60.0        14.1   21.8            22.7   102.9
    types            10.3   12.6        12.4   13.5            11.7    14.9
"""

import argparse
import logging
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import kenlm
import numpy as np
from numpy.typing import NDArray

from textlvm.corpora.splits import WordSplit, read_words
from textlvm.estimate import Z95, Estimate, normal
from textlvm.runtime import cli
from textlvm.runtime.errors import UserError, repair
from textlvm.runtime.files import write_text
from textlvm.words.kneser_ney import FALLBACK_DISCOUNTS, MAX_ORDER, KneserNeyModel, arpa, estimate

__all__ = ["WEIGHTS", "load", "model_path", "nats_per_word", "perplexity", "score", "scorer"]

WEIGHTS = ("tokens", "types")
"""The weight of a test word: its count, or one."""


def load(path: str | Path, order: int | None = None) -> kenlm.Model:
    """Read an ARPA file (or KenLM's binary form of one); `order` checks the order of the model.

    Raises `UserError` if the file is missing, is not an n-gram model or has a different order.
    """
    config = kenlm.Config()
    config.show_progress = False
    config.arpa_complain = kenlm.ARPALoadComplain.NONE
    try:
        model = kenlm.Model(str(path), config)
    except OSError:
        raise UserError(f"{path} is missing or is not an n-gram model: {repair(path)}") from None
    if order is not None and model.order != order:
        raise UserError(f"{path} is a model of order {model.order}, not {order}: name the right file")
    return model


def scorer(split: WordSplit, order: int, weight: str) -> kenlm.Model:
    """Estimate a model of the test words. Raises `UserError` if there are none."""
    with tempfile.TemporaryDirectory(prefix="textlvm-") as folder:
        path = Path(folder, "char.arpa")
        path.write_text(arpa(_estimate(split, order, weight)), encoding="utf-8")
        return load(path, order)


def score(model: kenlm.Model, words: Sequence[str]) -> NDArray[np.float64]:
    """log P(w) of every word in nats, (n,): its letters and its end, given its beginning.

    The empty word is only the end symbol. KenLM adds in single precision, so values have about six
    correct digits. Raises `ValueError` if a word has a character outside a to z.
    """
    text = "".join(words)
    if text and not (text.isascii() and text.isalpha() and text.islower()):
        raise ValueError("words must consist of the letters a to z")
    log10_probs = (model.score(" ".join(word)) for word in words)
    return np.fromiter(log10_probs, np.float64, len(words)) * math.log(10)


def nats_per_word(model: kenlm.Model, words: Sequence[str]) -> Estimate:
    """Mean of -log P(w) over generated words, in nats per word.

    A word that occurs twice in `words` counts twice. Raises `ValueError` for fewer than two words,
    for which the interval is undefined.
    """
    losses = -score(model, words)
    return normal(float(losses.mean()), _standard_error(losses), "nats/word")


def perplexity(model: kenlm.Model, words: Sequence[str]) -> Estimate:
    """Perplexity per letter, counting the end of a word as a letter: exp(-sum log P(w) / sum (|w| + 1)).

    The exponent is a ratio of two means over words; its standard error is the delta method's, and
    the interval is symmetric in the exponent. `words` and errors as in `nats_per_word`.
    """
    losses = -score(model, words)
    symbols = np.fromiter(map(len, words), np.float64, len(words)) + 1
    ratio = losses.sum() / symbols.sum()
    half = Z95 * _standard_error((losses - ratio * symbols) / symbols.mean())
    low, value, high = (math.exp(exponent) for exponent in (ratio - half, ratio, ratio + half))
    return Estimate(value, low, high, "per letter")


def main(options: argparse.Namespace) -> None:
    """Estimate the requested models and write them."""
    split = read_words(options.words)
    for order, path in options.out:
        model = _estimate(split, order, options.weight, options.words)
        for n, table in enumerate(model.tables, 1):
            amounts = ", ".join(f"{amount:.4f}" for amount in table.discounts)
            origin = " (fallback)" if table.discounts == FALLBACK_DISCOUNTS else ""
            size = len(table.keys)
            logging.info("order %d, %d-grams: %d, discounts %s%s", order, n, size, amounts, origin)
        write_text(path, arpa(model))


def model_path(text: str) -> tuple[int, Path]:
    """Parse ORDER=PATH, an order and the file of its model. Raises `argparse.ArgumentTypeError`."""
    order, _, path = text.partition("=")
    if not (path and order.isdigit() and 2 <= int(order) <= MAX_ORDER):
        raise argparse.ArgumentTypeError(f"expected ORDER=PATH, an order from 2 to {MAX_ORDER}, got '{text}'")
    return int(order), cli.path(path)


def _estimate(split: WordSplit, order: int, weight: str, source: str | Path = "the split") -> KneserNeyModel:
    chosen = [(word, count) for word, count in zip(split.words, split.test, strict=True) if count > 0]
    if not chosen:
        raise UserError(f"{source} has no word with a positive test count: make the test split larger")
    words, counts = zip(*chosen, strict=True)
    return estimate(words, order, counts if weight == "tokens" else None)


def _standard_error(values: NDArray[np.float64]) -> float:
    if len(values) < 2:
        raise ValueError("an interval over sampled words needs at least two of them")
    return float(values.std(ddof=1)) / math.sqrt(len(values))


if __name__ == "__main__":
    arguments = cli.parser(__doc__)
    arguments.add_argument("--words", type=Path, required=True, help="table with columns word, train, test")
    arguments.add_argument("--weight", choices=WEIGHTS, required=True)
    arguments.add_argument("--out", type=model_path, nargs="+", required=True, metavar="ORDER=PATH")
    cli.run(main, arguments)
