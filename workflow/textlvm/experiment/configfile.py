"""The command-line options `--configfile` and `--config`."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

__all__ = ["CONFIG", "add_argument", "with_types"]

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


def with_types(value: Any) -> Any:
    """A value that Snakemake read from `--config`, with numbers, booleans and nulls instead of their text.

    Snakemake reads what is inside a list or a mapping as text.

    >>> with_types({"seeds": ["0", "1"], "title": "Emma"})
    {'seeds': [0, 1], 'title': 'Emma'}
    """
    if isinstance(value, Mapping):
        return {key: with_types(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_types(item) for item in value]
    if not isinstance(value, str):
        return value
    try:
        read = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError):  # ValueError: an invalid date
        return value
    return read if read is None or isinstance(read, bool | int | float) else value
