"""Tables: metrics, plan and published values become tidy cells, and these become tables like the papers'.

    python -m textlvm.reporting.tables tidy --table 1 --papers workflow/papers/* \\
        --plan plan.json --metrics results/words/*/standard/*/seed*/metrics.json --out results/table1.csv
    python -m textlvm.reporting.tables shape --tidy results/table1.csv --paper workflow/papers/words \\
        --table 1 --corpus gutenberg --csv table1.csv --md table1.md --html table1.html --tex table1.tex

`tidy` writes one line per cell; the file contains the tables of that number of all papers. Metrics files that
do not exist yet are skipped: the rows of runs without results are `not run`. `shape` writes one paper's
table, on one corpus or over the paper's data sets, with reproduced and published values, as CSV, Markdown,
HTML and LaTeX.
"""

import argparse
import logging
from pathlib import Path
from typing import Any

from textlvm.experiment.paper import add_argument, load, load_all
from textlvm.reporting import published
from textlvm.reporting.assembly import build
from textlvm.reporting.draws import over_draws
from textlvm.reporting.runs import read_plan, read_results
from textlvm.reporting.tidy import read_tidy, write_tidy
from textlvm.runtime import cli
from textlvm.runtime.files import write_text

__all__ = ["main"]


def main(options: argparse.Namespace) -> None:
    """Run the requested command."""
    options.command(options)


def tidy(options: argparse.Namespace) -> None:
    """Write the cells of one table number."""
    papers = load_all(options.papers)
    plan = read_plan(options.plan, papers)
    planned, results = over_draws(plan, read_results(options.metrics, plan))
    cells = build(options.table, papers, published.read(papers), planned, results)
    write_tidy(options.out, cells)
    filled = sum(cell.measured is not None for cell in cells)
    logging.info("%s: %d cells, %d of them with a value", options.out, len(cells), filled)


def shape(options: argparse.Namespace) -> None:
    """Write one paper's table in four formats."""
    # Imported here so that `tidy` starts without pandas.
    from textlvm.reporting import html, shapes

    paper = load(options.paper)
    table = shapes.shape(read_tidy(options.tidy), paper, options.table, options.corpus)
    write_text(options.csv, shapes.as_csv(table))
    markdown = shapes.as_markdown(table)
    write_text(options.md, markdown)
    write_text(options.html, html.page(markdown))
    write_text(options.tex, shapes.as_latex(table))


def _arguments() -> argparse.ArgumentParser:
    parser = cli.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="tidy | shape")
    common: dict[str, Any] = {"parents": [cli.parser(None)], "add_help": False}

    tidier = commands.add_parser("tidy", help="write the cells of one table number", **common)
    tidier.add_argument("--table", type=int, required=True, help="the number of the table, in every paper")
    add_argument(tidier)
    tidier.add_argument("--plan", type=cli.settings, required=True, help="the planned rows (JSON or a file)")
    tidier.add_argument("--metrics", type=Path, nargs="*", default=[], help="metrics.json files")
    tidier.add_argument("--out", type=Path, required=True, help="the tidy table (CSV)")
    tidier.set_defaults(command=tidy)

    shaper = commands.add_parser("shape", help="write one paper's table", **common)
    shaper.add_argument("--tidy", type=Path, required=True, help="a tidy table")
    shaper.add_argument("--paper", type=Path, required=True, help="the folder of its paper")
    shaper.add_argument("--table", type=int, required=True, help="the number of the table")
    shaper.add_argument("--corpus", default="", help="its name in the registry; by default, all data sets")
    for name, what in (("csv", "CSV"), ("md", "Markdown"), ("html", "HTML"), ("tex", "LaTeX")):
        shaper.add_argument(f"--{name}", type=Path, required=True, help=f"the {what} file")
    shaper.set_defaults(command=shape)
    return parser


if __name__ == "__main__":
    cli.run(main, _arguments())
