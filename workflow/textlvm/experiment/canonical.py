"""Numbers in the type that their schema gives, so that equal settings are identical.

YAML reads `1` and `1.0` as numbers of different types. They are equal, but the command lines, which Snakemake
compares to decide what to run again, would differ. In JSON Schema, unlike in Python, `20.0` is an integer.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["canonical"]

Schema = Mapping[str, Any]


def canonical(value: Any, schema: Schema) -> Any:
    """Return a copy of `value` in which a number is an `int` if `schema` requires an integer, else a `float`.

    `value` must be valid by `schema`, a JSON schema whose references all point into its own `$defs`. A number
    in an `enum` of the schema has the type given there. Booleans are unchanged, and numbers for which the
    schema has neither `enum` nor `type`.

    >>> canonical([20.0, 3], {"items": {"type": "integer"}})
    [20, 3]
    >>> canonical([1, 0.5, None], {"items": {"type": ["number", "null"]}})
    [1.0, 0.5, None]
    """
    return _canonical(value, schema, schema.get("$defs", {}))


def _canonical(value: Any, node: Any, shared: Mapping[str, Schema]) -> Any:
    if not isinstance(node, Mapping):  # absent, or a boolean, which allows everything or nothing
        return value
    if "$ref" in node:
        siblings = {key: item for key, item in node.items() if key != "$ref"}
        return _canonical(value, {**shared[node["$ref"].rpartition("/")[2]], **siblings}, shared)
    if isinstance(value, Mapping):
        valid = node.get("properties", {})
        return {
            key: _canonical(item, valid[key] if key in valid else node.get("additionalProperties"), shared)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_canonical(item, node.get("items"), shared) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if "enum" in node:
        return next((allowed for allowed in node["enum"] if allowed == value), value)
    if "type" not in node:
        return value
    # A list of types may have both. The sum converts -0.0 to 0.0.
    return int(value) if "integer" in node["type"] and value == int(value) else float(value) + 0.0
