"""How well each reading of a printed column fits the printed numbers, over all rows at once.

    python -m textlvm.reporting.readings --papers workflow/papers/* --plan plan.json \\
        --metrics results/words/*/standard/*/seed*/metrics.json \\
        --csv results/readings.csv --md results/readings.md

A paper's text may leave open how a column was computed; the readings in its paper.yaml are the possible ways.
For each reading, table and corpus

    rms    root mean square over rows of value minus printed value, in the column's unit
    bias   mean over rows of value minus printed value
    rank   Spearman's correlation of values and printed values over rows

are computed for each seed that all rows have, and averaged. Intervals are Student's at 95%, over these seeds.
A constant difference between corpora changes rms and bias, and leaves rank as it is.
"""

import argparse
import csv
import io
import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from textlvm.experiment.declarations import Reading
from textlvm.experiment.paper import Paper, add_argument, load_all
from textlvm.experiment.plan import Planned, RunKey
from textlvm.reporting import published
from textlvm.reporting.draws import over_draws
from textlvm.reporting.markup import markdown
from textlvm.reporting.published import Published
from textlvm.reporting.runs import Result, read_plan, read_results
from textlvm.runtime import cli
from textlvm.runtime.files import write_text

__all__ = ["Column", "Fit", "Interval", "columns", "main"]

NOTHING = "–"


@dataclass(frozen=True)
class Interval:
    """A mean over seeds and its 95% interval; without bounds for a single seed."""

    value: float
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.3g}"
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


@dataclass(frozen=True)
class Fit:
    """How well one reading fits a printed column."""

    reading: Reading
    values: Mapping[str, float]
    """Means over seeds, by row."""
    seeds: tuple[int, ...]
    """Those that all these rows have."""
    rms: Interval
    bias: Interval
    rank: Interval | None
    """None for fewer than three rows, or if all values are equal."""


@dataclass(frozen=True)
class Column:
    """A printed column on one corpus, and the fit of each of its readings."""

    paper: Paper
    table: int
    dataset: str
    corpus: str
    corpus_title: str
    split: str
    metric: str
    printed: Mapping[str, float]
    """The printed values of the planned rows."""
    digits: int
    """Their decimals at most."""
    fits: tuple[Fit, ...]


def columns(
    papers: Mapping[str, Paper],
    published: Iterable[Published],
    plan: Iterable[Planned],
    results: Mapping[RunKey, Sequence[Result]],
) -> Iterator[Column]:
    """Every column with readings and at least two evaluated rows, in the papers' order."""
    prints = [value for value in published if value.source == "paper"]
    plan = tuple(plan)
    for paper in papers.values():
        for number, table in paper.tables.items():
            planned = [
                (entry, row)
                for entry in plan
                if entry.paper == paper.name
                for row in entry.rows
                if row.table == number
            ]
            parts = {entry.table_part: entry.corpus_title for entry, _ in planned}
            for part, title in parts.items():
                here = [(entry, row) for entry, row in planned if entry.table_part == part]
                _, dataset, split, corpus = part
                for metric in (name for name in table.columns if name in paper.readings):
                    key = (paper.name, number, dataset, split)
                    printed = {v.row: v for v in prints if v.key == (*key, v.row, metric)}
                    rows = {
                        row.label: results.get(entry.key, ())
                        for entry, row in here
                        if row.label in printed and row.metrics.get(metric, metric) == metric
                    }
                    known = {row: printed[row].value for row in rows}
                    fits = (_fit(reading, rows, known) for reading in paper.readings[metric])
                    if found := tuple(fit for fit in fits if fit):
                        digits = max(printed[row].digits for row in rows)
                        where = (dataset, corpus, title, split)
                        yield Column(paper, number, *where, metric, known, digits, found)


def _fit(reading: Reading, rows: Mapping[str, Sequence[Result]], printed: Mapping[str, float]) -> Fit | None:
    """The fit over the rows that have the reading or its substitute; None for fewer than two rows."""
    if not any(reading.metric in own.metrics for results in rows.values() for own in results):
        return None
    by_seed = {row: _values(reading, results) for row, results in rows.items()}
    by_seed = {row: values for row, values in by_seed.items() if values}
    seeds = sorted(set.intersection(*map(set, by_seed.values()))) if by_seed else []
    if len(by_seed) < 2 or not seeds:
        return None
    values = np.array([[of_row[seed] for of_row in by_seed.values()] for seed in seeds])
    targets = np.array([printed[row] for row in by_seed])
    differences = values - targets
    ranks = [_rank(of_seed, targets) for of_seed in values]
    return Fit(
        reading,
        dict(zip(by_seed, values.mean(0).tolist(), strict=True)),
        tuple(seeds),
        _mean(np.sqrt((differences**2).mean(1)).tolist()),
        _mean(differences.mean(1).tolist()),
        None if None in ranks else _mean([rank for rank in ranks if rank is not None]),
    )


