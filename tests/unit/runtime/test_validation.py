"""Error messages for violations of a schema; the most informative violation comes first."""

import pytest

from textlvm.runtime.validation import Problem, dotted, shortened, validate

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["size", "name"],
    "properties": {
        "size": {"type": "integer", "minimum": 1},
        "rate": {"type": ["number", "null"], "exclusiveMaximum": 1},
        "name": {"type": "string", "pattern": "^[a-z]+$", "description": "lower-case letters"},
        "kind": {"enum": ["less", "greater"]},
        "pair": {"type": "array", "minItems": 2, "maxItems": 2, "uniqueItems": True},
        "some": {"type": "array", "minItems": 2, "maxItems": 3},
        "code": {"type": "string", "minLength": 2, "pattern": "^[0-9]+$"},
        "none": {"type": "object", "additionalProperties": False, "propertyNames": {"pattern": "^[a-z]+$"}},
        "rows": {"type": "object", "propertyNames": {"pattern": "^[a-z]+$", "description": "letters"}},
        "table": {"enum": [1, 2]},
        "odd": {"not": {}},
    },
}
VALID = {"size": 1, "name": "a"}


@pytest.mark.parametrize(
    ("value", "key", "message"),
    [
        ([], (), "the file must be a mapping of keys to values, not []"),
        ({"nam": "a"}, ("nam",), "unknown key 'nam'; did you mean 'name'?"),
        ({"size": 0}, ("size",), "size must be at least 1, not 0"),
        ({"name": "a"}, (), "size is missing"),
        (VALID | {"rate": "1e-3"}, ("rate",), 'rate must be a number or null, not "1e-3": write 0.001'),
        (VALID | {"rate": 1}, ("rate",), "rate must be less than 1, not 1"),
        (VALID | {"name": "A"}, ("name",), 'name must be lower-case letters, not "A"'),
        (VALID | {"kind": "lesser"}, ("kind",), "kind cannot be \"lesser\"; did you mean 'less'?"),
        (VALID | {"table": "1"}, ("table",), 'table cannot be "1"; write 1 without quotes'),
        (VALID | {"table": 3}, ("table",), "table cannot be 3; valid: '1', '2'"),
        (VALID | {"pair": [1]}, ("pair",), "pair must have 2 entries, not 1"),
        (VALID | {"some": [1]}, ("some",), "some must have at least 2 entries, not 1"),
        (VALID | {"some": [1] * 4}, ("some",), "some must have at most 3 entries, not 4"),
        (VALID | {"pair": [1, 1]}, ("pair",), "pair has a duplicate entry: [1, 1]"),
        (VALID | {"rows": {"B": 1}}, ("rows", "B"), "the name 'B' in rows must consist of letters"),
        # Schemas without the keywords that those of the project have.
        (VALID | {"none": {"a": 1}}, ("none", "a"), "unknown key 'a' in none; there is none"),
        (VALID | {"code": "ab"}, ("code",), 'code must be text that matches ^[0-9]+$, not "ab"'),
        (VALID | {"code": "1"}, ("code",), "code: '1' is too short"),
    ],
)
def test_error_message_for_a_violation(value, key, message):
    with pytest.raises(Problem) as caught:
        validate(value, SCHEMA)
    assert (caught.value.key, str(caught.value)) == (key, message)


def test_valid_value_is_accepted():
    validate(VALID | {"rate": None, "kind": "less", "pair": [1, 2], "rows": {"b": 1}}, SCHEMA)


def test_key_names_are_formatted_by_the_caller():
    with pytest.raises(Problem, match=r"^row a: size must be at least 1, not 0$"):
        validate({"size": 0, "name": "a"}, SCHEMA, lambda key: f"row a: {dotted(key)}")


def test_long_values_and_messages_are_shortened():
    assert len(shortened("a" * 100)) == 60
    with pytest.raises(Problem) as caught:
        validate(VALID | {"odd": "a" * 500}, SCHEMA)
    assert len(str(caught.value)) < 220
