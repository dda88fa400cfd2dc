import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from textlvm.experiment.canonical import canonical
from textlvm.experiment.config import check, merged, schema
from textlvm.experiment.paper import in_use
from textlvm.experiment.plan import Run
from textlvm.experiment.plan import planned as plan_of
from textlvm.runtime.validation import validate
from unit.overlay import PAPER, PAPERS, REGISTRY

SCHEMA = schema(PAPERS.values())
PAPER_CONFIG = yaml.safe_load(PAPER.read_text(encoding="utf-8"))


def numbers(value, key=()):
    """The keys of all numbers of a configuration."""
    if isinstance(value, dict | list):
        for name in value if isinstance(value, dict) else range(len(value)):
            yield from numbers(value[name], (*key, name))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield key


def rewritten(value, chosen, key=()):
    """The configuration with an equal number of the other type at the chosen keys."""
    if isinstance(value, dict):
        return {name: rewritten(item, chosen, (*key, name)) for name, item in value.items()}
    if isinstance(value, list):
        return [rewritten(item, chosen, (*key, i)) for i, item in enumerate(value)]
    if key not in chosen or value != int(value):
        return value
    return int(value) if isinstance(value, float) else float(value)


def planned(config):
    """The settings that are passed to the steps of all runs, as text."""
    checked = check(config, [PAPER], REGISTRY, PAPERS)
    runs = [run for run in plan_of(checked, in_use(checked, PAPERS), REGISTRY) if isinstance(run, Run)]
    settings = [(run.seeds, run.model, run.training, run.evaluation, run.data) for run in runs]
    return json.dumps([settings, checked["words"]["ngram"], checked["sentences"]["qualitative"]])


@pytest.fixture(scope="module")
def expected():
    return planned(PAPER_CONFIG)


def test_equal_numbers_have_the_same_plan(expected):
    keys = set(numbers(PAPER_CONFIG))
    assert len(keys) > 100
    assert planned(rewritten(PAPER_CONFIG, keys)) == expected


@pytest.mark.parametrize(
    ("overlay", "expected_text"),
    [
        ({"words": {"training": {"clip": 1}}}, "1.0"),
        ({"words": {"training": {"clip": None}}}, "null"),
        ({"words": {"training": {"steps": 20.0}}}, "20"),
        ({"words": {"seeds": [1.0, 2]}}, "[1, 2]"),
        ({"words": {"split": {"test_tokens": 5e4}}}, "50000"),
        ({"words": {"runs": {"standard": {"tril": {"table": 1.0}}}}}, "1"),
        ({"words": {"runs": {"standard": {"tril": {"model": {"dim": 4.0}}}}}}, "4"),
        ({"sentences": {"training": {"encoder_unk": -0.0}}}, "0.0"),
        ({"sentences": {"evaluation": {"as_quoted": True}}}, "true"),
        ({"sentences": {"qualitative": {"reconstruct": [0.0, "a text"]}}}, '[0, "a text"]'),
    ],
)
def test_numbers_have_the_type_of_the_schema(tmp_path, overlay, expected_text):
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(overlay))
    found, place = check(merged([PAPER, file]), [PAPER, file], REGISTRY, PAPERS), overlay
    while isinstance(place, dict):
        ((key, place),) = place.items()
        found = found[key]
    assert json.dumps(found) == expected_text


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"additionalProperties": True, "properties": {"list": {"type": "array"}}},
        {"properties": {"list": {"items": {"anyOf": [{"type": "integer"}, {"type": "number"}]}}}},
        {"properties": {"list": {"prefixItems": [{"const": 1}, {"type": "number"}], "items": False}}},
        {"additionalProperties": {"items": {"type": ["integer", "number"]}}},
        # A pattern takes precedence over it.
        {"patternProperties": {"l": {}}, "additionalProperties": {"items": {"type": "integer"}}},
    ],
)
def test_values_of_other_schemas_are_equal(schema):
    value = {"list": [1, 0.5]}
    validate(value, schema)
    assert canonical(value, schema) == value


@given(st.integers(-(2**63), 2**63))
def test_integers_are_unchanged(value):
    assert canonical(value, {"type": ["integer", "null"]}) == value


@given(st.one_of(st.integers(-(2**40), 2**40), st.floats(-1e9, 1e9)))
def test_equal_numbers_have_the_same_text(value):
    number = {"type": "number"}
    text = json.dumps(canonical(value, number))
    assert float(text) == value
    assert text == json.dumps(canonical(float(value), number))


def test_canonical_is_idempotent():
    once = canonical(PAPER_CONFIG, SCHEMA)
    assert once == PAPER_CONFIG
    assert json.dumps(canonical(once, SCHEMA)) == json.dumps(once)
