"""Figures 1 and 2 of the words paper, as PNG (200 dpi) and SVG.

    python -m textlvm.words.figures gap --entropy seed0/entropy.csv seed1/entropy.csv \\
        --labels "TRIL, K=5" "TRIL, K=5" --title "Entropy gap, Gutenberg" --png figure1.png \\
        --svg figure1.svg --csv figure1.csv
    python -m textlvm.words.figures training --curves seed0/curve.jsonl --labels "TRIL, K=5" \\
        --baseline baseline-8d/seed0/metrics.json --png figure2.png --svg figure2.svg

`gap` (Figure 1) draws the entropy gap in free mode as box plots over trajectories at each position.
`training` (Figure 2) draws the gap and the marginal and expected symbolic entropies over training steps,
with a dashed line at the trained baseline's word entropy. Files with the same label are seeds of one
run and share a panel. `figure1.csv` has the numbers: mean and deviation of the gap in nats by row and
position, and the number of trajectories that reach it. The output is deterministic.
"""

import argparse
import json
import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from textlvm.reporting.figures import PANELS_A_ROW, STYLE, labelled, panels, save
from textlvm.reporting.markup import matplotlib
from textlvm.reporting.runs import read_result
from textlvm.runtime import cli
from textlvm.runtime.errors import UserError, repair
from textlvm.runtime.files import replacing

__all__ = ["main", "plot_gap", "plot_training", "read_curves", "read_entropy"]

QUANTITIES = {"h_marginal": "marginal entropy", "h_expected": "expected entropy", "h_gap": "entropy gap"}
COLOURS = dict(zip(QUANTITIES.values(), sns.color_palette("colorblind", 3), strict=True))


def main(options: argparse.Namespace) -> None:
    """Draw the requested figure."""
    options.command(options)


def gap(options: argparse.Namespace) -> None:
    """Draw Figure 1."""
    entropy = read_entropy(options.entropy, options.labels)
    save(plot_gap(entropy, options.title), options.png, options.svg)
    with replacing(options.csv) as path:
        gap_by_position(entropy).to_csv(path, index=False, float_format="%.4f", lineterminator="\n")


def training(options: argparse.Namespace) -> None:
    """Draw Figure 2."""
    curves = read_curves(options.curves, options.labels)
    word_entropy, title = None, options.title
    if options.baseline:
        baseline = read_result(options.baseline)
        title = title or f"Entropies over training, {baseline.corpus}"
        if baseline.failed:
            logging.warning("%s: the baseline failed, so its word entropy is not shown", options.baseline)
        elif "word_entropy" not in baseline.metrics:
            raise UserError(f"{options.baseline} has no metric 'word_entropy'; {repair(options.baseline)}")
        else:
            word_entropy = baseline.metrics["word_entropy"].value
    with mpl.rc_context(STYLE):
        save(
            plot_training(curves, word_entropy, title or "Entropies over training"), options.png, options.svg
        )


def read_entropy(paths: Sequence[Path], labels: Sequence[str]) -> pd.DataFrame:
    """Read `entropy.csv` files into columns label, position (1..T) and h_gap (nats).

    Raises `UserError` for a file without these columns or without a row.
    """
    frames = []
    for path, label in labelled(paths, labels):
        try:
            frame = pd.read_csv(path, usecols=["position", "h_gap"])
        except (OSError, ValueError) as error:
            raise UserError(f"cannot read entropy gaps from {path} ({error}); {repair(path)}") from error
        if frame.empty:
            raise UserError(f"{path} contains no sampled word; {repair(path)}")
        frames.append(frame.assign(label=label))
    return pd.concat(frames, ignore_index=True)


def gap_by_position(entropy: pd.DataFrame) -> pd.DataFrame:
    """Columns row, position, mean, sd (nats) and trajectories of what `read_entropy` returns."""
    grouped = entropy.groupby(["label", "position"], sort=False)["h_gap"]
    table = grouped.agg(mean="mean", sd="std", trajectories="count").reset_index()
    return table.rename(columns={"label": "row"})


def read_curves(paths: Sequence[Path], labels: Sequence[str]) -> pd.DataFrame:
    """Read the entropy evaluations of `curve.jsonl` files into columns label, step, quantity and nats.

    Raises `UserError` for a file that is not JSON lines, or has no entropy evaluation, such as the curve of
    a model without noise.
    """
    points = []
    for path, label in labelled(paths, labels):
        try:
            lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        except (OSError, ValueError) as error:
            raise UserError(f"cannot read the training curve {path} ({error}); {repair(path)}") from error
        evaluations = [line for line in lines if line.keys() >= {"step", *QUANTITIES}]
        if not evaluations:
            raise UserError(f"{path} has no entropy evaluation; only state space models have an entropy gap")
        points += [
            {"label": label, "step": line["step"], "quantity": name, "nats": line[key]}
            for line in evaluations
            for key, name in QUANTITIES.items()
        ]
    return pd.DataFrame(points)


