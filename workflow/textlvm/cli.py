"""What every entry point shares: a log, one-sentence errors, JSON settings on the command line."""

import argparse
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textlvm.errors import UserError

__all__ = ["parser", "run", "settings"]

EXIT_USER_ERROR = 2


def parser(description: str | None) -> argparse.ArgumentParser:
    """An argument parser that shows the module's docstring as it is and takes `--log FILE`."""
    result = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    result.add_argument("--log", type=Path, help="also write the log to this file")
    return result


def settings(text: str) -> dict[str, Any]:
    """Parse a settings argument: JSON text, or the path of a JSON file.

    Raises `argparse.ArgumentTypeError` with one sentence when it is neither.
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
    """Parse the command line, set up logging, call `main`, and turn a `UserError` into one sentence.

    The log goes to the terminal and to `--log`; a traceback goes to the log file alone when the
    error is the user's to mend, and to both when it is ours.
    """
    options = arguments.parse_args()
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if options.log:
        options.log.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(options.log, mode="w", encoding="utf-8"))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", handlers=handlers)
    try:
        main(options)
    except UserError as error:
        for handler in handlers[1:]:
            handler.emit(_record(logging.ERROR, "failed", exc_info=sys.exc_info()))
        print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_USER_ERROR)
    except Exception:
        logging.exception("unexpected error")
        sys.exit(1)


def _record(level: int, message: str, exc_info: Any) -> logging.LogRecord:
    return logging.LogRecord("textlvm", level, "", 0, message, None, exc_info)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot read settings from {path}: {error.strerror}") from None
