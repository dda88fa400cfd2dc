"""Settings as dataclasses: nested ones, defaults, and error messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from textlvm.runtime.errors import UserError
from textlvm.spec import parse


@dataclass(frozen=True)
class Rule:
    of: str
    count: int | None = None


@dataclass(frozen=True)
class Settings:
    size: int
    names: tuple[str, ...] = ()
    rule: Rule = field(default_factory=lambda: Rule("all"))
    rules: Mapping[str, Rule] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self):
        self.size < 0  # noqa: B015, as a check of a value does


def test_nested_settings_become_nested_dataclasses():
    assert parse(Settings, {"size": 2}) == Settings(2)
    assert parse(
        Settings,
        {
            "size": 2,
            "names": ["a", "b"],
            "rule": {"of": "x", "count": 3},
            "rules": {"first": {"of": "y"}},
            "members": {"train": "*.txt"},
        },
    ) == Settings(2, ("a", "b"), Rule("x", 3), {"first": Rule("y")}, {"train": "*.txt"})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sizes": 2}, "Settings: unknown setting 'sizes'; did you mean 'size'?"),
        ({}, "Settings: the setting 'size' is missing"),
        ([], "Settings: expected a mapping of settings, found []"),
        ({"size": 2, "rule": "all"}, "Settings: rule: expected a mapping of settings, found 'all'"),
        ({"size": 2, "rule": {"count": 1}}, "Settings: rule: the setting 'of' is missing"),
        ({"size": 2, "rules": {"one": {"off": 1}}}, "Settings: rules: one: unknown setting 'off'; "),
        ({"size": 2, "rules": []}, "Settings: rules: expected a mapping of settings, found []"),
        ({"size": "2"}, "Settings: a value is of the wrong type ("),
    ],
)
def test_error_message_begins_with_the_place_of_the_setting(settings, message):
    with pytest.raises(UserError) as caught:
        parse(Settings, settings)
    assert str(caught.value).startswith(message)


def test_place_in_the_error_message_can_be_given():
    with pytest.raises(UserError, match=r"^data set: the setting 'size' is missing$"):
        parse(Settings, {}, "data set")
