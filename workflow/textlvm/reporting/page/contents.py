"""The content of an experiment's page: its plan and its files."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from textlvm.experiment.experiment import Experiment
from textlvm.experiment.plan import Planned, Product, Run
from textlvm.experiment.serialization import to_json

__all__ = ["files", "finished_plan", "is_up_to_date", "whole_plan"]

TRAINED = ("spec.json", "curve.jsonl", "cost.json")
"""The files of a training that the page shows."""


def whole_plan(experiment: Experiment, command: str, further: Iterable[str] = ()) -> dict[str, Any]:
    """The plan of the page of a finished experiment; `command` is its Snakemake command.

    `further` are the files with further numbers of runs, relative to the results.
    """
    known = {entry.path: dict.fromkeys(entry.seeds, "") for entry in experiment.in_tables}
    plan = _plan(experiment, command, known, experiment.figures, experiment.texts)
    return plan | {"partial": False, "further": list(further)}


def finished_plan(experiment: Experiment, command: str) -> dict[str, Any]:
    """The plan of the page of the existing results that have the current settings."""
    known = {entry.path: _outcomes(experiment, entry) for entry in experiment.in_tables}
    figures = [figure for figure in experiment.figures if is_up_to_date(experiment, figure, "png")]
    texts = [text for text in experiment.texts if is_up_to_date(experiment, text, "json")]
    further = [
        file
        for entry in experiment.in_tables
        for seed, failure in known[entry.path].items()
        if not failure
        for file in _further(experiment, entry, seed)
    ]
    return _plan(experiment, command, known, figures, texts) | {"partial": True, "further": further}


def files(experiment: Experiment, plan: Mapping[str, Any]) -> list[str]:
    """The files on the page of a plan, relative to the results; some are optional."""
    found: list[str] = []
    for entry in experiment.in_tables:
        for seed, failure in plan["known"][entry.path].items():
            found += [failure or entry.metrics(seed), *_of_training(entry, seed)]
            found += [f"{entry.path}/seed{seed}/provenance.json"] if isinstance(entry, Run) else []
    found += plan["further"]
    found += [f"{figure['path']}.{form}" for figure in plan["figures"] for form in ("png", "svg")]
    found += [f"{text['path']}.json" for text in plan["texts"]]
    return list(dict.fromkeys(found))


def is_up_to_date(experiment: Experiment, product: Product, form: str) -> bool:
    """Whether a figure or a table of texts exists and is up to date with its runs."""
    results = experiment.results
    path, sources = results / f"{product.path}.{form}", [results / source for source in product.sources]
    if not path.exists():
        return False
    folders = {source.parent for source in sources}
    recorded = _is_recorded(experiment, folders)
    if recorded:
        # Rows may have been added since then; the product is made from the measured ones.
        folders = {folder for folder in folders if (folder / "metrics.json").exists()}
    for entry in experiment.planned:
        for seed in entry.seeds:
            measured = (results / entry.metrics(seed)).parent
            if measured in folders and not entry.is_finished(seed, results):
                return False
    if recorded:
        return bool(folders)
    if not all(source.exists() for source in sources):
        return False
    return path.stat().st_mtime >= max((source.stat().st_mtime for source in sources), default=0)


def _is_recorded(experiment: Experiment, folders: Iterable[Path]) -> bool:
    """Whether these are folders of runs that were trained elsewhere, as in a clone of recorded results.

    Source files of figures can then be missing, and modification times are meaningless.
    """
    results = experiment.results
    measured = {
        (results / run.metrics(seed)).parent: results / run.training_path / f"seed{seed}"
        for run in experiment.runs
        for seed in run.seeds
    }
    return all(folder in measured and not (measured[folder] / "checkpoint").exists() for folder in folders)


def _outcomes(experiment: Experiment, entry: Planned) -> dict[int, str]:
    """By seed: the failure of training, or empty if evaluated; seeds without an outcome are omitted."""
    paths = {seed: entry.outcome(seed, experiment.results) for seed in entry.seeds}
    found = {seed: path.relative_to(experiment.results).as_posix() for seed, path in paths.items() if path}
    return {seed: "" if file == entry.metrics(seed) else file for seed, file in found.items()}


def _of_training(entry: Planned, seed: int) -> list[str]:
    folder = entry.training_path
    return [f"{folder}/seed{seed}/{file}" for file in TRAINED] if folder else []


def _further(experiment: Experiment, entry: Planned, seed: int) -> list[str]:
    """The files with further numbers of an evaluated seed that belong to its current training."""
    names = sorted(experiment.papers[entry.paper].further_files)
    files = [f"{entry.path}/seed{seed}/{name}" for name in names]
    results = experiment.results
    return [file for file in files if entry.is_of_current_training(results / file, seed, results)]


def _plan(
    experiment: Experiment,
    command: str,
    known: dict[str, dict[int, str]],
    figures: Iterable[Product],
    texts: Iterable[Product],
) -> dict[str, Any]:
    def listed(products: Iterable[Product]) -> list[dict[str, Any]]:
        # The page does not read the sources of products.
        return [{key: value for key, value in vars(item).items() if key != "sources"} for item in products]

    return {
        "results": str(experiment.results),
        "command": command,
        "planned": [to_json(entry) for entry in experiment.in_tables],
        "known": known,
        "figures": listed(figures),
        "texts": listed(texts),
    }
