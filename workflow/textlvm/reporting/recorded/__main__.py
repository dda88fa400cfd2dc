"""All recorded experiments on one page: a single HTML file that needs no network.

    python -m textlvm.reporting.recorded --recorded results/recorded --out docs/index.html

Tables and claims are computed from the recorded metrics; figures and readings are read from the records.
Nothing is trained, and no other file is written. Run it in the project's folder. The page depends only on the
records.
"""

import argparse
import logging
from pathlib import Path

from textlvm.reporting.recorded.document import render
from textlvm.reporting.recorded.records import read_records
from textlvm.runtime import cli
from textlvm.runtime.files import write_text


def main(options: argparse.Namespace) -> None:
    """Write the page."""
    page = render(read_records(options.recorded, options.config))
    write_text(options.out, page)
    logging.info("%s: %.1f MB", options.out, len(page.encode()) / 1e6)


if __name__ == "__main__":
    arguments = cli.parser(__doc__)
    arguments.add_argument(
        "--config", type=Path, default=Path("config.yaml"), help="the configuration that experiments extend"
    )
    arguments.add_argument("--recorded", type=Path, required=True, help="folder of the recorded experiments")
    arguments.add_argument("--out", type=Path, required=True, help="the page (HTML)")
    cli.run(main, arguments)
