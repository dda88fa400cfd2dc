"""P^(w) of a whole vocabulary: our trie of prefixes beside the one-hot matrix product it replaces.

    python benchmarks/bench_marginal.py [--words words.tsv] [--trajectories 2048]

Prints microseconds a trajectory for all words and, for the matrix product, the share of the machine's
matrix peak (a large square product in float32, measured in the same run); one thread.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch
from bench_training import BASE, documentation_words

from textlvm.corpora.splits import read_words
from textlvm.words.letters import Lexicon, encode
from textlvm.words.marginal import CHUNK, log_sums
from textlvm.words.model import StateSpaceModel, build


def seconds(work: Callable[[], object]) -> float:
    """The shortest of three runs."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def one_hot(lexicon: Lexicon) -> torch.Tensor:
    """(V, 27 T): a word's letters at its positions."""
    words, horizon = lexicon.codes.shape
    result = torch.zeros(words, horizon, 27)
    alive = torch.arange(horizon) < lexicon.lengths[:, None]
    result.scatter_(2, lexicon.codes.unsqueeze(2), alive.unsqueeze(2).float())
    return result.flatten(1)


def by_product(model: StateSpaceModel, lexicon: Lexicon, matrix: torch.Tensor, trajectories: int) -> None:
    """log sum_k P(w|h^k) for all words by one-hot matrix products."""
    horizon = lexicon.codes.shape[1]
    for _ in range(0, trajectories, CHUNK):
        log_probs = model.letter_log_probs(model.trajectories(CHUNK, horizon))
        (matrix @ log_probs.transpose(1, 2).reshape(-1, CHUNK)).logsumexp(1)


def main() -> None:
    """Print the comparison."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--words", type=Path)
    arguments.add_argument("--trajectories", type=int, default=2048)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    split = read_words(options.words) if options.words else documentation_words()
    lexicon, model, n = encode(split.words), build(BASE), options.trajectories
    square = torch.randn(2048, 2048)
    peak = 2 * 2048**3 / seconds(lambda: square @ square)
    matrix = one_hot(lexicon)
    operations = 2 * matrix.numel() * n
    product = seconds(lambda: by_product(model, lexicon, matrix, n))
    trie = seconds(lambda: [None for _ in log_sums(model, lexicon, n)])
    print(f"{len(lexicon):,} words, {n:,} trajectories, matrix peak {peak / 1e9:.0f} GFLOP/s")
    print(f"product at peak      {1e6 * operations / peak / n:8.1f} us a trajectory (floor of that way)")
    print(f"product, log-sum-exp {1e6 * product / n:8.1f} us, {operations / product / peak:.0%} of the peak")
    print(f"trie, log-sum-exp    {1e6 * trie / n:8.1f} us, {product / trie:.1f} times as fast")


if __name__ == "__main__":
    main()
