"""Runs on several draws of a split as one run, whose seeds are the draws."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from textlvm.estimate import Estimate
from textlvm.experiment.plan import Planned, RunKey
from textlvm.reporting.runs import Result
from textlvm.reporting.verdict import pool

__all__ = ["over_draws"]


def over_draws(
    plan: Iterable[Planned], results: Mapping[RunKey, Sequence[Result]]
) -> tuple[list[Planned], dict[RunKey, list[Result]]]:
    """The plan and the results with one entry for all draws of a split.

    The number of a draw is the mean over its seeds, and every draw counts once. The standard deviation over
    draws then includes the variance between draws and that between trainings. Draws are numbered from zero;
    `settings` of a result gets their number as `draws`.
    """
    plan = list(plan)
    merged: list[Planned] = []
    found: dict[RunKey, list[Result]] = {}
    for entry in plan:
        if entry.draw_of:
            continue
        others = [other for other in plan if _is_draw(other, entry)]
        if others:
            groups = [results.get(draw.key, ()) for draw in (entry, *others)]
            draws = enumerate(zip((entry, *others), groups, strict=True))
            found[entry.key] = [
                _mean(draw, number, group, len(groups)) for number, (draw, group) in draws if group
            ]
            # Also what is only counted differs between draws.
            entry = replace(entry, seeds=tuple(range(len(groups))), is_trained=True)
        else:
            found[entry.key] = list(results.get(entry.key, ()))
        merged.append(entry)
    return merged, found


def _is_draw(other: Planned, entry: Planned) -> bool:
    """Whether it is the same run on a further draw of the split."""
    return replace(other, split=entry.split, draw_of="").key == entry.key and other.draw_of == entry.split


def _mean(draw: Planned, number: int, group: Sequence[Result], draws: int) -> Result:
    """The result of a draw; the failed one where no seed was measured. `reason` says how many are missing."""
    done = [result for result in group if not result.failed]
    first = (done or group)[0]
    metrics = {}
    for name in dict.fromkeys(name for result in done for name in result.metrics):
        of_name = [result.metrics[name] for result in done if name in result.metrics]
        mean = pool(of_name)
        metrics[name] = Estimate(mean.value, mean.low, mean.high, of_name[0].unit)
    missing = f"{len(done)} of {len(draw.seeds)} seeds" if done and len(done) < len(draw.seeds) else ""
    return replace(
        first,
        seed=number,
        split=draw.draw_of or draw.split,
        metrics=metrics,
        reason=missing or first.reason,
        further_paths=tuple(result.path for result in group if result is not first),
        settings={**first.settings, "draws": draws},
    )
