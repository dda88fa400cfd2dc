"""The language of claims: translates entries of a paper's claims.yaml into comparisons of its numbers.

A comparison is a signed sum of numbers and the side of zero on which a claim expects it, so that one rule
(`textlvm.reporting.claims.judge`) decides every kind of claim:

    less, greater      a − b beyond the margin on one side
    near               a − b within the margin
    rising, falling    a chain with one comparison per step; numbers at its ends are bounds
    difference         (a − b) − (c − d) > 0: the first step is larger than the second
    identity           a sum that equals another one within the margin for every trained model
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, partial
from operator import or_
from typing import Any

from textlvm.experiment.paper import Paper
from textlvm.reporting.claims.wording import SUMS, cells_in, change_cells, predicate
from textlvm.reporting.published import Published
from textlvm.runtime.errors import nearest

__all__ = ["Claim", "Comparison", "Language", "Operand", "Place", "Problem", "Side"]

PAIRS = ("less", "greater", "near", *SUMS)
WITH_MARGIN = {"less": False, "greater": False, "near": True, "identity": True}
"""The kinds that accept a margin, and whether they require one."""


@dataclass(frozen=True)
class Place:
    """A number of a table, or of a figure of the same run."""

    paper: str
    table: int
    dataset: str
    row: str
    metric: str
    log: bool = False
    """Whether its natural logarithm is taken."""

    @property
    def cell(self) -> tuple[str, int, str, str, str]:
        """Paper, table, data set, row, metric."""
        return self.paper, self.table, self.dataset, self.row, self.metric


Operand = Place | float
Name = tuple[str, str]
"""The name of a row in a claim, and the data set."""


class Side(Enum):
    """Where a claim expects a sum: beyond the margin on one side of zero, or within it."""

    BELOW = "below"
    WITHIN = "within"
    ABOVE = "above"


SIDES = {"near": Side.WITHIN, "identity": Side.WITHIN, "less": Side.BELOW, "rising": Side.BELOW}
"""The sides of the kinds whose side is not `ABOVE`."""


@dataclass(frozen=True)
class Comparison:
    """A signed sum of numbers and where the claim expects it."""

    kind: str
    terms: tuple[tuple[int, Operand], ...]
    side: Side
    unit: str
    margin: float = 0.0
    """In the unit, or as a share of `share_of`."""
    share_of: Operand | None = None

    @property
    def of_each_training(self) -> bool:
        """Whether it must hold for every trained model, whatever its seed."""
        return self.kind == "identity"

    @property
    def places(self) -> tuple[Place, ...]:
        """The numbers that it needs."""
        operands = (*(operand for _, operand in self.terms), self.share_of)
        return tuple(dict.fromkeys(operand for operand in operands if isinstance(operand, Place)))


@dataclass(frozen=True)
class Claim:
    """A statement of a paper about one data set: it holds if every comparison does."""

    id: str
    """Includes the data set if the statement is about several."""
    paper: str
    where: str
    """Section, table or figure of the paper."""
    claim: str
    note: str
    dataset: str
    predicate: str
    """The comparisons as text."""
    comparisons: tuple[Comparison, ...]

    @property
    def places(self) -> tuple[Place, ...]:
        """The numbers that its comparisons need, without duplicates."""
        return tuple(dict.fromkeys(place for comparison in self.comparisons for place in comparison.places))


class Problem(Exception):
    """An error in a claim."""


@dataclass(frozen=True)
class Language:
    """The names that claims may use, and the tables they are checked against."""

    paper: Paper
    names: Mapping[str, Any]
    """Names for several rows, or for rows whose labels differ between data sets."""
    unprinted: Sequence[str]
    """Rows without printed numbers."""
    published: Sequence[Published]
    planned: frozenset[tuple[int, str]]
    """Table and label of the rows of the configuration."""

    def claim(self, entry: Mapping[str, Any], dataset: str) -> Claim:
        """The claim of a valid entry about one of its data sets. Raises `Problem`."""
        kind, margin = entry["kind"], entry.get("margin")
        if margin is None and WITH_MARGIN.get(kind):
            raise Problem(f"kind {kind} needs a margin")
        if margin is not None and kind not in WITH_MARGIN:
            raise Problem(f"kind {kind} takes no margin")
        shared = {"paper": self.paper.name, "dataset": dataset, "table": entry["tables"][dataset]}
        comparisons: list[Comparison] = []
        for item, metric in itertools.product(entry["of"], entry.get("metrics", [""])):
            _check_shape(kind, item)
            full = change_cells(item, partial(or_, shared | {"metric": metric}))
            for rows in self._choices(full):
                places = change_cells(full, partial(self._place, rows))
                comparisons += self._comparisons(kind, places, margin)
        if not comparisons:
            raise Problem("it compares a row only with itself")
        return Claim(
            id=entry["id"] if len(entry["tables"]) == 1 else f"{entry['id']}/{dataset}",
            paper=self.paper.name,
            where=entry["where"],
            claim=entry["claim"],
            note=entry.get("note", ""),
            dataset=dataset,
            predicate=predicate(entry, dataset, self._rows, self.paper.datasets),
            comparisons=tuple(comparisons),
        )

    @cached_property
    def _tables(self) -> dict[int, list[Published]]:
        tables: dict[int, list[Published]] = {}
        for value in self.published:
            tables.setdefault(value.table, []).append(value)
        return tables

    @cached_property
    def _units(self) -> dict[str, str]:
        metrics = (*self.paper.metrics.values(), *self.paper.figure_metrics.values())
        return {metric.name: metric.unit for metric in metrics}

    def _rows(self, name: str, dataset: str) -> list[str]:
        """The rows of a name on a data set; any other name is itself the label of a row."""
        rows = self.names.get(name, name)
        if isinstance(rows, Mapping):
            if dataset not in rows:
                raise Problem(f"the name '{name}' has no row on '{dataset}'; {nearest(dataset, rows)}")
            rows = rows[dataset]
        return [rows] if isinstance(rows, str) else list(rows)

    def _choices(self, item: Sequence[Any]) -> Iterator[dict[Name, str]]:
        """All combinations of rows for the names of an item; within it, a name means the same row."""
        used = dict.fromkeys((cell["row"], cell["dataset"]) for cell in cells_in(item))
        for rows in itertools.product(*(self._rows(*name) for name in used)):
            yield dict(zip(used, rows, strict=True))

    def _place(self, rows: Mapping[Name, str], cell: Mapping[str, Any]) -> Place:
        """The place of a cell, in the row chosen for its name. Raises `Problem` if there is none."""
        place = Place(**{**cell, "row": rows[cell["row"], cell["dataset"]]})
        table = self._tables.get(place.table, [])
        here = f"Table {place.table} of the {place.paper} paper"
        datasets = {p.dataset for p in table}
        if place.dataset not in datasets:
            raise Problem(f"{here} has no data set '{place.dataset}'; {nearest(place.dataset, datasets)}")
        known = {p.row for p in table if p.dataset == place.dataset}
        known |= {row for number, row in self.planned if number == place.table}
        known |= {*self.unprinted}
        if place.row not in known:
            raise Problem(
                f"{here} has no row '{place.row}' on '{place.dataset}'; {nearest(place.row, known)}"
            )
        if not place.metric:
            raise Problem(
                f"the row '{place.row}' has no metric: give the claim `metrics` or the row a `metric`"
            )
        metrics = {p.metric for p in table} | self.paper.figure_metrics.keys()
        metrics |= {*self.paper.tables[place.table].columns}
        if place.row in self.unprinted:
            # An unprinted row may have any metric of the paper.
            metrics |= self.paper.metrics.keys()
        if place.metric not in metrics:
            raise Problem(f"{here} has no metric '{place.metric}'; {nearest(place.metric, metrics)}")
        return place

    def _comparisons(
        self, kind: str, item: Sequence[Any], margin: float | str | None
    ) -> Iterator[Comparison]:
        """The comparisons of an item; none if a name for several rows repeats a row in it."""
        sums: list[list[tuple[int, Operand]]] = []
        if kind == "difference":
            (a, b), (c, d) = item
            sums.append([(1, a), (-1, b), (-1, c), (1, d)])
        elif kind == "identity":
            sums.append([*((1, place) for place in item[0]), *((-1, place) for place in item[1])])
        elif len(set(item)) == len(item):
            sums += [[(1, a), (-1, b)] for a, b in itertools.pairwise(item)]
        share = isinstance(margin, str)
        for terms in sums:
            yield Comparison(
                kind=kind,
                terms=tuple(terms),
                side=SIDES.get(kind, Side.ABOVE),
                unit=self._unit([operand for _, operand in terms]),
                margin=float(str(margin).rstrip("%")) / 100 if share else float(margin or 0),
                share_of=terms[1][1] if share else None,
            )

    def _unit(self, operands: Iterable[Operand]) -> str:
        """The common unit of numbers; logarithms have none. Raises `Problem` if units differ."""
        places = [place for place in operands if isinstance(place, Place) and not place.log]
        found = {place.metric: self._units[place.metric] for place in places}
        if len(set(found.values())) > 1:
            raise Problem(f"{' and '.join(found)} differ in unit: {' and '.join(found.values())}")
        return next(iter(found.values()), "log ratio")


def _check_shape(kind: str, item: Sequence[Any]) -> None:
    if kind in PAIRS and len(item) != 2:
        raise Problem(f"kind {kind} compares 2 things, not {len(item)}")
    if any(isinstance(operand, list) != (kind in SUMS) for operand in item):
        what = "two lists of rows" if kind in SUMS else "rows, not lists of rows"
        raise Problem(f"kind {kind} compares {what}")
    if kind == "difference" and any(len(group) != 2 for group in item):
        raise Problem("kind difference compares two pairs of rows")
    if not any(cells_in(item)):
        raise Problem("a comparison of numbers needs at least one row")
