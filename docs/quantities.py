"""Numbers of recorded runs, for the expressions in docs/templates."""

import json
import math
import statistics
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from cells import EXPERIMENTS, RECORDED, published
from scipy.stats import spearmanr

from textlvm.reporting.spread import PooledSpread, Sample, pooled
from textlvm.reporting.verdict import reach
from textlvm.sentences import figure_metrics

__all__ = [
    "confused",
    "cost",
    "difference",
    "interval",
    "last",
    "last_change",
    "loss",
    "mean",
    "noise_limit",
    "number_of_seeds",
    "over_k",
    "over_rows",
    "overlap",
    "perplexity",
    "pooled_spread",
    "rank",
    "reach",
    "remaining",
    "repeat_spread",
    "rms_at_printed",
    "spread",
    "values",
]


def seeds(run: str) -> list[Path]:
    """The folders of the evaluated seeds of a run, e.g. gutenberg/standard/tril."""
    experiment, _, rest = run.partition("/")
    found = sorted((RECORDED / EXPERIMENTS[experiment] / rest).glob("seed*/metrics.json"))
    if not found:
        raise FileNotFoundError(f"nothing is recorded of {run}")
    return [path.parent for path in found]


def values(run: str, metric: str) -> list[float]:
    """A metric of every seed."""
    return [read(folder)["metrics"][metric]["value"] for folder in seeds(run)]


def number_of_seeds(run: str) -> int:
    """The number of evaluated seeds of a run."""
    return len(seeds(run))


def mean(run: str, metric: str) -> float:
    """The mean over seeds."""
    return statistics.fmean(values(run, metric))


def spread(run: str, metric: str) -> float:
    """The standard deviation over seeds."""
    return statistics.stdev(values(run, metric))


def noise_limit(
    run: str,
    metric: str,
    comparisons: int = 1,
    seeds: int | None = None,
    others: Sequence[str] = (),
    scale: Callable[[float], float] = float,
) -> float:
    """The 95% limit of the difference between one further training and the mean over seeds; see `reach`.

    `seeds` replaces the number of seeds in that mean, for a run that borrows this standard deviation. It is
    pooled with those of `others`, as far as they have several seeds. With `scale`, e.g. the logarithm, the
    limit is that of transformed values.
    """
    several = [name for name in (run, *others) if number_of_seeds(name) > 1]
    scaled = {name: tuple(map(scale, values(name, metric))) for name in several}
    noise = pooled([Sample(name, name, "", metric, found) for name, found in scaled.items()])
    return reach(noise.value, noise.degrees_of_freedom, seeds or number_of_seeds(run), comparisons)


def difference(run: str, other: str, metric: str) -> float:
    """The absolute difference of two means over seeds."""
    return abs(mean(run, metric) - mean(other, metric))


def repeat_spread(run: str, metric: str) -> float:
    """The standard deviation over evaluations of the first seed."""
    return read(seeds(run)[0])["metrics"][metric]["repeat_sd"]


def perplexity(nats: float) -> float:
    """The perplexity for a mean NLL per sentence of Penn Treebank, with the paper's divisor."""
    tokens = mean("ptb/smim-512", "nll_melbo") / math.log(mean("ptb/smim-512", "ppl_melbo"))
    return math.exp(nats / tokens)


def interval(run: str, metric: str) -> str:
    """A metric of the first seed with the interval of its estimator."""
    value = read(seeds(run)[0])["metrics"][metric]
    return f"{value['value']:.2f} [{value['low']:.2f}, {value['high']:.2f}]"


def overlap(run: str, metric: str, other: str) -> bool:
    """Whether the intervals of two estimators overlap in the first seed."""
    metrics = read(seeds(run)[0])["metrics"]
    (low, high), (other_low, other_high) = (
        (metrics[name]["low"], metrics[name]["high"]) for name in (metric, other)
    )
    return bool(low <= other_high and other_low <= high)