@mpl.rc_context(STYLE)
def plot_gap(entropy: pd.DataFrame, title: str) -> Figure:
    """Figure 1: the entropy gap H_gap (13)-(14) at each position of the words a model generates.

    A box spans the quartiles over trajectories, whiskers 5% to 95%; the dot is the mean. The percentage
    below each position is the share of words that reach it. One panel per label, with shared axes.
    """
    labels = list(dict.fromkeys(entropy["label"]))
    figure, grid = panels(len(labels), title)
    positions = range(1, int(entropy["position"].max()) + 1)
    top = entropy.groupby(["label", "position"])["h_gap"].quantile(0.95).max()
    for index, label in enumerate(labels):
        axes = figure.add_subplot(grid[index])
        of_label = entropy[entropy["label"] == label]
        sns.boxplot(
            of_label,
            x="position",
            y="h_gap",
            native_scale=True,
            color=COLOURS["entropy gap"],
            width=0.65,
            linewidth=1,
            whis=(5, 95),
            showfliers=False,
            showmeans=True,
            meanprops={
                "marker": "o",
                "markersize": 3.5,
                "markerfacecolor": "white",
                "markeredgecolor": "0.2",
            },
            ax=axes,
        )
        reach = of_label["position"].value_counts().reindex(positions, fill_value=0)
        percent = (100 * reach / reach.max()).map(lambda share: f"{share:.0f}" if share >= 1 else "<1")
        axes.set_xticks(positions, [f"{t}\n{share}" for t, share in percent.items()])
        axes.tick_params(axis="x", labelsize="small")
        axes.set_xlim(0.4, len(positions) + 0.6)
        axes.set_ylim(0, 1.05 * top)
        axes.set_xlabel("position t, and % of words that reach it")
        axes.set_ylabel("entropy gap (nats)" if index % PANELS_A_ROW == 0 else "")
        axes.set_title(matplotlib(label))
    return figure


@mpl.rc_context(STYLE)
def plot_training(curves: pd.DataFrame, word_entropy: float | None, title: str) -> Figure:
    """Figure 2: entropy gap, marginal and expected symbolic entropy in free mode over training steps.

    Lines are means over the seeds of a label, bands span their minimum and maximum. The dashed line is the
    baseline's word entropy, an entropy of whole words. If it is much larger than the curves, it is drawn in a
    separate strip above a broken axis.
    """
    labels = list(dict.fromkeys(curves["label"]))
    figure, grid = panels(len(labels), title)
    top = 1.08 * curves["nats"].max()
    line = -math.inf if word_entropy is None else word_entropy
    broken = line > 1.5 * top
    if not broken:
        top = max(top, 1.08 * line)
    for index, label in enumerate(labels):
        if broken:
            stacked = grid[index].subgridspec(2, 1, height_ratios=[1, 7], hspace=0.08)
            axes = figure.add_subplot(stacked[1])
            upper = figure.add_subplot(stacked[0], sharex=axes)
            _break(upper, axes)
            upper.set_ylim(line - 0.5, line + 0.5)
            upper.set_yticks([line], [f"{line:.1f}"])
        else:
            axes = upper = figure.add_subplot(grid[index])
        of_label = curves[curves["label"] == label]
        _entropy_lines(axes, of_label, legend=index == 0)
        axes.set_ylim(min(0.0, curves["nats"].min()), top)
        axes.set_ylabel("entropy (nats per symbol)" if index % PANELS_A_ROW == 0 else "")
        if word_entropy is not None:
            upper.axhline(word_entropy, color="0.25", linestyle="--", linewidth=1.3)
            upper.annotate(
                "word entropy of the baseline (nats per word)",
                (0.01, word_entropy),
                xycoords=("axes fraction", "data"),
                xytext=(0, 3),
                textcoords="offset points",
                fontsize="x-small",
                color="0.25",
            )
        upper.set_title(matplotlib(label))
    return figure


def _entropy_lines(axes: Axes, curves: pd.DataFrame, legend: bool) -> None:
    sns.lineplot(
        curves,
        x="step",
        y="nats",
        hue="quantity",
        style="quantity",
        hue_order=list(COLOURS),
        style_order=list(COLOURS),
        palette=COLOURS,
        dashes=False,
        markers={"marginal entropy": "^", "expected entropy": "v", "entropy gap": "o"},
        markevery=max(1, curves["step"].nunique() // 10),
        markersize=5,
        errorbar=("pi", 100),
        legend=legend,
        ax=axes,
    )
    axes.set_xlabel("training step")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(5, steps=[1, 2, 5, 10], integer=True))
    if legend:
        axes.legend(title=None, loc="best")


def _break(upper: Axes, lower: Axes) -> None:
    """Mark the axis as broken between two stacked axes."""
    upper.spines["bottom"].set_visible(False)
    upper.tick_params(axis="x", length=0, labelbottom=False)
    slash: dict[str, Any] = {
        "marker": [(-1, -0.6), (1, 0.6)],
        "markersize": 9,
        "color": "0.2",
        "clip_on": False,
    }
    for axes, y in ((upper, 0), (lower, 1)):
        (mark,) = axes.plot([0], [y], transform=axes.transAxes, **slash)
        mark.set_in_layout(False)


def _arguments() -> argparse.ArgumentParser:
    parser = cli.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="gap | training")
    common: dict[str, Any] = {"parents": [cli.parser(None)], "add_help": False}

    one = commands.add_parser("gap", help="Figure 1: entropy gap along the word", **common)
    one.add_argument("--entropy", type=Path, nargs="+", required=True, help="entropy.csv files")
    one.add_argument("--title", required=True)
    one.add_argument("--csv", type=Path, required=True, help="the numbers of the boxes (CSV)")
    one.set_defaults(command=gap)

    two = commands.add_parser("training", help="Figure 2: entropies over training", **common)
    two.add_argument("--curves", type=Path, nargs="+", required=True, help="curve.jsonl files")
    two.add_argument("--baseline", type=Path, help="the trained baseline's metrics.json")
    two.add_argument("--title", help="without it: made from the baseline's corpus")
    two.set_defaults(command=training)

    for command in (one, two):
        command.add_argument("--labels", nargs="+", required=True, help="one for each file")
        command.add_argument("--png", type=Path, required=True)
        command.add_argument("--svg", type=Path, required=True)
    return parser


if __name__ == "__main__":
    cli.run(main, _arguments())