def _values(reading: Reading, results: Sequence[Result]) -> dict[int, float]:
    """The reading of a row, by seed."""
    has_it = any(reading.metric in own.metrics for own in results)
    name = reading.metric if has_it else reading.otherwise
    return {own.seed: own.metrics[name].value for own in results if name in own.metrics}


def _rank(values: np.ndarray, targets: np.ndarray) -> float | None:
    if len(values) < 3 or np.ptp(values) == 0 or np.ptp(targets) == 0:
        return None
    return float(stats.spearmanr(values, targets).statistic)


def _mean(values: Sequence[float]) -> Interval:
    mean = math.fsum(values) / len(values)
    if len(values) == 1:
        return Interval(mean)
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    half = float(stats.t.ppf(0.975, len(values) - 1)) * error
    return Interval(mean, mean - half, mean + half)


def as_csv(found: Iterable[Column]) -> str:
    """A line for each reading of each column."""
    text = io.StringIO()
    names = ["paper", "table", "dataset", "corpus", "corpus_title", "split", "column"]
    names += ["reading", "compared", "computes", "why"]
    names += ["rows", "seeds"]
    bounds = [field.name for field in fields(Interval)]
    names += [
        f"{name}_{bound}".removesuffix("_value") for name in ("rms", "bias", "rank") for bound in bounds
    ]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for column in found:
        for fit in column.fits:
            reading = fit.reading
            line = [column.paper.name, column.table, column.dataset, column.corpus, column.corpus_title]
            line += [column.split, column.metric]
            line += [reading.metric, str(reading.compared).lower(), reading.computes, reading.why]
            line += [len(fit.values), len(fit.seeds)]
            for interval in (fit.rms, fit.bias, fit.rank):
                bounds_of = asdict(interval).values() if interval else [None] * len(bounds)
                line += ["" if value is None else repr(value) for value in bounds_of]
            writer.writerow(line)
    return text.getvalue()


def as_markdown(found: Iterable[Column]) -> str:
    """For each column: the fits of its readings, and the values of each row next to the printed values."""
    parts = [
        "# Readings of the printed columns",
        "A reading is one possible definition of a column that the paper does not define completely. RMS is "
        "the root mean square, over rows, of our value minus the printed value; bias is the mean of these "
        "differences; rank is Spearman's correlation with the printed values. Brackets contain 95% intervals "
        "over seeds, or over draws of the split. `*` marks the reading that cells and claims compare.",
    ]
    for column in found:
        paper = column.paper
        heading = paper.metrics[column.metric].heading or column.metric
        unit = paper.metrics[column.metric].unit
        dataset = paper.datasets.get(column.dataset, column.dataset)
        title = f"{heading} ({unit}): Table {column.table} of {paper.citation}, {column.split} split, "
        title += column.corpus_title + (f" in place of {dataset}" if column.corpus_title != dataset else "")
        parts.append(f"## {markdown(title)}")
        fits = [
            {
                "reading": f"`{fit.reading.metric}`" + (" *" if fit.reading.compared else ""),
                "definition": markdown(fit.reading.computes),
                "why": markdown(fit.reading.why),
                "rows": len(fit.values),
                "seeds": len(fit.seeds),
                "RMS": str(fit.rms),
                "bias": str(fit.bias),
                "rank": str(fit.rank) if fit.rank else NOTHING,
            }
            for fit in column.fits
        ]
        parts.append(_table(fits))
        digits = 1 + max(column.digits, 0)
        rows = [
            {"row": markdown(row), "printed": f"{printed:g}"}
            | {
                f"`{fit.reading.metric}`": f"{fit.values[row]:.{digits}f}" if row in fit.values else NOTHING
                for fit in column.fits
            }
            for row, printed in column.printed.items()
        ]
        parts.append(_table(rows))
    return "\n\n".join(parts) + "\n"


def _table(lines: Sequence[Mapping[str, object]]) -> str:
    return pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)


def main(options: argparse.Namespace) -> None:
    """Write the readings of the papers on the command line."""
    papers = load_all(options.papers)
    plan = read_plan(options.plan, papers)
    planned, results = over_draws(plan, read_results(options.metrics, plan))
    found = tuple(columns(papers, published.read(papers), planned, results))
    write_text(options.csv, as_csv(found))
    write_text(options.md, as_markdown(found))
    logging.info("%s: %d columns", options.csv, len(found))


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = cli.parser(__doc__)
    add_argument(parser)
    parser.add_argument("--plan", type=cli.settings, required=True, help="the planned rows (JSON or a file)")
    parser.add_argument("--metrics", type=Path, nargs="*", default=[], help="metrics.json files")
    parser.add_argument("--csv", type=Path, required=True, help="the fits (CSV)")
    parser.add_argument(
        "--md", type=Path, required=True, help="the fits with the values of every row (Markdown)"
    )
    return parser


if __name__ == "__main__":
    cli.run(main, arguments())
