"""Seconds to estimate, write, read and query the character models of a list of words, on one core.

    OMP_NUM_THREADS=1 python benchmarks/bench_ngram.py [--words words.txt] [--count 14000]

Without a list (one word per line), the words are made up: distinct random walks over the letter pairs of the
documentation in Python, with about as many n-grams as real words.
"""

import argparse
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import numpy as np
from measure import show

from textlvm.words import ngram
from textlvm.words.kneser_ney import arpa, estimate

REPEATS = 5


def made_up_words(count: int) -> list[str]:
    rng = np.random.default_rng(0)
    pairs: dict[str, list[str]] = {}
    for word in sorted(set(re.findall(r"\b[a-z]{2,12}\b", " ".join(topics.values()).lower()))):
        for before, after in zip(f" {word}", f"{word} ", strict=True):
            pairs.setdefault(before, []).append(after)
    words: set[str] = set()
    while len(words) < count:
        word, letter = "", " "
        while (letter := pairs[letter][rng.integers(len(pairs[letter]))]) != " ":
            word += letter
        if 2 <= len(word) <= 12:
            words.add(word)
    return sorted(words)


def best(action: Callable[[], Any]) -> tuple[float, Any]:
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        result = action()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--words", type=Path)
    parser.add_argument("--count", type=int, default=14_000)
    options = parser.parse_args()
    words = options.words.read_text().split() if options.words else made_up_words(options.count)
    print(f"{len(words)} words, best of {REPEATS}")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.arpa"
        for order in (3, 5):
            estimating, model = best(lambda order=order: estimate(words, order))
            writing, _ = best(lambda model=model: path.write_text(arpa(model)))
            reading, scorer = best(lambda: ngram.load(path))
            scoring, _ = best(lambda scorer=scorer: ngram.score(scorer, words))
            rows.append(
                {
                    "order": order,
                    "n-grams": sum(len(table.keys) for table in model.tables),
                    "estimate s": estimating,
                    "write s": writing,
                    "read s": reading,
                    "score s": scoring,
                }
            )
    show("ngram", rows)


if __name__ == "__main__":
    main()
