"""Merge the runs on several draws of a split into one run, whose seeds are the draws."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from textlvm.estimate import pool
from textlvm.experiment.plan import Planned, RunKey
from textlvm.reporting.runs import Result

__all__ = ["over_draws"]


def over_draws(
    plan: Iterable[Planned], results: Mapping[RunKey, Sequence[Result]]
) -> tuple[list[Planned], dict[RunKey, list[Result]]]:
    """The plan and the results with one entry for all draws of a split.

    The value of a draw is the mean over its seeds, so every draw has the same weight. The standard deviation
    over draws then includes the variance between draws and between seeds. A single draw is one value too: its
    seeds do not show how much the draws differ. Draws are numbered from zero; the `settings` of their results
    contain the number of draws as `draws`.
    """
    by_run: dict[RunKey, list[Planned]] = {}
    for entry in plan:
        split = entry.draw_of or entry.split
        by_run.setdefault((entry.paper, entry.dataset, entry.corpus, split, entry.name), []).append(entry)
    merged: list[Planned] = []
    found: dict[RunKey, list[Result]] = {}
    # The first draw has the name of the split, and is planned first.
    for key, draws in by_run.items():
        entry, groups = draws[0], [results.get(draw.key, ()) for draw in draws]
        if not entry.draw_of:
            found[key] = list(groups[0])
        else:
            found[key] = [
                _mean(draw, number, group, len(draws))
                for number, (draw, group) in enumerate(zip(draws, groups, strict=True))
                if group
            ]
            entry = replace(entry, seeds=tuple(range(len(draws))))
        merged.append(entry)
    return merged, found


def _mean(draw: Planned, number: int, group: Sequence[Result], draws: int) -> Result:
    """The result of a draw, or its failure if no seed was evaluated. `reason` counts missing seeds."""
    done = [result for result in group if not result.failed]
    first = (done or group)[0]
    metrics = {}
    for name in dict.fromkeys(name for result in done for name in result.metrics):
        metrics[name] = pool([result.metrics[name] for result in done if name in result.metrics])
    missing = f"{len(done)} of {len(draw.seeds)} seeds" if done and len(done) < len(draw.seeds) else ""
    return replace(
        first,
        seed=number,
        split=draw.draw_of,
        metrics=metrics,
        reason=missing or first.reason,
        further_paths=tuple(result.path for result in group if result is not first),
        settings={**first.settings, "draws": draws},
    )
