"""The readings of printed columns, for pages."""

from collections.abc import Iterable, Mapping

from textlvm.experiment.paper import Paper
from textlvm.reporting.fits import Fit, Interval
from textlvm.reporting.page.formats import short

__all__ = ["columns", "interval"]


def columns(fits: Iterable[Fit], papers: Mapping[str, Paper]) -> dict[str, list[Fit]]:
    """The readings of each printed column, by its title."""
    found: dict[str, list[Fit]] = {}
    for fit in fits:
        paper = papers[fit.paper]
        split = "" if fit.split in ("", "standard") else f", {fit.split} split"
        title = f"{fit.heading(paper)}, Table {fit.table} of {paper.citation}, {fit.place(paper)}{split}"
        found.setdefault(title, []).append(fit)
    return found


def interval(estimate: Interval | None) -> str:
    """A number and its interval as text."""
    if estimate is None:
        return "–"
    low, high = estimate.low, estimate.high
    bounds = "" if low is None or high is None else f" [{short(low, 3)}, {short(high, 3)}]"
    return short(estimate.value, 3) + bounds
