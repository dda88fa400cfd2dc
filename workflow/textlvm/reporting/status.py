"""How far an experiment has come: every planned run and seed, while Snakemake runs or after it.

    python -m textlvm.reporting.status
    python -m textlvm.reporting.status --configfile workflow/profiles/demo/experiment.yaml --watch 5

The plan is that of config.yaml and the files laid over it, as Snakemake makes it. A seed is

    done          measured with the settings it has now; trained, if it is in no table
    running       a process holds the lock on the log of its training or evaluation. The lock of another
                  machine may not be seen: a training there also counts while its progress.json is younger
                  than three times the time between two entries
    failed        it cannot go on by itself, and the reason follows
    interrupted   its training has begun, and goes on from its checkpoint with the next call of Snakemake
    waiting       for its turn; for its evaluation, if its model is trained

Steps, loss (nats a word or sentence), time left and device are those of the training.
"""

import argparse
import math
import os
import shutil
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tabulate import tabulate

from textlvm.experiment.experiment import load_files
from textlvm.experiment.plan import Run
from textlvm.reporting.progress import Standing, State, standings
from textlvm.runtime import cli

__all__ = ["counted", "experiment", "render"]

CONFIG = Path("config.yaml")
COLUMNS = ("run", "seed", "state", "stage", "step", "loss", "left", "device")
NUMBERS = ("seed", "step", "loss", "left")
SPARED = ("device", "loss", "stage", "left", "step")
"""Columns that a narrow terminal does without, the first ones first."""
ACTIVE = (State.RUNNING, State.FAILED, State.INTERRUPTED)
"""The lines for a low terminal."""
CLEAR, HOME, REST_OF_LINE, REST = "\x1b[2J", "\x1b[H", "\x1b[K", "\x1b[J"
"""The control sequence that clears the terminal."""


def experiment(files: Sequence[Path]) -> tuple[tuple[Run, ...], Path]:
    """The planned runs of an experiment, and the folder of its results.

    `files` are its configuration files, later ones winning. Raises `UserError` for what is wrong with them.
    """
    loaded = load_files(files)
    return loaded.runs, loaded.results


def counted(seeds: Sequence[Standing]) -> str:
    """Seeds by state, e.g. `3 of 45 done, 1 running, 41 waiting`."""
    numbers = Counter(each.state for each in seeds)
    others = [f"{numbers[state]} {state}" for state in State if state is not State.DONE and numbers[state]]
    return ", ".join([f"{numbers[State.DONE]} of {len(seeds)} done", *others])


def render(seeds: Sequence[Standing], width: int | None = None, height: int | None = None) -> str:
    """The standings as text: a table in groups by paper and corpus or data set, and why seeds failed.

    It has no line longer than `width`; with more than `height` lines, what is done or waits is only counted,
    and of what is left as much is shown as there is room for.
    """
    lines = _lines(seeds, seeds, width)
    if height is not None and len(lines) > height:
        lines = _lines(seeds, [each for each in seeds if each.state in ACTIVE], width)
        if len(lines) > height:
            lines = [*lines[: max(0, height - 1)], "…"]
    return "\n".join(
        line if width is None or len(line) <= width else f"{line[: width - 1]}…" for line in lines
    )


def _lines(seeds: Sequence[Standing], shown: Sequence[Standing], width: int | None) -> list[str]:
    """The lines of all groups, with a row for each of those `shown`."""
    header, *rows = _table(shown, width) if shown else [""]
    row_of = {(each.run.path, each.seed): row for each, row in zip(shown, rows, strict=True)}
    lines = [f"{counted(seeds)} in all", f"  {header}".rstrip()]
    for group in dict.fromkeys(map(_group, seeds)):
        of_group = [each for each in seeds if _group(each) == group]
        lines.append(f"{group}: {counted(of_group)}")
        for each in of_group:
            if row := row_of.get((each.run.path, each.seed)):
                lines.append(f"  {row}".rstrip())
                why = f"{each.reason} ({each.log})" if each.reason else ""
                lines += [f"      {line}" for line in textwrap.wrap(why, max(20, (width or 110) - 6))]
    return lines


def _table(shown: Sequence[Standing], width: int | None) -> list[str]:
    """Header and rows, with as many columns as fit."""
    columns = list(COLUMNS)
    for spared in (*SPARED, ""):
        cells = [[_cell(each, column) for column in columns] for each in shown]
        align = ["right" if column in NUMBERS else "left" for column in columns]
        text: str = tabulate(cells, columns, "plain", colalign=align, disable_numparse=True)
        lines = text.splitlines()
        if width is None or max(map(len, lines)) + 2 <= width or not spared:
            break
        columns.remove(spared)
    return lines


def _cell(each: Standing, column: str) -> str:
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


def _folder(each: Standing) -> str:
    """The folder of its paper and corpus or data set."""
    return "/".join(each.run.path.split("/")[:2])


def _group(each: Standing) -> str:
    """The name of a group: the paper, and the names of data set and corpus in the configuration."""
    paper, name = _folder(each).split("/")
    return f"{paper}, {name}" + (f" ({each.run.corpus})" if each.run.corpus != name else "")


def _duration(seconds: float) -> str:
    """A time span in words.

    >>> [_duration(seconds) for seconds in (0, 59, 61, 3600, 3 * 3600 + 1, 90_000)]
    ['1 min', '1 min', '2 min', '1 h 00', '3 h 01', '25 h 00']
    """
    minutes = max(1, math.ceil(seconds / 60))
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02}"


def _draw(seeds: Sequence[Standing]) -> None:
    """Draw over what a terminal shows; write anything else out."""
    if not sys.stdout.isatty():
        print(render(seeds), flush=True)
        return
    size = shutil.get_terminal_size()
    text = render(seeds, size.columns, size.lines - 1)
    print(HOME + "".join(f"{line}{REST_OF_LINE}\n" for line in text.splitlines()) + REST, end="", flush=True)


def _show(options: argparse.Namespace) -> None:
    planned, results = experiment([CONFIG, *options.configfile])
    if options.watch is None:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        print(render(standings(planned, results), width), flush=True)
        return
    if sys.stdout.isatty():
        print(CLEAR, end="")
    while True:
        seeds = standings(planned, results)
        _draw(seeds)
        if all(each.state is State.DONE for each in seeds):
            return
        time.sleep(options.watch)


def main(options: argparse.Namespace) -> None:
    """Show how far the experiment has come, once or until all is done or Ctrl-C."""
    try:
        with suppress(KeyboardInterrupt):
            _show(options)
    except BrokenPipeError:
        # Nobody reads on, as behind `| head`; when Python ends it would try once more to write the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"must be greater than 0, not {text}")
    return seconds


def _arguments() -> argparse.ArgumentParser:
    parser = cli.parser(__doc__)
    parser.add_argument(
        "--configfile",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="merged over config.yaml, in this order",
    )
    parser.add_argument("--watch", type=_seconds, metavar="SECONDS", help="seconds between updates")
    return parser


if __name__ == "__main__":
    cli.run(main, _arguments())
