"""Validation of values against a JSON schema, with error messages that name the key."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from textlvm.runtime.errors import UserError, nearest
from textlvm.runtime.yaml_file import read_yaml

__all__ = [
    "Key",
    "Problem",
    "Section",
    "check",
    "dotted",
    "json_schema",
    "shortened",
    "validate",
]

Key = tuple[str | int, ...]
Section = Mapping[str, Any]
"""A part of a configuration."""

SCHEMAS = Path(__file__).parents[2] / "schemas"
KINDS = {
    "object": "a mapping of keys to values",
    "array": "a list",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
}
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "greater than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}


class Problem(Exception):
    """An error in the value at `key`."""

    def __init__(self, key: Key, message: str) -> None:
        super().__init__(message)
        self.key = key


def dotted(key: Key) -> str:
    """A key as text, e.g. `words.runs.standard.tril`; `the file` for the empty key."""
    return ".".join(map(str, key)) or "the file"


def shortened(value: Any) -> str:
    """A value as JSON, cut to 60 characters."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"


@cache
def json_schema(name: str) -> dict[str, Any]:
    """The JSON schema workflow/schemas/NAME.schema.yaml."""
    return read_yaml(SCHEMAS / f"{name}.schema.yaml")


def check(value: Any, schema: str, place: str | Path, name: Callable[[Key], str] = dotted) -> None:
    """Raises `UserError`, which begins with `place`, if the schema of this name does not allow `value`."""
    try:
        validate(value, json_schema(schema), name)
    except Problem as problem:
        raise UserError(" ".join(f"{place}: {problem}".split())) from None


def validate(value: Any, schema: Mapping[str, Any], name: Callable[[Key], str] = dotted) -> None:
    """Raises `Problem` for the first thing in `value` that the schema (2020-12) does not allow.

    `name` formats a key for the message.
    """
    errors = jsonschema.Draft202012Validator(schema).iter_errors(value)
    if error := min(errors, key=_urgency, default=None):
        raise _problem(error, name)


def _urgency(error: jsonschema.ValidationError) -> tuple[bool, bool, list[str]]:
    """Sort key: unknown keys first, missing keys last, because a missing key is often misspelt."""
    kind = error.validator
    return kind == "required", kind != "additionalProperties", [str(part) for part in error.absolute_path]


def _problem(error: jsonschema.ValidationError, naming: Callable[[Key], str]) -> Problem:
    """The `Problem` for a violation of the schema."""
    key: Key = tuple(error.absolute_path)
    value, limit = error.instance, error.validator_value
    name = naming(key)
    match str(error.validator):
        case "additionalProperties":
            valid = error.schema.get("properties", {})
            unknown = next(str(k) for k in value if k not in valid)
            place = f" in {name}" if key else ""
            return Problem((*key, unknown), f"unknown key {unknown!r}{place}; {nearest(unknown, valid)}")
        case "required":
            absent = next(k for k in limit if k not in value)
            return Problem(key, f"{naming((*key, absent))} is missing")
        case "type":
            kinds = [limit] if isinstance(limit, str) else limit
            wanted = " or ".join(KINDS[kind] for kind in kinds)
            return Problem(
                key, f"{name} must be {wanted}, not {shortened(value)}{_number_hint(value, kinds)}"
            )
        case "enum":
            valid = [str(item) for item in limit]
            # Text such as "1" where the number 1 is valid.
            hint = f"write {value} without quotes" if value in valid else nearest(str(value), valid)
            return Problem(key, f"{name} cannot be {shortened(value)}; {hint}")
        case "pattern":
            wanted = error.schema.get("description", f"text that matches {limit}")
            if "propertyNames" in error.absolute_schema_path:
                return Problem((*key, value), f"the name {value!r} in {name} must consist of {wanted}")
            return Problem(key, f"{name} must be {wanted}, not {shortened(value)}")
        case bound if bound in BOUNDS:
            return Problem(key, f"{name} must be {BOUNDS[bound]} {limit}, not {shortened(value)}")
        case "minItems" | "maxItems" as kind if limit > 1:
            is_fixed = error.schema.get("minItems") == error.schema.get("maxItems")
            bound = "" if is_fixed else "at least " if kind == "minItems" else "at most "
            return Problem(key, f"{name} must have {bound}{limit} entries, not {len(value)}")
        case "minItems" | "minLength" if limit == 1:
            return Problem(key, f"{name} must not be empty")
        case "uniqueItems":
            return Problem(key, f"{name} has a duplicate entry: {shortened(value)}")
    message = error.message if len(error.message) < 200 else f"{error.message[:199]}…"
    return Problem(key, f"{name}: {message}")


def _number_hint(value: Any, kinds: Sequence[str]) -> str:
    """A hint for numbers such as 1e-3, which are text in YAML without a decimal point."""
    if "number" in kinds and isinstance(value, str):
        try:
            return f": write {float(value)!r}"
        except ValueError:
            pass
    return ""
