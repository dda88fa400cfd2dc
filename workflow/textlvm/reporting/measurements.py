"""What was measured of one row: a metric's mean and spread over seeds, compared with a printed value."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from textlvm.experiment.paper import Paper
from textlvm.experiment.plan import Planned, Row
from textlvm.reporting.published import Published
from textlvm.reporting.runs import Result
from textlvm.reporting.spread import Sample, borrow
from textlvm.reporting.verdict import Verdict, compare, pool
from textlvm.runtime.errors import UserError

__all__ = ["outcome", "samples", "settings"]


def samples(paper: Paper, planned: Planned, row: Row, group: Sequence[Result]) -> Iterator[Sample]:
    """The values by seed of every metric of a row on which its training has an influence."""
    done = [result for result in group if not result.failed]
    for metric in dict.fromkeys(metric for result in done for metric in result.metrics):
        if planned.is_trained and paper.is_of_training(_called(row, metric)):
            measured = [result for result in done if metric in result.metrics]
            values = tuple(result.metrics[metric].value for result in measured)
            name = _evaluated(row, metric, measured)
            yield Sample(row.label, planned.name, planned.model_kind, name, values)


def outcome(
    paper: Paper,
    row: Row,
    metric: str,
    value: Published | None,
    planned: Planned | None,
    group: Sequence[Result],
    others: Sequence[Sample],
) -> dict[str, Any]:
    """The reproduced half of a cell and its verdict.

    `others` are the samples of all rows of the table on the same corpus.
    """
    done = [result for result in group if not result.failed]
    failures = _failures(group)
    measured = [result for result in done if metric in result.metrics]
    estimates = [result.metrics[metric] for result in measured]
    seeds_planned = len(planned.seeds) if planned else 0
    numbers = ("value", "low", "high", "spread", "repeat_spread", "difference", "tolerance")
    found: dict[str, Any] = dict.fromkeys(numbers)
    found["by_seed"] = tuple((result.seed, result.metrics[metric].value) for result in measured)
    found |= {
        "unit": paper.metric(metric).unit if value else "",
        "seeds": len(estimates),
        "seeds_planned": seeds_planned,
    }
    if not estimates:
        if planned is None and value is not None and value.kind == "quoted":
            return found | {"verdict": Verdict.QUOTED, "reason": ""}
        if failures and not done:
            return found | {"verdict": Verdict.FAILED, "reason": failures}
        reason = f"the evaluation gives no '{metric}'" if done else "" if planned else "not in the plan"
        return found | {"verdict": Verdict.NOT_RUN, "reason": reason}
    found["unit"] = _unit(paper, metric, [estimate.unit for estimate in estimates], done[0].path)
    mean = pool(estimates)
    found |= vars(mean)
    if repeats := [result.repeats[metric] for result in done if metric in result.repeats]:
        found["repeat_spread"] = math.fsum(repeats) / len(repeats)
    called, evaluated = _called(row, metric), _evaluated(row, metric, measured)
    wanted = row.compared.get(called)
    if wanted:
        found["reading"] = evaluated
    is_other = wanted not in (None, evaluated)
    other = f"the evaluation gives no '{wanted}', what stands there is its '{called}'" if is_other else ""
    missing = "" if len(estimates) == seeds_planned else f"{len(estimates)} of {seeds_planned} seeds"
    found["reason"] = "; ".join(filter(None, (missing, failures, other)))
    assert planned is not None  # what has been measured was planned
    of_training = paper.is_of_training(called) and planned.is_trained
    spread = None
    if of_training and mean.seeds == 1:
        spread = borrow(planned.model_kind, (own for own in others if own.metric == evaluated))
    if spread:
        found |= {
            "borrowed_spread": spread.value,
            "borrowed_degrees_of_freedom": spread.degrees_of_freedom,
            "borrowed_from": spread.source,
        }
    if value is None:
        return found | {"verdict": Verdict.UNPUBLISHED}
    borrowed = spread.value if spread else None
    compared = compare(
        mean, value.value, value.half_unit, value.spread, planned.stand_in, of_training, borrowed
    )
    if is_other and not planned.stand_in:
        compared = replace(compared, tolerance=None, verdict=Verdict.UNDECIDED)
    return found | vars(compared)


def _called(row: Row, metric: str) -> str:
    """What the evaluation calls a metric that a row shows."""
    return row.metrics.get(metric, metric)


def _evaluated(row: Row, metric: str, measured: Sequence[Result]) -> str:
    """The same, or the reading that stands in its place."""
    return measured[0].readings.get(metric, _called(row, metric))


def _failures(group: Sequence[Result]) -> str:
    seeds: dict[str, list[str]] = {}
    for result in group:
        if result.failed:
            seeds.setdefault(result.reason or "no reason given", []).append(str(result.seed))
    return "; ".join(f"failed with seed {', '.join(own)}: {reason}" for reason, own in seeds.items())


def _unit(paper: Paper, metric: str, units: Sequence[str], place: str) -> str:
    """The unit that all seeds share with paper.yaml. Raises `UserError` where they differ."""
    found = list(dict.fromkeys(units))
    declared = paper.metrics[metric].unit if metric in paper.metrics else found[0]
    for unit in found:
        if unit != declared:
            where = f"{paper.folder}/paper.yaml" if metric in paper.metrics else "another seed"
            raise UserError(
                f"{place}: metric '{metric}' comes in {unit}, in {where} in {declared}: make them the same"
            )
    return declared


def settings(done: Sequence[Result]) -> str:
    """The settings the seeds share; a setting that differs between them reads `varies`."""
    keys = dict.fromkeys(key for result in done for key in result.settings)
    found = {key: [result.settings.get(key) for result in done] for key in keys}
    shared = {key: v[0] if all(x == v[0] for x in v) else "varies" for key, v in found.items()}
    return json.dumps(shared, ensure_ascii=False) if shared else ""
