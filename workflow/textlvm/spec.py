"""Conversion of settings from the mappings of config.yaml to the dataclasses that the code uses."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from textlvm.runtime.errors import UserError, nearest

__all__ = ["parse"]

Spec = TypeVar("Spec")


def parse(kind: type[Spec], settings: Any, place: str = "") -> Spec:
    """Build a dataclass from a mapping of its fields; fields without a default are required.

    Fields that are dataclasses, or mappings and tuples of them, are built in the same way; lists become
    tuples. Raises `UserError` for a missing, unknown or invalid setting; the message begins with `place`,
    or with the name of the class.
    """
    place = place or kind.__name__
    fields = {field.name: field for field in dataclasses.fields(cast(Any, kind))}
    types = get_type_hints(kind)
    for name in _mapping(settings, place):
        if name not in fields:
            raise UserError(f"{place}: unknown setting '{name}'; {nearest(name, fields)}")
    for name, field in fields.items():
        if name not in settings and field.default is field.default_factory is dataclasses.MISSING:
            raise UserError(f"{place}: the setting '{name}' is missing")
    values = {name: _value(types[name], value, f"{place}: {name}") for name, value in settings.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise UserError(f"{place}: a value is of the wrong type ({error})") from error


def _value(kind: Any, value: Any, place: str) -> Any:
    """Convert a setting to the type of its field."""
    if dataclasses.is_dataclass(kind):
        return value if isinstance(value, cast(type, kind)) else parse(cast(type, kind), value, place)
    members = get_args(kind)
    if get_origin(kind) is Mapping:
        items = _mapping(value, place).items()
        return {name: _value(members[1], item, f"{place}: {name}") for name, item in items}
    if isinstance(value, list):
        member = members[0] if get_origin(kind) is tuple else None
        return tuple(_value(member, item, f"{place}: {number}") for number, item in enumerate(value, 1))
    return value


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UserError(f"{place}: expected a mapping of settings, found {value!r}")
    return value
