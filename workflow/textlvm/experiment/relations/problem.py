"""Problems with values of a configuration, and checks that the papers share."""

from collections.abc import Collection, Mapping
from typing import Any

from textlvm.runtime.validation import Key, Problem, dotted

__all__ = ["Key", "Problem", "Section", "check_label", "check_read", "dotted"]

Section = Mapping[str, Any]


def check_read(key: Key, entry: Section, read: Collection[str], by: str) -> None:
    """Check that an entry sets only settings that its kind of model uses."""
    for setting in entry.get("model", {}):
        if setting not in read:
            name = dotted((*key, setting))
            raise Problem((*key, setting), f"{name} has no effect for {by}: remove it")


def check_label(key: Key, label: tuple[Any, ...], labels: dict[tuple[Any, ...], str]) -> None:
    """Check that the rows of a table have different labels."""
    if label in labels:
        raise Problem(
            (*key, "row"), f"{dotted(key)} has the same row label as {labels[label]}: use different ones"
        )
    labels[label] = str(key[-1])
