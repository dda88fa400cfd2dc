"""Show the progress of an experiment, while Snakemake runs or afterwards.

    python -m textlvm.reporting.status
    python -m textlvm.reporting.status --all
    python -m textlvm.reporting.status --configfile workflow/profiles/demo/experiment.yaml --watch 5

Counts the planned seeds of each paper and corpus or data set by state, and lists those that are running,
failed or interrupted; with --all, every seed. The plan is that of config.yaml merged with the files of
--configfile, as in Snakemake. A seed is

    done          evaluated with the current settings; trained, if it is in no table
    running       a process holds the lock on the log of its training or evaluation. Locks of another
                  machine may not be visible: a training there also counts while its progress.json is younger
                  than three times the time between two entries
    failed        it cannot continue without a change; the reason is shown
    interrupted   its training has begun, and resumes from its checkpoint with the next call of Snakemake
    waiting       not begun; waiting for its evaluation, if its model is trained

Steps, loss (nats per word or sentence), time left and device are those of the training.
"""

import argparse
import math
import shlex
import shutil
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from tabulate import tabulate

from textlvm.experiment import configfile
from textlvm.experiment.experiment import load_files
from textlvm.reporting.progress import SeedStatus, State, seed_statuses
from textlvm.runtime import cli
from textlvm.runtime.output import printing

__all__ = ["render", "totals"]

COLUMNS = ("run", "seed", "state", "stage", "step", "loss", "left", "device")
NUMBERS = ("seed", "step", "loss", "left")
DROPPED = ("device", "loss", "stage", "left", "step")
"""Columns that are dropped in this order if the terminal is too narrow."""
UNLISTED = (State.DONE, State.WAITING)
"""States of seeds that are listed only with `--all`."""
CLEAR, HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[2J", "\x1b[H", "\x1b[K", "\x1b[J"
"""Control sequences of a terminal; the last two clear from the cursor on."""


def totals(seeds: Sequence[SeedStatus]) -> str:
    """The number of seeds by state, e.g. `3 of 45 done, 1 running, 41 waiting`."""
    numbers = Counter(each.state for each in seeds)
    others = [f"{numbers[state]} {state}" for state in State if state is not State.DONE and numbers[state]]
    return ", ".join([f"{numbers[State.DONE]} of {len(seeds)} done", *others])


def render(
    seeds: Sequence[SeedStatus],
    width: int | None = None,
    height: int | None = None,
    list_all: bool = False,
    start: str = "snakemake --cores 8",
) -> str:
    """The status as text: totals of each paper and corpus or data set, and a row for each listed seed.

    The reason follows the row of a failed seed. Seeds that are done or waiting are listed only with
    `list_all`. No line is longer than `width`, and there are at most `height` lines. `start` is the command
    that runs the experiment.
    """
    shown = [each for each in seeds if list_all or each.state not in UNLISTED]
    header, *rows = _table(shown, width) if shown else [""]
    row_of = {(each.run.path, each.seed): row for each, row in zip(shown, rows, strict=True)}
    lines = [f"{totals(seeds)} in all", *([f"  {header}".rstrip()] if shown else [])]
    for group in dict.fromkeys(map(_group, seeds)):
        of_group = [each for each in seeds if _group(each) == group]
        lines.append(f"{group}: {totals(of_group)}")
        for each in of_group:
            if row := row_of.get((each.run.path, each.seed)):
                lines.append(f"  {row}".rstrip())
                reason = f"{each.reason} ({each.log})" if each.reason else ""
                lines += [f"      {line}" for line in textwrap.wrap(reason, max(20, (width or 110) - 6))]
    states = {each.state for each in seeds}
    if State.RUNNING not in states and states != {State.DONE}:
        lines.append(f"Nothing is running. To start: {start}")
    if height is not None and len(lines) > height:
        lines = [*lines[: max(0, height - 1)], "…"]
    return "\n".join(
        line if width is None or len(line) <= width else f"{line[: width - 1]}…" for line in lines
    )


def _table(shown: Sequence[SeedStatus], width: int | None) -> list[str]:
    """The header and the rows, with as many columns as fit."""
    columns = list(COLUMNS)
    for dropped in (*DROPPED, ""):
        cells = [[_cell(each, column) for column in columns] for each in shown]
        align = ["right" if column in NUMBERS else "left" for column in columns]
        text: str = tabulate(cells, columns, "plain", colalign=align, disable_numparse=True)
        lines = text.splitlines()
        if width is None or max(map(len, lines)) + 2 <= width or not dropped:
            break
        columns.remove(dropped)
    return lines


def _cell(each: SeedStatus, column: str) -> str:
    match column:
        case "run":
            return each.run.path.removeprefix(f"{_folder(each)}/")
        case "step" if each.steps is not None:
            return f"{each.step}/{each.steps}"
        case "loss" if each.loss is not None:
            return f"{each.loss:.4g}"
        case "left" if each.seconds_left is not None:
            return _duration(each.seconds_left)
        case "step" | "loss" | "left":
            return ""
    return str(getattr(each, column))


def _folder(each: SeedStatus) -> str:
    """The folder of the paper and the corpus or data set."""
    return "/".join(each.run.path.split("/")[:2])


def _group(each: SeedStatus) -> str:
    """The name of the group: the paper, and the data set or corpus as named in the configuration."""
    paper, name = _folder(each).split("/")
    return f"{paper}, {name}" + (f" ({each.run.corpus})" if each.run.corpus != name else "")


def _duration(seconds: float) -> str:
    """A duration in minutes, or in hours and minutes, rounded up.

    >>> [_duration(seconds) for seconds in (0, 59, 61, 3600, 3 * 3600 + 1, 90_000)]
    ['1 min', '1 min', '2 min', '1 h 00', '3 h 01', '25 h 00']
    """
    minutes = max(1, math.ceil(seconds / 60))
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02}"


def _show(options: argparse.Namespace) -> None:
    experiment = load_files([configfile.CONFIG, *options.configfile])
    files = shlex.join(["--configfile", *map(str, options.configfile)]) if options.configfile else ""
    start = f"snakemake --cores 8 {files}".rstrip()
    terminal = sys.stdout.isatty()
    is_redrawn = terminal and options.watch is not None
    if is_redrawn:
        print(CLEAR, end="")
    while True:
        seeds = seed_statuses(experiment.runs, experiment.results)
        size = shutil.get_terminal_size()
        width, height = size.columns if terminal else None, size.lines - 1 if is_redrawn else None
        text = render(seeds, width, height, options.all, start)
        if is_redrawn:
            drawn = "".join(f"{line}{CLEAR_LINE}\n" for line in text.splitlines())
            text = f"{HOME}{drawn}{CLEAR_BELOW}"
        print(text, end="" if is_redrawn else "\n", flush=True)
        if options.watch is None or all(each.state is State.DONE for each in seeds):
            return
        time.sleep(options.watch)


def main(options: argparse.Namespace) -> None:
    """Show the progress once, or with `--watch` until all seeds are done or Ctrl-C is pressed."""
    with suppress(KeyboardInterrupt), printing():
        _show(options)


def _arguments() -> argparse.ArgumentParser:
    parser = cli.parser(__doc__)
    configfile.add_argument(parser)
    parser.add_argument("--all", action="store_true", help="list every seed, also those done or waiting")
    parser.add_argument("--watch", type=cli.positive, metavar="SECONDS", help="seconds between updates")
    return parser


if __name__ == "__main__":
    cli.run(main, _arguments())
