"""Functions for the figures of all papers: style, panels, labels and files.

Figures are written as PNG (200 dpi) and SVG. The files are deterministic.
"""

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine

from textlvm.reporting.markup import matplotlib
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import replacing

__all__ = ["PANELS_A_ROW", "STYLE", "labelled", "panels", "save"]

PANELS_A_ROW = 3
LETTERS_PER_INCH = 9
"""Characters of a title per inch; a longer title is wrapped."""
STYLE = {
    **sns.axes_style("ticks"),
    **sns.plotting_context("notebook", font_scale=0.9),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "0.92",
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "svg.hashsalt": "textlvm",
}


@mpl.rc_context(STYLE)
def save(figure: Figure, png: Path, svg: Path) -> None:
    """Write a figure as PNG and SVG without dates or versions, so that equal figures have equal files."""
    for path, metadata in ((png, {"Software": None}), (svg, {"Date": None, "Creator": None})):
        with replacing(path) as temporary:
            figure.savefig(temporary, dpi=200, metadata=metadata)


def panels(count: int, title: str) -> tuple[Figure, GridSpec]:
    """A figure with a title, and the positions of its panels."""
    columns = min(count, PANELS_A_ROW)
    lines = math.ceil(count / PANELS_A_ROW)
    width = 6.4 if columns == 1 else 4.4 * columns
    height = 4.2 if lines == 1 else 3.3 * lines
    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(h_pad=0.02, hspace=0.02))
    wrapped = matplotlib(textwrap.fill(title, int(LETTERS_PER_INCH * width)))
    figure.suptitle(wrapped, x=0.01, ha="left", fontsize="large", fontweight="bold")
    return figure, figure.add_gridspec(lines, columns)


def labelled(paths: Sequence[Path], labels: Sequence[str]) -> Sequence[tuple[Path, str]]:
    """Files with their labels; raises `UserError` unless there is one label per file."""
    if len(paths) != len(labels):
        raise UserError(f"{len(paths)} files but {len(labels)} labels; pass one --labels entry per file")
    return list(zip(paths, labels, strict=True))
