"""Training failures caused by settings: an error message, and a record for the tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textlvm.runtime.errors import UserError
from textlvm.runtime.files import write_json

__all__ = ["FAILURE", "Failure", "entry", "write_failure"]

FAILURE = "failure.json"
"""The file, in the folder of the unfinished training, that says why it failed."""


class Failure(UserError):
    """A training cannot continue, and never will with its current settings."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(f"{reason}: {advice}")
        self.reason, self.advice = reason, advice


def entry(run: Mapping[str, Any]) -> str:
    """Return the configuration key of a run that is identified as in its metrics.json.

    >>> entry({"paper": "words", "corpus": "gutenberg", "split": "unseen", "run": "tril"})
    'words.runs.unseen.tril'
    """
    return f"{run['paper']}.runs.{run.get('dataset', run['split'])}.{run['run']}"


def write_failure(folder: Path, run: Mapping[str, Any], failure: Failure) -> None:
    """Record a failure as a metrics.json would, so that tables show it.

    `run` identifies the run as in its metrics.json and has the settings `model` and `training` that failed.
    """
    write_json(folder / FAILURE, {**run, "status": "failed", "reason": failure.reason})
