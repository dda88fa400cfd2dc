"""A run's section: its numbers by seed, curves, settings, cost, logs, and the command that reruns it."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from textlvm.experiment.paper import Paper
from textlvm.experiment.plan import Planned
from textlvm.reporting.claims.figure_metrics import measure
from textlvm.reporting.page.formats import short
from textlvm.reporting.page.plan import Plan, title
from textlvm.reporting.runs import Result, read_result
from textlvm.runtime.errors import UserError, repair
from textlvm.runtime.files import read_input

__all__ = ["POINTS", "Chart", "RunSection", "Series", "read_curve", "read_runs", "thinned"]

POINTS = 300
"""The maximum number of points of a curve; in longer curves, neighbouring points are averaged."""

Series = tuple[list[float], list[float]]
"""Steps and values."""
SeedCurves = Mapping[int, Mapping[str, Series]]
"""By seed and quantity."""
Settings = tuple[tuple[str, str], str]
"""A step with the file of its settings, and the settings as YAML."""


@dataclass(frozen=True)
class Chart:
    """The content of one chart in a run's section."""

    title: str
    quantities: tuple[str, ...]
    unit: str
    summary: str
    """Its description for screen readers."""


@dataclass(frozen=True)
class RunSection:
    """The content of a run's section."""

    entry: Planned
    anchor: str
    title: str
    state: str
    """done | 2 of 3 seeds | failed | not run."""
    reasons: tuple[str, ...]
    """The reasons of failures."""
    seeds: tuple[int, ...]
    """The seeds with numbers."""
    metrics: tuple[tuple[str, str, tuple[str, ...]], ...]
    """Name, unit and the values of these seeds."""
    costs: Mapping[int, Mapping[str, Any]]
    """The content of cost.json, by seed."""
    origins: Mapping[str, str]
    """The code version and the machine of each step, from the first seed's provenance.json."""
    record: str
    """The path of that file, which also has versions and hashes; empty if there is none."""
    settings: tuple[Settings, ...]
    curves: SeedCurves
    charts: tuple[Chart, ...]
    logs: tuple[str, ...]
    command: str


def read_runs(plan: Plan, papers: Mapping[str, Paper]) -> list[RunSection]:
    """The sections of all runs and data sets, in the plan's order. Raises `UserError` for a damaged file."""
    return [_read(entry, plan, papers[entry.paper]) for entry in plan.planned]


def read_curve(path: Path, quantities: Iterable[str]) -> dict[str, Series]:
    """Read a curve.jsonl: the steps and finite values of each of these quantities, thinned.

    Raises `UserError` unless the file consists of JSON lines with a step each.
    """
    found: dict[str, Series] = {}
    quantities = tuple(quantities)
    try:
        for line in filter(None, path.read_text(encoding="utf-8").splitlines()):
            entry = json.loads(line)
            step = entry["step"]
            for name in (name for name in quantities if name in entry):
                if math.isfinite(value := float(entry[name])):
                    steps, values = found.setdefault(name, ([], []))
                    steps.append(step)
                    values.append(value)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not a training curve ({error!r}); {repair(path)}") from error
    return {name: thinned(*series) for name, series in found.items()}


def thinned(steps: Sequence[float], values: Sequence[float], points: int = POINTS) -> Series:
    """Reduce a curve to at most `points` points: means of neighbouring values, at their last step."""
    size = math.ceil(len(steps) / points) or 1
    groups = [values[i : i + size] for i in range(0, len(values), size)]
    last = [steps[min(i + size, len(steps)) - 1] for i in range(0, len(steps), size)]
    return last, [float(f"{math.fsum(group) / len(group):.5g}") for group in groups]


def _read(entry: Planned, plan: Plan, paper: Paper) -> RunSection:
    results = {seed: read_result(plan.file(path)) for seed, path in plan.outcomes(entry).items()}
    done = {seed: result for seed, result in results.items() if not result.failed}
    folders = {seed: plan.file(f"{entry.training_path}/seed{seed}") for seed in done if entry.training_path}
    quantities = [name for chart in paper.curves.values() for name in chart.quantities]
    curves = {seed: read_curve(path, quantities) for seed, path in _existing(folders, "curve.jsonl")}
    record = _record(entry, plan, done)
    return RunSection(
        entry=entry,
        anchor=plan.anchor(entry),
        title=title(entry),
        state=_state(entry, len(done), len(results)),
        reasons=tuple(dict.fromkeys(result.reason for result in results.values() if result.failed)),
        seeds=tuple(done),
        metrics=(*_metrics(list(done.values())), *_further(entry, plan, paper, done)),
        costs={seed: read_input(path) for seed, path in _existing(folders, "cost.json")},
        origins={} if record is None else dict(_origins(min(done), record)),
        record=str(record or ""),
        settings=tuple(_settings(entry, plan, done)),
        curves=curves,
        charts=tuple(_charts(paper, curves)),
        logs=tuple(str(plan.file(log)) for log in entry.logs()),
        command=plan.rerun(entry),
    )


