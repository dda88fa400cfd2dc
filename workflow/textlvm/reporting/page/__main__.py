"""All results of an experiment on one page: a single HTML file that needs no network.

    python -m textlvm.reporting.page --papers workflow/papers/* --plan plan.json \\
        --tables results/table*.csv --claims results/claims.csv \\
        --readings results/readings.csv --out results/index.html

PLAN lists runs, figures and texts with their paths (`textlvm.reporting.page.plan`); a seed without a `known`
outcome is shown as not run. The page depends only on the files that it shows.
"""

import argparse
import logging
from pathlib import Path

from textlvm.experiment.paper import add_argument, load_all
from textlvm.reporting import fits
from textlvm.reporting.claims import lines
from textlvm.reporting.page.claims import from_lines
from textlvm.reporting.page.document import render
from textlvm.reporting.page.plan import read_page_plan
from textlvm.reporting.tidy import read_tidy
from textlvm.runtime import cli
from textlvm.runtime.files import write_text


def main(options: argparse.Namespace) -> None:
    """Write the page."""
    cells = [cell for path in options.tables for cell in read_tidy(path)]
    papers, plan = load_all(options.papers), read_page_plan(options.plan)
    claims = from_lines(lines.read_csv(options.claims), plan, papers)
    page = render(papers, plan, cells, claims, fits.read_csv(options.readings))
    write_text(options.out, page)
    logging.info("%s: %.1f MB", options.out, len(page.encode()) / 1e6)


if __name__ == "__main__":
    arguments = cli.parser(__doc__)
    add_argument(arguments)
    arguments.add_argument("--plan", type=cli.settings, required=True, help="page content (JSON or a file)")
    arguments.add_argument("--tables", type=Path, nargs="+", required=True, help="tidy tables")
    arguments.add_argument("--claims", type=Path, required=True, help="the claims and their outcomes (CSV)")
    arguments.add_argument(
        "--readings", type=Path, required=True, help="readings of columns and their fit (CSV)"
    )
    arguments.add_argument("--out", type=Path, required=True, help="the page (HTML)")
    cli.run(main, arguments)
