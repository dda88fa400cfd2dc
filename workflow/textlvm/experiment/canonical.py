"""Numbers in the form that their schema names, so that equal settings are identical.

YAML reads `1` and `1.0` as numbers of different types. They are equal, but the text of a command line, by
which Snakemake decides what to run again, would differ; and JSON Schema takes `20.0` for an integer, Python
does not.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["canonical"]

Schema = Mapping[str, Any]


def canonical(value: Any, schema: Schema) -> Any:
    """A copy of `value` in which equal numbers have one type: `int` if `schema` says so, else `float`.

    `value` must be valid by `schema`, a JSON schema whose references all lead into its own `$defs`. A number
    that the schema has in an `enum` is the enum's. Booleans stay as they are.

    >>> canonical([20.0, 3], {"items": {"type": "integer"}})
    [20, 3]
    >>> canonical([1, 0.5, None], {"items": {"type": ["number", "null"]}})
    [1.0, 0.5, None]
    """
    return _canonical(value, schema, schema.get("$defs", {}))


def _canonical(value: Any, node: Schema, shared: Mapping[str, Schema]) -> Any:
    if "$ref" in node:
        siblings = {key: item for key, item in node.items() if key != "$ref"}
        return _canonical(value, {**shared[node["$ref"].rpartition("/")[2]], **siblings}, shared)
    if isinstance(value, Mapping):
        valid = node.get("properties", {})
        return {
            key: _canonical(item, valid[key] if key in valid else node["additionalProperties"], shared)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_canonical(item, node["items"], shared) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if "enum" in node:
        return next(allowed for allowed in node["enum"] if allowed == value)
    # The sum makes -0.0 the other zero, which it equals.
    return int(value) if "integer" in node["type"] else float(value) + 0.0
