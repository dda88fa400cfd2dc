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
        split = "" if own.split in ("", "standard") else f", {own.split} split"
        title = f"{own.heading(paper)}, Table {own.table} of {paper.citation}, {own.place(paper)}{split}"
        found.setdefault(title, []).append(own)
    return found


def interval(of_seeds: Interval | None) -> str:
    """A mean and its interval, to read."""
    if of_seeds is None:
        return "–"
    value, low, high = of_seeds.value, of_seeds.low, of_seeds.high
    between = "" if low is None or high is None else f" [{short(low, 3)}, {short(high, 3)}]"
    return short(value, 3) + between
