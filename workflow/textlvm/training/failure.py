"""Training failures caused by settings: an error message, and a file for the tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textlvm.runtime.errors import UserError
from textlvm.runtime.files import write_json

__all__ = ["FAILURE", "Failure", "entry", "write_failure"]

FAILURE = "failure.json"
"""The file with the reason, in the folder of the unfinished training."""


class Failure(UserError):
    """A training failed and would fail again with its current settings."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(f"{reason}: {advice}")
        self.reason, self.advice = reason, advice


def entry(run: Mapping[str, Any]) -> str:
    """The configuration key of a run, which is identified by the keys of its metrics.json.

    >>> entry({"paper": "words", "corpus": "gutenberg", "split": "unseen", "run": "tril"})
    'words.runs.unseen.tril'
    """
    return f"{run['paper']}.runs.{run.get('dataset', run['split'])}.{run['run']}"


def write_failure(folder: Path, run: Mapping[str, Any], failure: Failure) -> None:
    """Write a failure in the format of metrics.json, so that tables show it.

    `run` contains the keys that identify the run in its metrics.json and the failed settings `model` and
    `training`.
    """
    write_json(folder / FAILURE, {**run, "status": "failed", "reason": failure.reason})
