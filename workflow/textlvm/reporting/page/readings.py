"""The readings of printed columns, as pages show them."""

from collections.abc import Iterable, Mapping

from textlvm.experiment.paper import Paper
from textlvm.reporting.fits import Fit, Interval
from textlvm.reporting.page.numbers import short

__all__ = ["columns", "interval"]


def columns(fits: Iterable[Fit], papers: Mapping[str, Paper]) -> dict[str, list[Fit]]:
    """The readings of each printed column, by its title."""
    found: dict[str, list[Fit]] = {}
    for own in fits:
        paper = papers[own.paper]
        metric = paper.metrics.get(own.column)
        heading = metric.heading if metric and metric.heading else own.column
        split = "" if own.split in ("", "standard") else f", {own.split} split"
        dataset = paper.datasets.get(own.dataset, own.dataset)
        place = dataset if own.corpus_title == dataset else f"{own.corpus_title} in place of {dataset}"
        title = f"{heading}, Table {own.table} of {paper.citation}, {place}{split}"
        found.setdefault(title, []).append(own)
    return found


def interval(of_seeds: Interval | None) -> str:
    """A mean and its interval, to read."""
    if of_seeds is None:
        return "–"
    value, low, high = of_seeds.value, of_seeds.low, of_seeds.high
    between = "" if low is None or high is None else f" [{short(low, 3)}, {short(high, 3)}]"
    return short(value, 3) + between
