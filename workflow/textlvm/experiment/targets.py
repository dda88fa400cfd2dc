"""Check the user's targets before any job starts: the names in a path must be planned."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import PurePath

from textlvm.experiment.experiment import Experiment
from textlvm.experiment.plan import Folder, Run
from textlvm.runtime.errors import UserError, nearest

__all__ = ["check_target"]

Origin = Callable[[tuple[str, ...]], str]
"""Returns the file that contains a key of the configuration."""


def check_target(target: str, experiment: Experiment) -> None:
    """Check the names in a target path.

    Paths outside the results, and paths without a run, corpus or table, are ignored.

    Raises `UserError` for a table, corpus, data set, split, run or seed that is not planned, with the nearest
    names, and for the weights of a run that was trained elsewhere.
    """
    results = str(experiment.results)
    parts = PurePath(os.path.relpath(target or ".", results)).parts
    if parts[:1] == ("partial",):
        parts = parts[1:]
    if not parts or parts[0] == "..":
        return
    *names, file = parts
    tables = experiment.tables
    if names:
        of_paper = [entry for entry in experiment.planned if entry.paper == names[0]]
        if not of_paper:
            return
        folders = [path for entry in of_paper for path in entry.folders()]
        _check_folders(target, names[1:], folders, experiment.origin)
        _check_trained(target, file, [entry for entry in of_paper if isinstance(entry, Run)], results)
        texts = {text.number for text in experiment.texts if names == [text.paper]}
        tables = sorted({*experiment.planned_tables(names[:1]), *texts})
    number = re.fullmatch(r"table(\d+)\..*", file)
    if number and int(number[1]) not in tables:
        valid = ", ".join(map(str, tables))
        raise UserError(f"{target}: there is no table {number[1]}; the valid tables are {valid}")


def _check_folders(
    target: str, names: Sequence[str], valid: Collection[tuple[Folder, ...]], origin: Origin
) -> None:
    """Check that the folders of a path are those of a run, starting with the first."""
    for depth, name in enumerate(names):
        here = {folders[depth] for folders in valid if len(folders) > depth}
        if not here:
            return
        if name not in {folder for folder, _ in here}:
            key = min(key for _, key in here)
            # Seeds are in the section of the paper or in the entry of the run.
            place = f"in {'.'.join(key)} of {origin(key)}" if key else "in the seeds of this run"
            near = nearest(name, {folder for folder, _ in here})
            raise UserError(f"{target}: there is no '{name}' {place}; {near}")
        valid = [folders for folders in valid if len(folders) > depth and folders[depth][0] == name]


def _check_trained(target: str, file: str, runs: Iterable[Run], results: str) -> None:
    """Check that the weights of a run are requested from the folder where it was trained."""
    folder = PurePath(os.path.relpath(target, results)).parent.parent
    for run in runs:
        if run.trained_on and folder == PurePath(run.path) and file in ("spec.json", "model.safetensors"):
            raise UserError(
                f"{target}: this run was trained on '{run.trained_on}'; request the file in "
                f"{results}/{run.training_path}"
            )
