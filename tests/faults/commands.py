"""Command lines of steps: a module and its arguments. `test_commands.py` checks all of them."""

import json
from collections.abc import Callable
from pathlib import Path

import tiny
from textlvm.experiment.paper import PAPERS

__all__ = ["COMMANDS"]


def train(root: Path, out: Path) -> list[str]:
    """A training of the project in `root`; all its files are in `out`."""
    run = root / f"results/words/{tiny.CORPUS}/standard/tril/seed0"
    return _words(
        *("textlvm.words.train", "--words", run.parents[1] / "words.tsv"),
        *("--name", f"words/{tiny.CORPUS}/standard/tril"),
        *("--seed", 0),
        *("--spec", run / "spec.json"),
        *("--checkpoint", out / "checkpoint"),
        *("--out", out),
    )


def prepare(root: Path, out: Path) -> list[str]:
    """The preparation of a data set."""
    texts = root / "resources/downloads/mine"
    settings = {"corpus": "mine", "format": "lines", "vocabulary": {"min_count": 1}}
    return _words(
        *("textlvm.sentences.data.prepare", "--dataset", "ptb"),
        *("--settings", json.dumps(settings)),
        *("--sources", *(f"{split}={texts / split}.txt" for split in ("train", "valid", "test"))),
        *("--out", out),
    )


def table(root: Path, out: Path) -> list[str]:
    """A table in all formats."""
    return _words(
        *("textlvm.reporting.tables", "shape", "--paper", PAPERS / "words", "--table", 1),
        *("--corpus", tiny.CORPUS),
        *("--tidy", root / "results/table1.csv"),
        *(word for form in ("csv", "md", "html", "tex") for word in (f"--{form}", out / f"table1.{form}")),
    )


def figure(root: Path, out: Path) -> list[str]:
    """A figure and its numbers."""
    run = root / f"results/words/{tiny.CORPUS}/standard/tril/seed0"
    return _words(
        *("textlvm.words.figures", "gap", "--entropy", run / "entropy.csv", "--labels", "TRIL"),
        *("--title", "Entropy gap in free mode, Python topics"),
        *(word for form in ("png", "svg", "csv") for word in (f"--{form}", out / f"figure1.{form}")),
    )


def _words(*words: object) -> list[str]:
    return list(map(str, words))


COMMANDS: dict[str, Callable[[Path, Path], list[str]]] = {
    "train": train,
    "prepare": prepare,
    "table": table,
    "figure": figure,
}
