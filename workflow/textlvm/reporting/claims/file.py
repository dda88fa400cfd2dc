"""Read and check workflow/claims.yaml: the papers' statements as data, without their numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import yaml

from textlvm.reporting.claims.figures import FIGURES
from textlvm.reporting.claims.language import Claim, Language, Place, Problem
from textlvm.reporting.published import Published
from textlvm.runtime.errors import UserError, nearest

__all__ = ["ClaimedFigure", "Claims", "load"]

SCHEMA = Path(__file__).parents[3] / "schemas" / "claims.schema.yaml"


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
    entries = _read(path)
    errors = list(jsonschema.Draft202012Validator(_schema()).iter_errors(entries))
    if errors:
        # A misspelt key is often why another one is missing.
        error = min(errors, key=lambda error: error.validator != "additionalProperties")
        raise UserError(" ".join(f"{path}: {_violation(error, entries)}".split()))
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


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    return schema


def _read(path: str | Path) -> Any:
    try:
        # The parser in C takes a tenth of the time, which every job of the workflow pays.
        return yaml.load(
            Path(path).read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        )
    except OSError as error:
        raise UserError(f"cannot read the claims {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        raise UserError(
            f"{path}{line}: not valid YAML; correct the line or the indentation before it"
        ) from error


def _violation(error: jsonschema.ValidationError, entries: Any) -> str:
    """A violation of the schema as the end of a sentence, which names the claim."""
    path = list(error.absolute_path)
    place = ""
    if path[:1] == ["claims"] and len(path) > 1:
        entry = entries["claims"][path[1]]
        name = entry.get("id") if isinstance(entry, dict) else None
        place = f"claim '{name}': " if name else f"claim number {path[1] + 1}: "
        path = path[2:]
    key = ".".join(map(str, path)) or "the entry"
    match error.validator:
        case "additionalProperties":
            valid = error.schema["properties"]
            unknown = next(str(name) for name in error.instance if name not in valid)
            return f"{place}unknown key '{unknown}'; {nearest(unknown, valid)}"
        case "required":
            missing = next(name for name in error.validator_value if name not in error.instance)
            return f"{place}{key} lacks `{missing}`"
        case "enum":
            near = nearest(str(error.instance), error.validator_value)
            return f"{place}{key} cannot be '{error.instance}'; {near}"
        case "pattern":
            return f"{place}{key} must be {error.schema['description']}, not {error.instance!r}"
    message = error.message if len(error.message) < 200 else f"{error.message[:199]}…"
    return f"{place}{key}: {message}"
