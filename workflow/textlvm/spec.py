"""Settings as frozen values: from the mapping that config.yaml holds to the dataclass that the code reads."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from textlvm.runtime.errors import UserError, nearest

__all__ = ["parse"]

Spec = TypeVar("Spec")


def parse(kind: type[Spec], settings: Mapping[str, Any]) -> Spec:
    """Build a spec from a mapping with exactly its fields; raises `UserError` for missing or unknown ones."""
    names = [field.name for field in dataclasses.fields(cast(Any, kind))]
    for name in settings:
        if name not in names:
            raise UserError(f"unknown {kind.__name__} setting '{name}': {nearest(name, names)}")
    missing = [name for name in names if name not in settings]
    if missing:
        raise UserError(f"{kind.__name__} lacks the setting '{missing[0]}'; config.yaml has them all")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()})
