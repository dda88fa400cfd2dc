"""P^(w) of a vocabulary: shared parts of words, compared with the one-hot matrix product that they replace.

    python benchmarks/bench_marginal.py [--words words.tsv] [--trajectories 2048] [--count 143000]

Prints microseconds of processor time per trajectory for all words on one thread: the floor of the matrix
product (its operations at the peak of a large square product in float32, measured in the same run), the
product, the parts with PyTorch and compiled, and the trajectories alone, which are included in each. Without
--words, the words are made up.
"""

import argparse
from pathlib import Path

import torch
from bench_ngram import made_up_words
from bench_training import BASE
from measure import cpu_seconds, matrix_peak, seconds, show

from textlvm.corpora.splits import read_words
from textlvm.words.fused import build as building
from textlvm.words.letters import Lexicon, encode
from textlvm.words.marginal import CHUNK, WordSums
from textlvm.words.model import StateSpaceModel, build

OF_PRODUCT, CHUNK_OF_PRODUCT = 256, 128
"""Trajectories for measuring the product, which is slow, and its chunk size: larger chunks are slower."""


def one_hot(lexicon: Lexicon) -> torch.Tensor:
    """(V, 27 T): a word's letters at its positions."""
    words, horizon = lexicon.codes.shape
    result = torch.zeros(words, horizon, 27)
    alive = torch.arange(horizon) < lexicon.lengths[:, None]
    result.scatter_(2, lexicon.codes.unsqueeze(2), alive.unsqueeze(2).float())
    return result.flatten(1)


def draw(model: StateSpaceModel, horizon: int, trajectories: int, chunk: int = CHUNK) -> list[torch.Tensor]:
    """log P(letter|h_t) (T, C, 27) of fresh trajectories, chunk by chunk."""
    sizes = [min(chunk, trajectories - start) for start in range(0, trajectories, chunk)]
    return [model.letter_log_probs(model.trajectories(size, horizon)) for size in sizes]


def by_product(model: StateSpaceModel, lexicon: Lexicon, matrix: torch.Tensor, trajectories: int) -> None:
    """log sum_k P(w|h^k) for all words by one-hot matrix products."""
    for log_probs in draw(model, lexicon.codes.shape[1], trajectories, CHUNK_OF_PRODUCT):
        (matrix @ log_probs.transpose(1, 2).flatten(0, 1)).logsumexp(1)


def by_parts(model: StateSpaceModel, sums: WordSums, horizon: int, trajectories: int) -> None:
    """The same from the shared parts of words."""
    for log_probs in draw(model, horizon, trajectories):
        sums(log_probs.transpose(1, 2).contiguous())


def main() -> None:
    """Print the comparison."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--words", type=Path)
    arguments.add_argument("--trajectories", type=int, default=2048)
    arguments.add_argument("--count", type=int, default=143_000)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if building.library() is None:
        raise SystemExit("error: the compiled sums do not compile here: see the message above")
    words = read_words(options.words).words if options.words else made_up_words(options.count)
    lexicon, model, n = encode(words), build(BASE), options.trajectories
    matrix, horizon = one_hot(lexicon), lexicon.codes.shape[1]
    began = cpu_seconds()
    ours, by_torch = (WordSums(lexicon, torch.device("cpu"), compiled) for compiled in (True, False))
    once = (cpu_seconds() - began) / 2
    times = {
        "floor of the product": 2 * matrix.numel() / matrix_peak(),
        "product, log-sum-exp": seconds(lambda: by_product(model, lexicon, matrix, OF_PRODUCT)) / OF_PRODUCT,
        "parts, by PyTorch": seconds(lambda: by_parts(model, by_torch, horizon, n)) / n,
        "parts, compiled": seconds(lambda: by_parts(model, ours, horizon, n)) / n,
        "trajectories alone": seconds(lambda: draw(model, horizon, n)) / n,
    }
    floor = times["floor of the product"]
    print(
        f"{len(lexicon):,} words, {len(ours.prefixes):,} prefixes and {len(ours.suffixes):,} suffixes, "
        f"found once in {once:.2f} s; {n:,} trajectories, one thread"
    )
    show(
        "marginal",
        [
            {"way": way, "us a trajectory": 1e6 * time, "times the floor": time / floor}
            for way, time in times.items()
        ],
    )


if __name__ == "__main__":
    main()
