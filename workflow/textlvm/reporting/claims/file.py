"""Read and check workflow/claims.yaml: the papers' statements as data, without their numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from textlvm.reporting.claims.figures import FIGURES
from textlvm.reporting.claims.language import Claim, Language, Place, Problem
from textlvm.reporting.published import Published
from textlvm.runtime.errors import UserError
from textlvm.runtime.validation import Key, check, dotted, read_yaml

__all__ = ["ClaimedFigure", "Claims", "load"]


class ClaimedFigure(NamedTuple):
    """A file that a claim about a figure needs of a row's runs."""

    paper: str
    table: int
    dataset: str
    row: str
    file: str


@dataclass(frozen=True)
class Claims:
    """All claims, one entry for each data set that they are made of."""

    claims: tuple[Claim, ...]
    untrained_rows: tuple[str, ...]
    untrained_metrics: tuple[str, ...]

    @property
    def figures(self) -> frozenset[ClaimedFigure]:
        """What claims need beside the tables."""
        return frozenset(
            ClaimedFigure(place.paper, place.table, place.dataset, place.row, FIGURES[place.metric].file)
            for claim in self.claims
            for comparison in claim.comparisons
            for place in comparison.places
            if place.metric in FIGURES
        )

    def is_untrained(self, place: Place) -> bool:
        """Whether a number is the same however often one trains."""
        return place.row in self.untrained_rows or place.metric in self.untrained_metrics


def load(
    path: str | Path, published: Iterable[Published], planned: Iterable[tuple[str, int, str]] = ()
) -> Claims:
    """Read the claims; `planned` has paper, table and label of the configuration's rows.

    Raises `UserError` with one sentence that names the claim: for what the schema does not allow, an id given
    twice, a row, metric or table that there is not, a comparison of the wrong length or of unlike units.
    """
    entries = read_yaml(path, "the claims")
    check(entries, "claims", path, lambda key: _key(key, entries))
    language = Language(
        entries.get("rows", {}), entries.get("unprinted", {}), tuple(published), frozenset(planned)
    )
    claims: dict[tuple[str, str], Claim] = {}
    for entry in entries["claims"]:
        if any(own == entry["id"] for own, _ in claims):
            raise UserError(f"{path}: claim '{entry['id']}' stands there twice: give each an id of its own")
        try:
            claims |= {(entry["id"], dataset): language.claim(entry, dataset) for dataset in entry["tables"]}
        except Problem as problem:
            raise UserError(f"{path}: claim '{entry['id']}': {problem}") from None
    untrained = entries.get("untrained", {})
    return Claims(
        tuple(claims.values()), tuple(untrained.get("rows", ())), tuple(untrained.get("metrics", ()))
    )


def _key(key: Key, entries: Any) -> str:
    """A key of the file, with claims by their names."""
    if key[:1] != ("claims",) or len(key) < 2:
        return dotted(key)
    entry = entries["claims"][key[1]]
    name = entry.get("id") if isinstance(entry, dict) else None
    claim = f"claim '{name}'" if name else f"claim number {int(key[1]) + 1}"
    return f"{claim}: {dotted(key[2:])}" if len(key) > 2 else claim
