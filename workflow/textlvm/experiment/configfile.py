"""The command-line option for configuration files."""

import argparse
from pathlib import Path

__all__ = ["CONFIG", "add_argument"]

CONFIG = Path("config.yaml")
"""The file that others are merged over."""


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--configfile`, the files merged over `CONFIG`."""
    parser.add_argument(
        "--configfile",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="merged over config.yaml, in this order",
    )
