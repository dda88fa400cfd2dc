"""Numbers that papers show only in figures, from the files of those figures.

Each is one number of one trained model and has no printed value; claims name it like a table's metric.
paper.yaml lists these numbers and the functions that compute them.
"""

import csv
import json
import pkgutil
from pathlib import Path

from textlvm.estimate import Estimate, exact
from textlvm.experiment.declarations import FigureMetric
from textlvm.runtime.errors import UserError, repair

__all__ = ["measure"]


def measure(metric: FigureMetric, path: str | Path) -> Estimate | None:
    """One number of a figure from a run's file; None if the run is too small to have it.

    The function returns a number, or an `Estimate` with the 95% interval of its Monte Carlo error.

    Raises `UserError` if the file cannot be read or the function does not exist.
    """
    try:
        function = pkgutil.resolve_name(metric.function)
    except (ImportError, AttributeError) as error:
        place = f"{metric.declared}: figure_metrics.{metric.name}"
        raise UserError(f"{place}: there is no function {metric.function} ({error})") from error
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            if metric.file.endswith(".csv"):
                content = list(csv.DictReader(file))
            elif metric.file.endswith(".jsonl"):
                content = [json.loads(line) for line in file if line.strip()]
            else:
                content = json.load(file)
        found: Estimate | float | None = function(content, **metric.arguments)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"cannot read '{metric.name}' from {path} ({error!r}); {repair(path)}") from error
    return found if found is None or isinstance(found, Estimate) else exact(found, metric.unit)
