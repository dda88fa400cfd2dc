"""Figures 3 to 8 of the sentences paper, as PNG (200 dpi) and SVG.

    python -m textlvm.sentences.figures pairs --histograms smim/histograms.json svae/histograms.json \\
        --labels "sMIM (512)" "sVAE (16)" --title "Penn Treebank" --png figure3.png --svg figure3.svg
    python -m textlvm.sentences.figures lengths --data ptb/data yahoo/data --labels PTB Yahoo …
    python -m textlvm.sentences.figures samples --histograms smim/histograms.json --labels PTB \\
        --references 81.2 --reference-labels GPT-2 …          (or the other run's metrics.json, or none)
    python -m textlvm.sentences.figures bounds --histograms A B C … --labels "sMIM (16)" "sVAE (16)" … …

`pairs` (Figure 3) draws log p(x_i|z_j) and log q(z_i|x_j) for i = j and i ≠ j. `lengths` (Figure 4) draws
sentence lengths. `samples` (Figure 5) draws the NLL by MELBO as a function of the number of test sentences,
extrapolated to the NLL of another model. `bounds` (Figures 6-8) draws histograms of the sentences' MELBO for
sMIM and ELBO for sVAE. Files with the same label are seeds of one run and are shown together. The same input
gives the same bytes.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from textlvm.reporting.figures import STYLE, labelled, panels, save
from textlvm.reporting.markup import matplotlib
from textlvm.reporting.runs import read_result
from textlvm.runtime import cli
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import read_input
from textlvm.sentences.data import prepared as data
from textlvm.sentences.evaluation.likelihood import matching_samples, melbo_of_subsets

__all__ = ["main", "plot_bounds", "plot_lengths", "plot_pairs", "plot_samples", "read_bounds", "read_pairs"]

PAIRS = {"log_p": "log p(x$_i$|z$_j$)", "log_q": "log q(z$_i$|x$_j$)"}
BOUNDS = {"smim": "MELBO", "svae": "ELBO"}
"""The bound that Figures 6-8 show, by objective."""


def main(options: argparse.Namespace) -> None:
    """Draw the requested figure."""
    save(options.draw(options), options.png, options.svg)


def read_pairs(paths: Sequence[Path], labels: Sequence[str]) -> pd.DataFrame:
    """The values of Figure 3: columns label, quantity (log_p, log_q), same (whether i = j) and nats.

    Raises `UserError` for a run without pairs.
    """
    frames = []
    for path, label in labelled(paths, labels):
        pairs = _read(path, "pairs")
        frames += [
            pd.DataFrame({"label": label, "quantity": name, "same": same, "nats": pairs[f"{name}_{which}"]})
            for name in PAIRS
            for same, which in ((True, "same"), (False, "other"))
        ]
    return pd.concat(frames, ignore_index=True)


def read_bounds(paths: Sequence[Path], labels: Sequence[str]) -> pd.DataFrame:
    """The values of Figures 6-8: columns label, objective, latent (dimensions) and nats (a sentence's bound).

    Raises `UserError` for a run that is neither sMIM nor sVAE.
    """
    frames = []
    for path, label in labelled(paths, labels):
        objective, latent = _read(path, "objective"), _read(path, "latent")
        if objective not in BOUNDS:
            raise UserError(f"{path}: Figures 6-8 show only sMIM and sVAE; omit this '{objective}' run")
        nats = _read(path, BOUNDS[objective].lower())
        frames.append(pd.DataFrame({"label": label, "objective": objective, "latent": latent, "nats": nats}))
    return pd.concat(frames, ignore_index=True)


@mpl.rc_context(STYLE)
def plot_pairs(pairs: pd.DataFrame, title: str) -> Figure:
    """Figure 3: histograms, filled for i = j and outlined for i ≠ j.

    If the two histograms of a model overlap, codes do not distinguish sentences. The axis of log q is
    symmetric logarithmic, because the density under another sentence's posterior has no lower bound.
    """
    figure, subplots = _subplots(len(PAIRS), title)
    labels = list(dict.fromkeys(pairs["label"]))
    palette = dict(zip(labels, sns.color_palette("colorblind", len(labels)), strict=True))
    for axes, (name, text) in zip(subplots, PAIRS.items(), strict=True):
        of_quantity = pairs[pairs["quantity"] == name]
        x = of_quantity["nats"]
        if name == "log_q":
            axes.set_xscale("symlog", linthresh=100)
            transform = axes.xaxis.get_transform()
            edges = transform.inverted().transform(np.linspace(*transform.transform([x.min(), x.max()]), 50))
        else:
            edges = np.linspace(x.min(), x.max(), 50)
            axes.xaxis.set_major_locator(MaxNLocator(5))
        for (label, same), group in of_quantity.groupby(["label", "same"], sort=False):
            # Shares, not densities, because the bins of a logarithmic axis have different widths.
            axes.hist(
                group["nats"],
                bins=edges,
                weights=np.full(len(group), 1 / len(group)),
                histtype="stepfilled" if same else "step",
                alpha=0.45 if same else 1,
                linewidth=1.4,
                color=palette[label],
                label=f"{matplotlib(label)}, i {'=' if same else '≠'} j",
            )
        axes.set_title(text)
        axes.set_xlabel("nats")
        axes.set_ylabel("share of sentences")
    # Explicit handles, because Matplotlib otherwise skips labels that begin with an underscore.
    subplots[0].legend(handles=subplots[0].patches, fontsize="small")
    return figure


@mpl.rc_context(STYLE)
def plot_lengths(lengths: dict[str, np.ndarray], title: str) -> Figure:
    """Figure 4: words per sentence in each data set; the dashed line is the mean."""
    figure, subplots = _subplots(len(lengths), title)
    longest = max(float(np.quantile(values, 0.995)) for values in lengths.values())
    # Lengths are integers: with a fractional width, bins would cover different numbers of lengths.
    width = math.ceil(longest / 60)
    for axes, (label, values) in zip(subplots, lengths.items(), strict=True):
        edges = np.arange(0, values.max() + width + 1, width) - 0.5
        sns.histplot(x=values, bins=edges, stat="density", element="step", ax=axes)
        _mean_line(axes, float(values.mean()))
        axes.set_title(matplotlib(label))
        axes.set_xlabel("words per sentence")
        axes.set_ylabel("density")
        axes.set_xlim(0, longest)
    return figure


@mpl.rc_context(STYLE)
def plot_samples(
    bounds: dict[str, np.ndarray], references: dict[str, tuple[str, float]], title: str
) -> Figure:
    """Figure 5: NLL by MELBO of K test sentences, mean and one standard deviation over draws of K sentences.

    `bounds` has the MELBO of each sentence by panel; `references` has the name and NLL (nats per sentence) of
    another model for some panels. The dashed line extrapolates with a constant mean reconstruction, up to the
    number of sentences at which the two NLLs are equal.
    """
    figure, subplots = _subplots(len(bounds), title)
    for axes, (label, melbo) in zip(subplots, bounds.items(), strict=True):
        n = len(melbo)
        crosses = [(n, -melbo.mean())]
        if label in references:
            name, nll = references[label]
            axes.axhline(nll, color="0.5", linewidth=0.8, linestyle=":")
            across = axes.get_yaxis_transform()
            axes.text(0.02, nll, matplotlib(name), transform=across, va="bottom", fontsize="small")
            if math.isfinite(matching := matching_samples(-melbo.mean(), n, nll)):
                crosses.append((matching, nll))
        sizes = np.unique(np.geomspace(1, n, 60).round())
        mean, deviation = melbo_of_subsets(melbo, sizes)
        blue = sns.color_palette("colorblind")[0]
        axes.plot(sizes, mean, color=blue)
        axes.fill_between(sizes, mean - deviation, mean + deviation, color=blue, alpha=0.2, linewidth=0)
        beyond = np.geomspace(n, max(x for x, _ in crosses) * 10, 100)
        axes.plot(beyond, melbo_of_subsets(melbo, beyond)[0], color=blue, linestyle="--")
        axes.plot(*zip(*crosses, strict=True), "x", color="red", markersize=8, markeredgewidth=2)
        axes.set_xscale("log")
        axes.set_title(matplotlib(label))
        axes.set_xlabel("number of test sentences K")
    subplots[0].set_ylabel("NLL by MELBO (nats per sentence)")
    return figure


@mpl.rc_context(STYLE)
def plot_bounds(bounds: pd.DataFrame, title: str) -> Figure:
    """Figures 6-8: one row per objective, one column per latent size, shared axes; dashed lines are means."""
    objectives = list(dict.fromkeys(bounds["objective"]))
    latents = sorted(bounds["latent"].unique())
    figure = Figure(figsize=(3.6 * len(latents) + 0.6, 2.7 * len(objectives) + 0.4), layout="constrained")
    figure.suptitle(matplotlib(title), x=0.01, ha="left", fontsize="large", fontweight="bold")
    grid = figure.subplots(len(objectives), len(latents), sharex=True, sharey=True, squeeze=False)
    low = bounds["nats"].quantile(0.002)
    for row, objective in zip(grid, objectives, strict=True):
        for axes, latent in zip(row, latents, strict=True):
            chosen = bounds[(bounds["objective"] == objective) & (bounds["latent"] == latent)]
            if chosen.empty:
                axes.set_axis_off()
                continue
            colour = sns.color_palette("colorblind")[list(BOUNDS).index(objective)]
            sns.histplot(
                x=chosen["nats"],
                binrange=(low, bounds["nats"].max()),
                bins=50,
                stat="density",
                element="step",
                color=colour,
                ax=axes,
            )
            _mean_line(axes, chosen["nats"].mean())
            axes.set_title(matplotlib(", ".join(chosen["label"].unique())))
            axes.set_xlabel(f"{BOUNDS[objective]} (nats per sentence)", visible=True)
            axes.set_ylabel("density" if axes is row[0] else "")
            axes.tick_params(labelbottom=True)
    return figure


def _pairs(options: argparse.Namespace) -> Figure:
    return plot_pairs(read_pairs(options.histograms, options.labels), options.title)


def _lengths(options: argparse.Namespace) -> Figure:
    folders = labelled(options.data, options.labels)
    lengths = {label: data.load(folder, options.split).lengths for folder, label in folders}
    return plot_lengths(lengths, options.title)


def _samples(options: argparse.Namespace) -> Figure:
    bounds = {
        label: np.array(_read(path, "melbo")) for path, label in labelled(options.histograms, options.labels)
    }
    if not len(options.references) == len(options.reference_labels) in (0, len(bounds)):
        raise UserError("pass --references and --reference-labels once per entry of --labels, or neither")
    named = zip(bounds, options.reference_labels, options.references, strict=False)
    references = {label: (name, nll) for label, name, nll in named if nll is not None}
    return plot_samples(bounds, references, options.title)


def _bounds(options: argparse.Namespace) -> Figure:
    return plot_bounds(read_bounds(options.histograms, options.labels), options.title)


def _subplots(count: int, title: str) -> tuple[Figure, list[Axes]]:
    """A figure with a title and this number of panels."""
    figure, grid = panels(count, title)
    return figure, [figure.add_subplot(grid[i]) for i in range(count)]


def _mean_line(axes: Axes, mean: float) -> None:
    axes.axvline(mean, color="black", linestyle="--", linewidth=1.3)
    text = f"{mean:.1f}".replace("-", "−")
    behind = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.7}
    place = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    axes.annotate(text, (mean, 1), (4, -10), bbox=behind, **place)


def _reference(text: str) -> float | None:
    """Nats per sentence: a number, or the path of another run's metrics.json; `none` for no reference."""
    if text == "none":
        return None
    try:
        return float(text)
    except ValueError:
        metrics = read_result(cli.path(text)).metrics
    for name in ("nll_without_eos", "nll_elbo"):
        if name in metrics:
            return metrics[name].value
    raise UserError(f"{text} has neither 'nll_without_eos' nor 'nll_elbo'; choose a run with a likelihood")


def _read(path: Path, key: str) -> Any:
    value = read_input(path).get(key)
    if value is None:
        raise UserError(
            f"{path} has no '{key}': a run without a distribution over codes has none; omit this run"
        )
    return value


def _arguments() -> argparse.ArgumentParser:
    parser = cli.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="pairs | lengths | samples | bounds")
    drawn = {"pairs": _pairs, "lengths": _lengths, "samples": _samples, "bounds": _bounds}
    for name, draw in drawn.items():
        command = commands.add_parser(name, parents=[cli.parser(None)], add_help=False)
        command.set_defaults(draw=draw)
        if name == "lengths":
            command.add_argument("--data", type=Path, nargs="+", required=True, help="prepared data sets")
            command.add_argument("--split", default="train")
        else:
            command.add_argument("--histograms", type=Path, nargs="+", required=True)
        if name == "samples":
            command.add_argument("--references", type=_reference, nargs="*", default=[])
            command.add_argument("--reference-labels", nargs="*", default=[])
        command.add_argument("--labels", nargs="+", required=True, help="one for each file")
        command.add_argument("--title", required=True)
        command.add_argument("--png", type=Path, required=True)
        command.add_argument("--svg", type=Path, required=True)
    return parser


if __name__ == "__main__":
    cli.run(main, _arguments())
