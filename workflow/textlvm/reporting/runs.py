"""What was planned and what came out: the plan of a table, and the `metrics.json` of each run and seed."""

import json
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from textlvm.estimate import Estimate
from textlvm.runtime.errors import UserError, nearest, repair

__all__ = ["Planned", "Result", "read_as_compared", "read_plan", "read_result", "read_results"]

RunKey = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class Planned:
    """One row of one table on one corpus, as the configuration asks for it."""

    paper: str
    table: int
    row: str
    run: str
    corpus: str
    """The corpus's name in the registry."""
    split: str
    seeds: tuple[int, ...]
    stand_in: bool
    """Whether the corpus stands in for the paper's own."""
    corpus_title: str
    dataset: str = ""
    """The paper's data set the row is compared with; may stay empty where the table leaves no choice."""
    trained_on: str = ""
    """Another data set, on which a run of the same name was trained and this one was not."""
    trained: bool = True
    """Whether another training would find something else."""
    metrics: Mapping[str, str] = field(default_factory=dict)
    """What the table calls a metric, and what the evaluation does; empty if all are shown as they are."""
    compared: Mapping[str, str] = field(default_factory=dict)
    """The metric that a printed one is compared with, where the paper's text allows several readings."""

    @property
    def run_key(self) -> RunKey:
        """Paper, data set, corpus, split and run: what all seeds of the row have in common."""
        return self.paper, self.dataset, self.corpus, self.split, self.run


@dataclass(frozen=True)
class Result:
    """The `metrics.json` of one run and seed."""

    paper: str
    corpus: str
    split: str
    run: str
    seed: int
    path: str
    failed: bool = False
    reason: str = ""
    metrics: Mapping[str, Estimate] = field(default_factory=dict)
    repeats: Mapping[str, float] = field(default_factory=dict)
    """Standard deviations over repeated evaluations of the one model, by metric."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The evaluation's settings (number of trajectories, samples, …), where they are plain values."""
    dataset: str = ""
    """The paper's data set that the corpus is used for, if it has several."""
    readings: Mapping[str, str] = field(default_factory=dict)
    """What the evaluation calls a metric that stands for a printed one of several readings."""

    @property
    def run_key(self) -> RunKey:
        """Paper, data set, corpus, split and run."""
        return self.paper, self.dataset, self.corpus, self.split, self.run

    def shown(self, metrics: Mapping[str, str]) -> "Result":
        """The result with the metrics that a row shows, called what the row calls them."""
        if not metrics:
            return self
        known, repeats, readings = (
            {name: of_own[own] for name, own in metrics.items() if own in of_own}
            for of_own in (self.metrics, self.repeats, self.readings)
        )
        return replace(self, metrics=known, repeats=repeats, readings=readings)

    def read_as(self, metric: str, reading: str) -> "Result":
        """The result with `reading` in the place of `metric`, which it lacks if it lacks the reading."""
        others = {name: own for name, own in self.metrics.items() if name not in (metric, reading)}
        repeats = {name: own for name, own in self.repeats.items() if name not in (metric, reading)}
        if reading not in self.metrics:
            return replace(self, metrics=others, repeats=repeats)
        if reading in self.repeats:
            repeats[metric] = self.repeats[reading]
        return replace(
            self,
            metrics={metric: self.metrics[reading], **others},
            repeats=repeats,
            readings={**self.readings, metric: reading},
        )


def read_plan(plan: Mapping[str, Any], papers: Iterable[str]) -> tuple[Planned, ...]:
    """Check a plan `{"rows": [{"paper": …, "table": …, …}, …]}` and return its rows in order.

    Raises `UserError` for a missing, unknown or ill-typed key, a paper that is none of `papers`, and a row
    planned twice.
    """
    if not isinstance(plan.get("rows"), list):
        raise UserError('the plan has no list \'rows\'; it must read {"rows": [{"paper": …}, …]}')
    papers = tuple(papers)
    planned = tuple(
        _planned(row, papers, f"the plan's row {i}") for i, row in enumerate(plan["rows"], start=1)
    )
    seen = set()
    for row in planned:
        key = (row.paper, row.table, row.row, row.corpus, row.split, row.dataset)
        if key in seen:
            raise UserError(
                f"the plan lists row '{row.row}' of {row.paper} table {row.table} on {row.corpus} "
                f"({row.split}) twice; give each run a row label of its own"
            )
        seen.add(key)
    return planned


def read_results(paths: Iterable[str | Path], plan: Iterable[Planned]) -> dict[RunKey, list[Result]]:
    """Read the metrics at hand, grouped by run and ordered by seed; a file not there yet is passed over.

    A failed training is a result of every run that measures it. Raises `UserError` for a malformed file, for
    a run or seed that the plan does not list, and for two files of one run and seed.
    """
    plan = tuple(plan)
    seeds = {row.run_key: row.seeds for row in plan}
    results: dict[RunKey, list[Result]] = {key: [] for key in seeds}
    for path in paths:
        if not Path(path).exists():
            logging.info("not run yet: %s", path)
            continue
        for result in _of_runs(read_result(path), plan):
            name = "/".join(filter(None, result.run_key))
            if result.run_key not in seeds:
                valid = ("/".join(filter(None, key)) for key in seeds)
                raise UserError(f"{path}: the plan lists no run '{name}'; {nearest(name, valid)}")
            if result.seed not in seeds[result.run_key]:
                planned = ", ".join(map(str, seeds[result.run_key]))
                raise UserError(
                    f"{path}: seed {result.seed} of '{name}' is not in the plan, which lists {planned}"
                )
            for other in results[result.run_key]:
                if other.seed == result.seed:
                    raise UserError(
                        f"{path}: seed {result.seed} of '{name}' was already read from {other.path}"
                    )
            results[result.run_key].append(result)
    return {key: sorted(group, key=lambda result: result.seed) for key, group in results.items()}


