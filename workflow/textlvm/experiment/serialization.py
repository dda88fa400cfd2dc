"""The entries of a plan as JSON, as Snakemake's rules pass them to the steps."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from textlvm.experiment.plan import Planned, Row, Run
from textlvm.runtime.errors import UserError

__all__ = ["from_json", "to_json"]


def to_json(entry: Planned, table: int | None = None) -> dict[str, Any]:
    """An entry as JSON, without default values, and without settings, which tables do not need.

    With `table`, it has only the rows of that table.
    """
    rows = [_differing(row) for row in entry.rows if table in (None, row.table)]
    place = [folder for folder, _ in entry.place]
    return {**_differing(entry, Planned), "rows": rows, "place": place, "is_run": isinstance(entry, Run)}


def from_json(data: Any) -> Planned:
    """The entry from `to_json`, without settings. Raises `UserError` if the data are invalid."""
    try:
        entry = dict(data)
        entry["rows"] = tuple(_parse(Row, row) for row in entry["rows"])
        entry["place"] = tuple((folder, ()) for folder in entry["place"])
        entry["seeds"] = tuple(int(seed) for seed in entry["seeds"])
        found: Planned = _parse(Run if entry.pop("is_run") else Planned, entry)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"invalid entry in the plan: {data!r} ({error})") from error
    return found


def _differing(part: Any, kind: Any = None) -> dict[str, Any]:
    """The fields of a value that differ from their defaults."""
    return {
        field.name: value
        for field in fields(kind or part)
        if (value := getattr(part, field.name))
        != (field.default if field.default_factory is MISSING else field.default_factory())
    }


def _parse(kind: Any, data: Mapping[str, Any]) -> Any:
    part = kind(**data)
    for field in fields(part):
        if field.type in (str, int, bool) and type(value := getattr(part, field.name)) is not field.type:
            raise TypeError(f"'{field.name}' must be of type {field.type.__name__}, not {value!r}")
    return part
