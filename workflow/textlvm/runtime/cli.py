"""Functions of all entry points: logging, one-sentence errors, JSON settings on the command line."""

import argparse
import fcntl
import json
import logging
import math
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from textlvm.runtime.errors import UserError, explain
from textlvm.runtime.paths import literal
from textlvm.runtime.processes import end_with_parent, try_lock

__all__ = [
    "Parser",
    "at_least",
    "is_running",
    "non_negative",
    "parser",
    "path",
    "positive",
    "run",
    "settings",
]

EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130
"""The exit status that shells use for Ctrl-C: 128 plus the number of the signal."""
DIGITS = 18
"""The maximum length of whole numbers on the command line."""


class Parser(argparse.ArgumentParser):
    """An argument parser that handles every `type=Path` with `path`, also in subcommands."""

    def __init__(self, *words: Any, **options: Any) -> None:
        super().__init__(*words, **options)
        self.register("type", Path, path)


def parser(description: str | None) -> Parser:
    """An argument parser that shows `description` unchanged and has the option `--log FILE`."""
    result = Parser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument("--log", type=Path, help="also write the log to this file")
    return result


def path(text: str) -> Path:
    """A path on the command line. Raises `argparse.ArgumentTypeError` if `paths.literal` rejects it."""
    try:
        return literal(text)
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def at_least(least: int) -> Callable[[str], int]:
    """The argument type of whole numbers from `least` on, which raises `argparse.ArgumentTypeError`."""

    def number(text: str) -> int:
        # Python refuses to convert thousands of digits.
        if not text.isdecimal() or len(text) > DIGITS or int(text) < least:
            shown = text[:DIGITS]
            raise argparse.ArgumentTypeError(f"expected a whole number from {least} on, not '{shown}'")
        return int(text)

    return number


def non_negative(text: str) -> float:
    """The argument type of finite numbers from 0 on, which raises `argparse.ArgumentTypeError`."""
    return _number(text, "from 0 on", lambda number: number >= 0)


def positive(text: str) -> float:
    """The argument type of finite numbers greater than 0, which raises `argparse.ArgumentTypeError`."""
    return _number(text, "greater than 0", lambda number: number > 0)


def settings(text: str) -> dict[str, Any]:
    """Parse a settings argument: JSON text, or the path of a JSON file.

    Raises `argparse.ArgumentTypeError` with one sentence if it is neither.
    """
    source = text if text.lstrip().startswith("{") else _read(text)
    try:
        value = json.loads(source)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"settings are not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("settings must be a JSON object")
    return value


def run(main: Callable[[argparse.Namespace], None], arguments: argparse.ArgumentParser) -> None:
    """Parse the command line, set up logging, call `main`, and report user errors as one sentence.

    `errors.explain` decides which errors are user errors. The log goes to the terminal and to `--log`. The
    traceback of a user error goes only to the log file, that of any other error to both. The log file is
    locked until the process ends, see `is_running`.
    """
    options = arguments.parse_args()
    # A step that is terminated still removes its temporary files. Signals that nohup ignores stay ignored.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _end)
    end_with_parent()
    # If the log cannot be written, as on a full disk, do not print a traceback for each line.
    logging.raiseExceptions = False
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    try:
        if options.log:
            options.log.parent.mkdir(parents=True, exist_ok=True)
            # "w+", because network file systems lock only readable files.
            file = logging.FileHandler(options.log, mode="w+", encoding="utf-8")
            with suppress(OSError):  # some file systems have no locks
                fcntl.flock(file.stream, fcntl.LOCK_SH)
            handlers.append(file)
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", handlers=handlers)
        main(options)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:
        sentence = explain(error)
        if sentence is None:
            logging.exception("unexpected error")
            sys.exit(1)
        for handler in handlers[1:]:
            record = logging.LogRecord("textlvm", logging.ERROR, "", 0, "failed", None, sys.exc_info())
            handler.emit(record)
        print(f"error: {sentence}", file=sys.stderr)
        sys.exit(EXIT_USER_ERROR)


def is_running(log: Path) -> bool:
    """Whether a step that writes this log is running, on a machine whose locks are visible here."""
    try:
        with log.open("r+b") as file:
            return not try_lock(file)
    except OSError:
        return False


def _number(text: str, bounds: str, contains: Callable[[float], bool]) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or not contains(number):
        raise argparse.ArgumentTypeError(f"expected a number {bounds}, not '{text[:60]}'")
    return number


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _read(file: str) -> str:
    try:
        return path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot read settings from {file}: {error.strerror}") from None