def read_as_compared(group: Sequence[Result], compared: Mapping[str, str]) -> list[Result]:
    """The seeds of a run with each printed metric as it is compared (`Planned.compared`).

    All seeds have one reading, so that a mean is of one. If none has the one that is compared, as in records
    that are older than it, the metric stays what they call by the printed name.
    """
    for metric, reading in compared.items():
        if any(reading in result.metrics for result in group):
            group = [result.read_as(metric, reading) for result in group]
    return list(group)


def read_result(path: str | Path) -> Result:
    """Read one `metrics.json`. Raises `UserError` naming the file and the key that is wrong."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(f"{path} is not readable as JSON ({error}); {repair(path)}") from error
    try:
        return _result(data, path)
    except UserError as error:
        raise UserError(f"{error}; {repair(path)}") from None


def _result(data: Any, path: str | Path) -> Result:
    if not isinstance(data, dict):
        raise UserError(f"{path}: must hold a JSON object")
    text = {key: _typed(data, key, str, path) for key in ("paper", "corpus", "split", "run", "status")}
    text["dataset"] = str(data.get("dataset", ""))
    seed = _typed(data, "seed", int, path)
    status = text.pop("status")
    if status not in ("done", "failed"):
        raise UserError(f"{path}: status '{status}' is neither 'done' nor 'failed'")
    if status == "failed":
        return Result(**text, seed=seed, path=str(path), failed=True, reason=str(data.get("reason", "")))
    metrics = {
        name: _estimate(entry, f"{path}: metric '{name}'")
        for name, entry in _typed(data, "metrics", dict, path).items()
    }
    repeats = {k: v["repeat_sd"] for k, v in data["metrics"].items() if _is(v.get("repeat_sd"), int | float)}
    settings = {k: v for k, v in data.get("settings", {}).items() if isinstance(v, bool | int | float | str)}
    return Result(**text, seed=seed, path=str(path), metrics=metrics, repeats=repeats, settings=settings)


def _of_runs(result: Result, plan: Iterable[Planned]) -> list[Result]:
    """A result of each run that it is of; of a failed training, that of the runs trained elsewhere by it."""
    training = (result.paper, result.dataset, result.run)
    keys = {
        row.run_key: replace(result, dataset=row.dataset, corpus=row.corpus, split=row.split)
        for row in plan
        if result.failed and row.trained_on and (row.paper, row.trained_on, row.run) == training
    }
    if not keys or any(row.run_key == result.run_key for row in plan):
        keys[result.run_key] = result
    return list(keys.values())


def _estimate(entry: Any, place: str) -> Estimate:
    if not isinstance(entry, dict) or not isinstance(entry.get("unit"), str):
        raise UserError(f"{place} must be an object with 'value' and 'unit'")
    numbers: dict[str, Any] = {key: entry.get(key) for key in ("value", "low", "high")}
    for key, number in numbers.items():
        optional = key != "value" and number is None
        if not optional and (not _is(number, int | float) or not math.isfinite(number)):
            raise UserError(f"{place}: '{key}' must be a finite number, not {number!r}")
    return Estimate(**numbers, unit=entry["unit"])


def _planned(row: Any, papers: Sequence[str], place: str) -> Planned:
    if not isinstance(row, dict):
        raise UserError(f"{place} must be an object, not {row!r}")
    names = [f.name for f in fields(Planned)]
    for key in row:
        if key not in names:
            raise UserError(f"{place}: unknown key '{key}'; {nearest(key, names)}")
    values = {}
    for f in fields(Planned):
        if f.name in row or (f.default is MISSING and f.default_factory is MISSING):
            kind = {"seeds": list, "metrics": dict, "compared": dict}.get(f.name, f.type)
            values[f.name] = _typed(row, f.name, kind, place)
    if not all(_is(seed, int) for seed in values["seeds"]):
        raise UserError(f"{place}: 'seeds' must be a list of integers, not {values['seeds']!r}")
    if values["paper"] not in papers:
        raise UserError(f"{place}: no paper '{values['paper']}'; {nearest(values['paper'], papers)}")
    return Planned(**values | {"seeds": tuple(values["seeds"])})


def _typed(data: Mapping[str, Any], key: str, kind: Any, place: str | Path) -> Any:
    if key not in data:
        raise UserError(f"{place}: key '{key}' is missing")
    if not _is(data[key], kind):
        raise UserError(f"{place}: '{key}' must be of type {kind.__name__}, not {data[key]!r}")
    return data[key]


def _is(value: Any, kind: Any) -> bool:
    """`isinstance`, but a boolean is no number."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
