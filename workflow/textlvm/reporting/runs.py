"""The plan of a table, and the `metrics.json` of each run and seed."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from textlvm.estimate import Estimate
from textlvm.experiment.plan import Planned, RunKey
from textlvm.experiment.serialization import from_json
from textlvm.runtime.errors import UserError, nearest, repair
from textlvm.runtime.files import read_input

__all__ = ["Result", "read_plan", "read_result", "read_results", "with_compared_readings"]


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
    """Standard deviations over repeated evaluations of one model, by metric."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The evaluation's scalar settings (number of trajectories, samples, …)."""
    dataset: str = ""
    """The paper's data set for which the corpus is used, if the paper has several."""
    further_paths: tuple[str, ...] = ()
    """The files of further seeds, if the result is a mean over seeds."""
    readings: Mapping[str, str] = field(default_factory=dict)
    """The evaluated metrics that replace printed ones, by printed metric."""

    @property
    def key(self) -> RunKey:
        """The key of the run in the plan."""
        return self.paper, self.dataset, self.corpus, self.split, self.run

    def select(self, metrics: Mapping[str, str]) -> "Result":
        """The result with the metrics of a row under the row's names; with all metrics if there are none."""
        if not metrics:
            return self
        known, repeats, readings = (
            {shown: values[name] for shown, name in metrics.items() if name in values}
            for values in (self.metrics, self.repeats, self.readings)
        )
        return replace(self, metrics=known, repeats=repeats, readings=readings)

    def with_reading(self, metric: str, reading: str) -> "Result":
        """The result with `reading` as its `metric`; without either if it has no such reading."""
        others = {name: value for name, value in self.metrics.items() if name not in (metric, reading)}
        repeats = {name: value for name, value in self.repeats.items() if name not in (metric, reading)}
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
    """Check a plan `{"planned": [{…}, …]}` (`textlvm.experiment.serialization`) and return it in order.

    Raises `UserError` for an invalid plan, a paper that is not in `papers`, and a duplicate row.
    """
    if not isinstance(plan.get("planned"), list):
        raise UserError("the plan has no list 'planned': pass the plan that Snakemake's rules write")
    planned, papers = tuple(map(from_json, plan["planned"])), tuple(papers)
    seen = set()
    for entry in planned:
        if entry.paper not in papers:
            raise UserError(f"the plan has no paper '{entry.paper}'; {nearest(entry.paper, papers)}")
        for row in entry.rows:
            key = (entry.paper, row.table, row.label, entry.corpus, entry.split, entry.dataset)
            if key in seen:
                raise UserError(
                    f"the plan lists row '{row.label}' of {entry.paper} table {row.table} on {entry.corpus} "
                    f"({entry.split}) twice; give each run a different row label"
                )
            seen.add(key)
    return planned


def read_results(paths: Iterable[str | Path], plan: Iterable[Planned]) -> dict[RunKey, list[Result]]:
    """Read the existing metrics, grouped by run and ordered by seed; missing files are skipped.

    A failed training is a result of every run that evaluates it. Raises `UserError` for a malformed file, a
    run or seed that is not in the plan, and two files for one run and seed.
    """
    plan = tuple(plan)
    seeds = {entry.key: entry.seeds for entry in plan}
    results: dict[RunKey, list[Result]] = {key: [] for key in seeds}
    for path in paths:
        if not Path(path).exists():
            logging.info("not run yet: %s", path)
            continue
        for result in _by_run(read_result(path), plan):
            name = "/".join(filter(None, result.key))
            if result.key not in seeds:
                valid = ("/".join(filter(None, key)) for key in seeds)
                raise UserError(f"{path}: the plan lists no run '{name}'; {nearest(name, valid)}")
            if result.seed not in seeds[result.key]:
                planned = ", ".join(map(str, seeds[result.key]))
                raise UserError(
                    f"{path}: seed {result.seed} of '{name}' is not in the plan, which lists {planned}"
                )
            for other in results[result.key]:
                if other.seed == result.seed:
                    raise UserError(
                        f"{path}: seed {result.seed} of '{name}' was already read from {other.path}"
                    )
            results[result.key].append(result)
    return {key: sorted(group, key=lambda result: result.seed) for key, group in results.items()}


def with_compared_readings(group: Sequence[Result], compared: Mapping[str, str]) -> list[Result]:
    """The seeds of a run with the compared reading of each printed metric.

    `compared` has these readings by metric (`textlvm.experiment.paper.Paper.compared`).

    All seeds have the same reading, so that their mean is that of one reading. If no seed has the compared
    reading, as in records that are older than it, the metric with the printed name is kept.
    """
    for metric, reading in compared.items():
        if any(reading in result.metrics for result in group):
            group = [result.with_reading(metric, reading) for result in group]
    return list(group)


def read_result(path: str | Path) -> Result:
    """Read one `metrics.json`. Raises `UserError` with the file and the invalid key."""
    data = read_input(path)
    try:
        return _result(data, path)
    except UserError as error:
        raise UserError(f"{error}; {repair(path)}") from None


def _result(data: Mapping[str, Any], path: str | Path) -> Result:
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
    repeats = {
        k: v["repeat_sd"] for k, v in data["metrics"].items() if _is_instance(v.get("repeat_sd"), int | float)
    }
    settings = {k: v for k, v in data.get("settings", {}).items() if isinstance(v, bool | int | float | str)}
    return Result(**text, seed=seed, path=str(path), metrics=metrics, repeats=repeats, settings=settings)


def _by_run(result: Result, plan: Iterable[Planned]) -> list[Result]:
    """The result for each of its runs: a failed training is also a result of the runs that evaluate it."""
    training = (result.paper, result.dataset, result.run)
    keys = {
        entry.key: replace(result, dataset=entry.dataset, corpus=entry.corpus, split=entry.split)
        for entry in plan
        if result.failed and entry.trained_on and (entry.paper, entry.trained_on, entry.name) == training
    }
    if not keys or any(entry.key == result.key for entry in plan):
        keys[result.key] = result
    return list(keys.values())


def _estimate(entry: Any, place: str) -> Estimate:
    if not isinstance(entry, dict) or not isinstance(entry.get("unit"), str):
        raise UserError(f"{place} must be an object with 'value' and 'unit'")
    numbers: dict[str, Any] = {key: entry.get(key) for key in ("value", "low", "high")}
    for key, number in numbers.items():
        optional = key != "value" and number is None
        if not optional and (not _is_instance(number, int | float) or not math.isfinite(number)):
            raise UserError(f"{place}: '{key}' must be a finite number, not {number!r}")
    return Estimate(**numbers, unit=entry["unit"])


def _typed(data: Mapping[str, Any], key: str, kind: Any, place: str | Path) -> Any:
    if key not in data:
        raise UserError(f"{place}: key '{key}' is missing")
    if not _is_instance(data[key], kind):
        raise UserError(f"{place}: '{key}' must be of type {kind.__name__}, not {data[key]!r}")
    return data[key]


def _is_instance(value: Any, kind: Any) -> bool:
    """`isinstance`, except that a boolean is not a number."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
