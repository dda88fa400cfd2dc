"""Variance of the gradient of the words paper's objective by estimator, and the cost of a step.

    python benchmarks/bench_gradients.py [--words words.tsv] [--steps 0 500 2000] [--draws 64]

Trains models with training.estimator `full` and, after the given numbers of steps, draws the gradient of one
batch repeatedly with each estimator. The variance of a group is the sum over its parameters, in
(nats per word)^2. The gradients of F_g, the emission and h_0 are equal in both.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from bench_training import BASE, cpu_milliseconds, documentation_words, optimisation
from measure import show
from torch import Tensor

from textlvm.corpora.splits import read_words
from textlvm.words.engine import bound
from textlvm.words.letters import PackedWords
from textlvm.words.model import StateSpaceModel, build
from textlvm.words.train import WordSampler, objective

ROWS = {
    "TRIL": BASE,
    "TRIL, K=5": replace(BASE, samples=5),
    "2×TRIL, K=10": replace(BASE, layers=2, samples=10),
    "REAL-NVP-[2,3,4,5,6,7]": replace(BASE, transition="real-nvp", masks=(2, 3, 4, 5, 6, 7), order="reverse"),
}
GROUPS = {
    "inference": "q",
    "variational": "F_q",
    "generative": "F_g",
    "emission": "emission",
    "initial": "h_0",
}
ESTIMATORS = ("full", "path")


def variances(model: StateSpaceModel, batch: PackedWords, estimator: str, draws: int) -> dict[str, float]:
    """Variance of the gradient over the noise, by group of parameters."""
    names, parameters = zip(*model.named_parameters(), strict=True)
    drawn = []
    # The same noise for all, without changing the random state of the training.
    with torch.random.fork_rng([]):
        torch.manual_seed(1)
        for _ in range(draws):
            value = bound(model, batch, estimator) / batch.packing.batch
            drawn.append(torch.autograd.grad(value, parameters))
    sums: dict[str, float] = defaultdict(float)
    for name, gradients in zip(names, zip(*drawn, strict=True), strict=True):
        sums[GROUPS[name.split(".")[0]]] += float(torch.stack(gradients).double().var(0).sum())
    return sums


def milliseconds(loss: Callable[[int], Tensor], optimizer: torch.optim.Optimizer) -> float:
    """CPU milliseconds of a step."""
    return cpu_milliseconds(optimisation(lambda: loss(1), optimizer), 30)


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--words", type=Path)
    arguments.add_argument("--steps", type=int, nargs="+", default=[0, 500, 2000])
    arguments.add_argument("--draws", type=int, default=64)
    arguments.add_argument("--batch", type=int, default=256)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    split = read_words(options.words) if options.words else documentation_words()
    spread, cost = [], []
    for name, spec in ROWS.items():
        torch.manual_seed(0)
        sampler = WordSampler(split, options.batch, torch.device("cpu"))
        model = build(spec)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=True)
        losses = {one: objective(model, sampler, one).loss for one in ESTIMATORS}
        measured = sampler()
        for step in range(max(options.steps) + 1):
            if step in options.steps:
                full, path = (variances(model, measured, one, options.draws) for one in ESTIMATORS)
                row: dict[str, object] = {"row": name, "steps": step}
                for group in ("q", "F_q"):
                    row |= {f"{group}, full": full[group], f"{group}, path": path[group]}
                    row |= {f"{group}, full/path": full[group] / path[group]}
                spread.append(row | {f"{group}, both": path[group] for group in ("F_g", "emission", "h_0")})
            optimizer.zero_grad()
            losses["full"](step).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        steps = {one: milliseconds(losses[one], optimizer) for one in ESTIMATORS}
        cost.append({"row": name, **steps, "path/full": steps["path"] / steps["full"]})
    show("gradients", spread)
    print("milliseconds of CPU a step")
    show("gradients_cost", cost)


if __name__ == "__main__":
    main()
