"""What is wrong with a value of a configuration, and what both papers' entries must keep to."""

from collections.abc import Collection, Mapping
from typing import Any

from textlvm.runtime.validation import Key, Problem, dotted

__all__ = ["Key", "Problem", "Section", "check_label", "check_read", "dotted"]

Section = Mapping[str, Any]


def check_read(key: Key, entry: Section, read: Collection[str], by: str) -> None:
    """An entry sets nothing of the model that its kind of model does not read."""
    for setting in entry.get("model", {}):
        if setting not in read:
            name = dotted((*key, setting))
            raise Problem((*key, setting), f"{name} does nothing for {by}: remove it")


def check_label(key: Key, label: tuple[Any, ...], labels: dict[tuple[Any, ...], str]) -> None:
    """No two rows of a table are called the same."""
    if label in labels:
        raise Problem(
            (*key, "row"), f"{dotted(key)} has the same row label as {labels[label]}: give each its own"
        )
    labels[label] = str(key[-1])
