"""Numbers that only Figures 1 and 2 of the words paper show, each for one trained model.

paper.yaml names them and their source files.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["along_training", "gap_deviation", "gap_mean"]


def along_training(curve: Iterable[Mapping[str, float]], quantity: str, evaluation: int) -> float | None:
    """Figure 2: an entropy (nats) at an evaluation of a training, by its index among them.

    None if there are fewer than two.
    """
    values = [entry[quantity] for entry in curve if quantity in entry]
    return values[evaluation] if len(values) > 1 else None


def gap_mean(rows: Iterable[Mapping[str, str]], position: int) -> float | None:
    """Figure 1: the mean entropy gap (nats) at a position of the word, over the trajectories that reach it.

    None if there are fewer than two.
    """
    values = _gaps(rows, position)
    return statistics.fmean(values) if len(values) > 1 else None


def gap_deviation(rows: Iterable[Mapping[str, str]], position: int) -> float | None:
    """Figure 1: the standard deviation (nats) between these trajectories."""
    values = _gaps(rows, position)
    return statistics.stdev(values) if len(values) > 1 else None


def _gaps(rows: Iterable[Mapping[str, str]], position: int) -> Sequence[float]:
    """The entropy gaps at a position."""
    return [float(row["h_gap"]) for row in rows if row["position"] == str(position)]
