"""Claims: the papers' statements about their numbers, tested on the cells of all tables.

    python -m textlvm.reporting.claims --papers workflow/papers/* --plan plan.json \\
        --tables results/table1.csv results/table2.csv --figures seed0/curve.jsonl seed0/entropy.csv \\
        --csv results/claims.csv --md results/claims.md --html results/claims.html

Each claim holds, fails or is undecided. The output has the effect with its interval, and the outcome of the
same comparison for the published numbers. Files of figures (`curve.jsonl`, `entropy.csv`, `histograms.json`)
belong to the metrics.json in the same folder; without them, claims about figures are undecided.
"""

import argparse
import logging
from collections import Counter
from pathlib import Path

from textlvm.experiment.paper import add_argument, load_all
from textlvm.reporting import html, published
from textlvm.reporting.claims.file import load
from textlvm.reporting.claims.lines import as_csv
from textlvm.reporting.claims.numbers import Measured
from textlvm.reporting.claims.report import as_markdown, evaluate
from textlvm.reporting.runs import read_plan
from textlvm.reporting.tidy import read_tidy
from textlvm.runtime import cli
from textlvm.runtime.files import write_text

__all__ = ["main"]


def main(options: argparse.Namespace) -> None:
    """Write the claims in all formats."""
    papers = load_all(options.papers)
    printed = published.read(papers)
    cells = [cell for path in options.tables for cell in read_tidy(path)]
    plan = read_plan(options.plan, papers)
    claims = load(papers, printed, plan)
    measured = Measured(papers, cells, options.figures, plan)
    lines = evaluate(claims.claims, measured, printed)
    write_text(options.csv, as_csv(lines))
    markdown = as_markdown(lines, papers)
    write_text(options.md, markdown)
    write_text(options.html, html.page(markdown))
    outcomes = Counter(str(line.outcome) for line in lines)
    logging.info("%s: %s", options.csv, ", ".join(f"{n} {outcome}" for outcome, n in outcomes.items()))


if __name__ == "__main__":
    arguments = cli.parser(__doc__)
    add_argument(arguments)
    arguments.add_argument("--plan", type=cli.settings, required=True, help="the plan (JSON or a file)")
    arguments.add_argument("--tables", type=Path, nargs="+", required=True, help="tidy tables")
    arguments.add_argument("--figures", type=Path, nargs="*", default=[], help="files of figures")
    arguments.add_argument("--csv", type=Path, required=True, help="the tidy claims (CSV)")
    arguments.add_argument("--md", type=Path, required=True, help="the claims as Markdown")
    arguments.add_argument("--html", type=Path, required=True, help="the claims as HTML")
    cli.run(main, arguments)