def remaining(run: str) -> float:
    """By how much more trajectories than recorded would lower the test cross entropy, in nats per word.

    The gains of the last five doublings are continued as a geometric series.
    """
    values = list(over_k(run).values())[-6:]
    gains = [one - other for one, other in pairwise(values)]
    ratio = (gains[-1] / gains[0]) ** (1 / (len(gains) - 1))
    return gains[-1] * ratio / (1 - ratio)


def pooled_spread(rows: list[tuple[str, str]], trajectories: int) -> PooledSpread:
    """The pooled standard deviation over seeds of the test cross entropy."""
    curves = {run: curves_over_k(f"gutenberg/standard/{run}") for run, _ in rows}
    values = {run: tuple(curve[trajectories] for curve in curves[run]) for run, _ in rows}
    return pooled([Sample(row, run, "", "ce_test", values[run]) for run, row in rows])


def rank(rows: list[tuple[str, str]], metric: str, column: str) -> float:
    """Spearman's correlation of a reading with the printed column of Table 1, over these rows."""
    ours = [mean(f"readings/standard/{run}", metric) for run, _ in rows]
    return float(spearmanr(ours, [published("gutenberg", 1, row, column) for _, row in rows]).statistic)


def over_rows(rows: list[tuple[str, str]], metric: str) -> list[float]:
    """A metric of all seeds of these rows of Table 1."""
    return [value for run, _ in rows for value in values(f"readings/standard/{run}", metric)]


def rms_at_printed(rows: list[tuple[str, str]], reading: str, column: str) -> float:
    """RMS of a reading that is predicted from the printed test cross entropy.

    The reading is regressed on the test cross entropy, over all seeds of these rows of Table 1, and evaluated
    at the printed cross entropy of each row; its deviations are from the printed `column`.
    """
    slope, start = statistics.linear_regression(over_rows(rows, "ce_test"), over_rows(rows, reading))
    errors = [
        start + slope * published("gutenberg", 1, row, "ce_test") - published("gutenberg", 1, row, column)
        for _, row in rows
    ]
    return math.hypot(*errors) / math.sqrt(len(errors))


def curves_over_k(run: str) -> list[dict[int, float]]:
    """The test cross entropy of each seed by the number of trajectories."""
    return [{k: test for k, _, test, *_ in read(folder)["curve"]["ce_over_k"]} for folder in seeds(run)]


def over_k(run: str) -> dict[int, float]:
    """The mean test cross entropy by the number of trajectories, for those that all seeds have."""
    curves = curves_over_k(run)
    shared = sorted(set.intersection(*(set(curve) for curve in curves)))
    return {k: statistics.fmean(curve[k] for curve in curves) for k in shared}


def loss(run: str, after: int, until: int) -> float:
    """The mean training loss of the steps after + 1 to until, over seeds."""
    entries = [entry for folder in seeds(run) for entry in curve(folder) if after < entry["step"] <= until]
    return statistics.fmean(entry["loss"] for entry in entries)


def last(run: str, quantity: str) -> float:
    """The last value of a quantity in the training curve of the first seed."""
    return next(entry[quantity] for entry in reversed(curve(seeds(run)[0])) if quantity in entry)


def last_change(run: str, quantity: str) -> float:
    """By how much a quantity of the first seed's training curve fell between its last two values."""
    before, after = [entry[quantity] for entry in curve(seeds(run)[0]) if quantity in entry][-2:]
    return before - after


def cost(run: str, what: str) -> int:
    """A number of the first seed's training: `parameters` or `steps`."""
    return read(seeds(run)[0], "cost.json")[what]


def curve(folder: Path) -> list[dict[str, Any]]:
    """The training curve of one seed."""
    lines = (folder / "curve.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def read(folder: Path, name: str = "metrics.json") -> dict[str, Any]:
    """A JSON file of one seed; by default its metrics."""
    return json.loads((folder / name).read_text(encoding="utf-8"))


def confused(run: str, quantity: str) -> list[float]:
    """Figure 3 by seed: the share of sentences that score at least as high with another sentence's code."""
    return [figure_metrics.confused(read(folder, "histograms.json"), quantity) for folder in seeds(run)]
