"""Read and check the claims.yaml of papers: their statements as data, without their numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import yaml

from textlvm.experiment.paper import Paper
from textlvm.experiment.plan import Planned, Run
from textlvm.reporting.claims.language import Claim, Language, Problem
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

    papers: Mapping[str, Paper]
    claims: tuple[Claim, ...]

    @cached_property
    def figures(self) -> frozenset[ClaimedFigure]:
        """What claims need beside the tables."""
        return frozenset(
            ClaimedFigure(place.paper, place.table, place.dataset, place.row, known[place.metric].file)
            for claim in self.claims
            for comparison in claim.comparisons
            for place in comparison.places
            if place.metric in (known := self.papers[place.paper].figure_metrics)
        )

    def files(self, run: Run, seed: int) -> list[str]:
        """The files behind claims about figures that a seed of a run leaves, below the results."""
        rows = {(row.table, row.label) for row in run.rows}
        files = {
            figure.file
            for figure in self.figures
            if (figure.paper, figure.dataset) == (run.paper, run.original)
            and (figure.table, figure.row) in rows
        }
        return [f"{run.path}/seed{seed}/{file}" for file in sorted(files)]


def load(
    papers: Mapping[str, Paper],
    published: Iterable[Published],
    plan: Iterable[Planned] = (),
) -> Claims:
    """Read the claims of papers about their tables and the rows of a plan.

    Raises `UserError` with one sentence that names file and claim: for what the schema does not allow, an id
    given twice, a row, metric or table that there is not, a comparison of the wrong length or of unlike
    units.
    """
    published, plan = tuple(published), tuple(plan)
    claims: dict[tuple[str, str], Claim] = {}
    for paper in papers.values():
        entries = _read(paper.claims)
        language = Language(
            paper,
            entries.get("rows", {}),
            entries.get("unprinted", ()),
            tuple(value for value in published if value.paper == paper.name),
            frozenset(
                (row.table, row.label) for entry in plan if entry.paper == paper.name for row in entry.rows
            ),
        )
        for entry in entries["claims"]:
            place = f"{paper.claims}: claim '{entry['id']}'"
            if any(own == entry["id"] for own, _ in claims):
                raise UserError(f"{place} stands there twice: give each an id of its own")
            try:
                claims |= {
                    (entry["id"], dataset): language.claim(entry, dataset) for dataset in entry["tables"]
                }
            except Problem as problem:
                raise UserError(f"{place}: {problem}") from None
    return Claims(papers, tuple(claims.values()))


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    return schema


def _read(path: Path) -> dict[str, Any]:
    """The content of a file of claims, which the schema allows."""
    try:
        # The parser in C takes a tenth of the time.
        entries = yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as error:
        raise UserError(f"cannot read the claims {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        raise UserError(
            f"{path}{line}: not valid YAML; correct the line or the indentation before it"
        ) from error
    errors = list(jsonschema.Draft202012Validator(_schema()).iter_errors(entries))
    if errors:
        # A misspelt key is often why another one is missing.
        error = min(errors, key=lambda error: error.validator != "additionalProperties")
        raise UserError(" ".join(f"{path}: {_violation(error, entries)}".split()))
    return dict(entries)


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