def _existing(folders: Mapping[int, Path], name: str) -> Iterable[tuple[int, Path]]:
    """The existing files with this name, by seed."""
    paths = ((seed, folder / name) for seed, folder in folders.items())
    return ((seed, path) for seed, path in paths if path.exists())


def _state(entry: Planned, done: int, known: int) -> str:
    if not done:
        return "failed" if known else "not run"
    return "done" if done == len(entry.seeds) else f"{done} of {len(entry.seeds)} seeds"


def _metrics(done: Sequence[Result]) -> Iterable[tuple[str, str, tuple[str, ...]]]:
    for name in dict.fromkeys(name for result in done for name in result.metrics):
        estimates = [result.metrics.get(name) for result in done]
        unit = next(estimate.unit for estimate in estimates if estimate)
        yield name, unit, tuple(short(estimate.value) if estimate else "–" for estimate in estimates)


def _further(
    entry: Planned, plan: Plan, paper: Paper, done: Iterable[int]
) -> Iterable[tuple[str, str, tuple[str, ...]]]:
    """Numbers from other files of the run: those that have a heading for pages."""
    for metric in paper.figure_metrics.values():
        paths = [str(PurePosixPath(entry.metrics(seed)).with_name(metric.file)) for seed in done]
        if metric.heading and any(path in plan.further for path in paths):
            found = [measure(metric, plan.file(path)) if path in plan.further else None for path in paths]
            values = ("–" if estimate is None else short(estimate.value) for estimate in found)
            yield metric.name, metric.unit, tuple(values)


def _record(entry: Planned, plan: Plan, done: Iterable[int]) -> Path | None:
    """The provenance file of the first seed, if it exists."""
    paths = [plan.file(entry.metrics(seed)).with_name("provenance.json") for seed in list(done)[:1]]
    return next((path for path in paths if path.exists() and entry.training_path), None)


def _origins(seed: int, path: Path) -> Iterable[tuple[str, str]]:
    record = read_input(path)
    for step in ("training", "evaluation"):
        if process := record.get(step):
            yield f"{step}, seed {seed}", ", ".join(filter(None, _process(process)))


def _process(process: Mapping[str, Any]) -> Iterable[str]:
    """Code, machine, time and memory of one step, as far as they are recorded."""
    if git := process.get("git"):
        yield f"commit {git['commit'][:12]}{' with local changes' if git.get('dirty') else ''}"
    yield process.get("gpu", {}).get("name") or process.get("machine", {}).get("cpu", "")
    if "ended" in process:
        yield f"ended {process['ended'][:16].replace('T', ' ')} UTC"
    if "peak_memory_mib" in process:
        yield f"peak memory {process['peak_memory_mib']:,} MiB"


def _settings(entry: Planned, plan: Plan, done: Iterable[int]) -> Iterable[Settings]:
    """The settings of the first seed; those of other seeds differ only in the seed."""
    for seed in list(done)[:1]:
        if entry.training_path:
            path = plan.file(f"{entry.training_path}/seed{seed}/spec.json")
            yield ("training", str(path)), _as_yaml(read_input(path))
        path = plan.file(entry.metrics(seed))
        step = "evaluation" if entry.training_path else "preparation"
        yield (step, str(path)), _as_yaml(read_input(path).get("settings", {}))


def _charts(paper: Paper, curves: SeedCurves) -> Iterable[Chart]:
    for chart_title, chart in paper.curves.items():
        drawn = [name for name in chart.quantities if any(name in curve for curve in curves.values())]
        if drawn:
            first = {seed: curve[drawn[0]][1] for seed, curve in curves.items() if drawn[0] in curve}
            ends = ", ".join(
                f"{short(values[0])} to {short(values[-1])} (seed {seed})" for seed, values in first.items()
            )
            summary = f"{chart.quantities[drawn[0]]} from {ends}"
            yield Chart(chart_title, tuple(drawn), chart.unit, summary)


def _as_yaml(settings: Mapping[str, Any]) -> str:
    """Settings as they are written in config.yaml, with a line for each of the innermost mappings."""
    lines = yaml.safe_dump(settings, default_flow_style=None, sort_keys=False, allow_unicode=True, width=100)
    return str(lines).strip()
