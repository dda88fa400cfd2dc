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
import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from textlvm.estimate import of_repeats
from textlvm.experiment.declarations import Reading
from textlvm.experiment.paper import Paper, add_argument, load_all
from textlvm.experiment.plan import Planned, RunKey
from textlvm.reporting import published
from textlvm.reporting.draws import over_draws
from textlvm.reporting.fits import Fit, Interval, as_csv
from textlvm.reporting.markup import markdown
from textlvm.reporting.published import Published
from textlvm.reporting.runs import Result, read_plan, read_results
from textlvm.runtime import cli
from textlvm.runtime.files import write_text

__all__ = ["Column", "as_markdown", "columns", "main"]

NOTHING = "–"


@dataclass(frozen=True)
class Column:
    """A printed column on one corpus, and the fit of each of its readings."""

    paper: Paper
    printed: Mapping[str, float]
    """The printed values of the planned rows."""
    digits: int
    """The largest number of their decimals."""
    fits: tuple[Fit, ...]
    values: tuple[Mapping[str, float], ...]
    """For each reading, the means over seeds by row."""


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
                    place = (*key[:3], corpus, title, split, metric)
                    if found := [
                        fit
                        for reading in paper.readings[metric]
                        if (fit := _fit(reading, place, rows, known))
                    ]:
                        digits = max(printed[row].digits for row in rows)
                        fits, values = zip(*found, strict=True)
                        yield Column(paper, known, digits, fits, values)


def _fit(
    reading: Reading,
    place: tuple[str, int, str, str, str, str, str],
    rows: Mapping[str, Sequence[Result]],
    printed: Mapping[str, float],
) -> tuple[Fit, Mapping[str, float]] | None:
    """The fit over the rows that have the reading or its substitute, and the rows' means over seeds.

    None for fewer than two rows.
    """
    if not any(reading.metric in result.metrics for results in rows.values() for result in results):
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
    fit = Fit(
        *place,
        reading.metric,
        reading.compared,
        reading.computes,
        reading.why,
        rows=len(by_seed),
        seeds=len(seeds),
        rms=_mean(np.sqrt((differences**2).mean(1)).tolist(), least=0.0),
        bias=_mean(differences.mean(1).tolist()),
        rank=None if None in ranks else _mean([rank for rank in ranks if rank is not None], -1.0, 1.0),
    )
    return fit, dict(zip(by_seed, values.mean(0).tolist(), strict=True))


def _values(reading: Reading, results: Sequence[Result]) -> dict[int, float]:
    """The values of the reading of a row, or of its substitute, by seed."""
    has_reading = any(reading.metric in result.metrics for result in results)
    name = reading.metric if has_reading else reading.otherwise
    return {result.seed: result.metrics[name].value for result in results if name in result.metrics}


def _rank(values: np.ndarray, targets: np.ndarray) -> float | None:
    if len(values) < 3 or np.ptp(values) == 0 or np.ptp(targets) == 0:
        return None
    return float(stats.spearmanr(values, targets).statistic)


def _mean(values: Sequence[float], least: float = -math.inf, most: float = math.inf) -> Interval:
    """The mean over seeds and its 95% interval, limited to the possible values."""
    found = of_repeats(values, "")
    if found.low is None or found.high is None:
        return Interval(found.value)
    return Interval(found.value, max(least, found.low), min(most, found.high))


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
        paper, first = column.paper, column.fits[0]
        unit = paper.metrics[first.column].unit
        title = f"{first.heading(paper)} ({unit}): Table {first.table} of {paper.citation}, "
        title += f"{first.split} split, {first.place(paper)}"
        parts.append(f"## {markdown(title)}")
        fits = [
            {
                "reading": f"`{fit.reading}`" + (" *" if fit.compared else ""),
                "definition": markdown(fit.computes),
                "why": markdown(fit.why),
                "rows": fit.rows,
                "seeds": fit.seeds,
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
                f"`{fit.reading}`": f"{values[row]:.{digits}f}" if row in values else NOTHING
                for fit, values in zip(column.fits, column.values, strict=True)
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
    write_text(options.csv, as_csv(fit for column in found for fit in column.fits))
    write_text(options.md, as_markdown(found))
    logging.info("%s: %d columns", options.csv, len(found))


def arguments() -> argparse.ArgumentParser:
    """The parser of the command line."""
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
