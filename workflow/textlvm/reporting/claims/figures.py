"""Numbers that the papers show in figures alone, from the files that those figures are drawn from.

Each is one number of one trained model, of no printed value; claims name it like the metric of a table.
"""

import csv
import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textlvm.runtime.errors import UserError, repair
from textlvm.sentences.evaluation.likelihood import melbo_of_subsets

__all__ = ["FIGURES", "Figure", "measure"]

SAMPLE = 1000
"""Test sentences behind one bound of Figure 5 from which on the paper calls its deviation small."""


@dataclass(frozen=True)
class Figure:
    """A number of a figure."""

    file: str
    """The file of the run, beside its metrics.json."""
    unit: str
    of: Callable[[Any], float | None]
    """The number from what the file holds; None if the run is too small to have it."""


def measure(metric: str, path: str | Path) -> float | None:
    """One number of a figure from a run's file. Raises `UserError` for another file."""
    figure = FIGURES[metric]
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            if figure.file.endswith(".csv"):
                return figure.of(list(csv.DictReader(file)))
            if figure.file.endswith(".jsonl"):
                return figure.of([json.loads(line) for line in file if line.strip()])
            return figure.of(json.load(file))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"cannot read '{metric}' from {path} ({error!r}); {repair(path)}") from error


def _along_training(name: str, index: int) -> Callable[[Any], float | None]:
    """Figure 2: an entropy at the first (0) or last (-1) of a training's evaluations."""

    def number(curve: list[dict[str, float]]) -> float | None:
        values = [entry[name] for entry in curve if name in entry]
        return values[index] if len(values) > 1 else None

    return number


def _at_position(position: int, summary: Callable[[list[float]], float]) -> Callable[[Any], float | None]:
    """Figure 1: the entropy gap at a position of a word, over at least two trajectories that reach it."""

    def number(rows: list[dict[str, str]]) -> float | None:
        values = [float(row["h_gap"]) for row in rows if row["position"] == str(position)]
        return summary(values) if len(values) > 1 else None

    return number


def _overlap(name: str) -> Callable[[Any], float | None]:
    """Figure 3: the probability that another sentence's value is at least one's own; 0.5 if alike."""

    def number(histograms: dict[str, Any]) -> float | None:
        if "pairs" not in histograms:
            return None
        same, other = (np.sort(histograms["pairs"][f"{name}_{kind}"]) for kind in ("same", "other"))
        return float(np.searchsorted(same, other, side="right").mean() / len(same))

    return number


def _bound_deviation(histograms: dict[str, Any]) -> float | None:
    """Figure 5: standard deviation of MELBO over samples of the test set, as a share of its mean."""
    melbo = np.asarray(histograms.get("melbo", ()))
    if len(melbo) <= SAMPLE:
        return None
    (bound,), (deviation,) = melbo_of_subsets(melbo, np.array([SAMPLE]))
    return float(deviation / bound)


FIGURES = {
    **{
        f"{name}_{when}": Figure("curve.jsonl", "nats", _along_training(name, index))
        for name in ("h_gap", "h_expected")
        for when, index in (("start", 0), ("end", -1))
    },
    **{
        f"h_gap_at_{position}": Figure("entropy.csv", "nats", _at_position(position, statistics.fmean))
        for position in (1, 2, 4, 8)
    },
    **{
        f"h_gap_sd_at_{position}": Figure("entropy.csv", "nats", _at_position(position, statistics.stdev))
        for position in (1, 4)
    },
    **{f"overlap_{name}": Figure("histograms.json", "share", _overlap(name)) for name in ("log_p", "log_q")},
    "bound_deviation": Figure("histograms.json", "share", _bound_deviation),
}
"""The numbers of figures that claims may name, and the files they come from."""
