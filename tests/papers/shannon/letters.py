"""The paper's two steps: the entropy of letters from the word counts of a corpus, and a figure of it."""

import argparse
from collections import Counter
from itertools import pairwise
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from textlvm.corpora import tables
from textlvm.estimate import exact
from textlvm.runtime import cli, provenance
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import read_json, write_json, write_text


def pairs(words: dict[str, int]) -> NDArray[np.float64]:
    """How often a letter follows another one in a word, shape (27, 26); row 26 counts first letters."""
    counts: Counter[tuple[int, int]] = Counter()
    for word, count in words.items():
        codes = [26, *(ascii_lowercase.index(letter) for letter in word if letter in ascii_lowercase)]
        for pair in pairwise(codes):
            counts[pair] += count
    found = np.zeros((27, 26))
    for pair, count in counts.items():
        found[pair] = count
    return found


def entropy(counts: NDArray[np.float64], order: int) -> float:
    """The entropy of a letter in bits: of single letters, or given the previous letter of the word."""
    joint = counts[:26] / counts[:26].sum() if order == 2 else counts.sum(0, keepdims=True) / counts.sum()
    given = joint / joint.sum(1, keepdims=True).clip(min=1e-300)
    return float(-(joint[joint > 0] * np.log2(given[joint > 0])).sum())


def measure(options: argparse.Namespace) -> None:
    """Write all files of a run."""
    process = provenance.Process()
    words, counts = tables.read(options.counts, ("word", "count"))
    kept = {w: int(n) for w, n in zip(words, counts[:, 0], strict=True) if n >= options.settings["min_count"]}
    if not kept:
        raise UserError(f"{options.counts} has no word as frequent as min_count: lower it")
    found = pairs(kept)
    options.out.mkdir(parents=True, exist_ok=True)
    save_file({"pairs": found}, options.out / "model.safetensors")
    write_text(options.out / "curve.jsonl", "")
    write_json(options.out / "cost.json", {"device": "none", "seconds": 0.0})
    write_json(options.out / "spec.json", {"name": options.name, "seed": options.seed, **options.spec})
    provenance.write_training(options.out, process)
    paper, corpus, run = options.name.split("/")
    metrics: dict[str, Any] = {
        "letter_entropy": exact(entropy(found, options.spec["model"]["order"]), "bits/letter").to_json(),
        "letters": exact(float(found.sum()), "letters").to_json(),
    }
    result = {"paper": paper, "corpus": corpus, "split": "standard", "run": run, "seed": options.seed}
    result |= {"status": "done", "settings": options.settings, "metrics": metrics}
    write_json(options.out / "metrics.json", result)
    provenance.write_evaluation(
        options.out / "provenance.json", process, options.out, options.settings, [options.counts], []
    )


def figure(options: argparse.Namespace) -> None:
    """Draw the entropies as bars."""
    from matplotlib.figure import Figure

    from textlvm.reporting.figures import save

    results = [read_json(path) for path in options.metrics]
    drawn = Figure(figsize=(4, 3), layout="constrained")
    axes = drawn.add_subplot(title=options.title, ylabel="bits/letter")
    axes.bar([r["run"] for r in results], [r["metrics"]["letter_entropy"]["value"] for r in results])
    save(drawn, options.png, options.svg)


def _arguments() -> argparse.ArgumentParser:
    parser = cli.Parser(description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="measure | figure")
    one = commands.add_parser("measure", parents=[cli.parser(None)], add_help=False)
    one.add_argument("--counts", type=Path, required=True)
    one.add_argument("--name", required=True)
    one.add_argument("--seed", type=int, required=True)
    one.add_argument("--spec", type=cli.settings, required=True)
    one.add_argument("--settings", type=cli.settings, required=True)
    one.add_argument("--out", type=Path, required=True)
    one.set_defaults(command=measure)
    two = commands.add_parser("figure", parents=[cli.parser(None)], add_help=False)
    two.add_argument("--metrics", type=Path, nargs="+", required=True)
    for name in ("title", "png", "svg"):
        two.add_argument(f"--{name}", type=str if name == "title" else Path, required=True)
    two.set_defaults(command=figure)
    return parser


if __name__ == "__main__":
    cli.run(lambda options: options.command(options), _arguments())
