"""Every violation of the schema at every key of the experiments gives an error message with the key."""

import copy
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textlvm.corpora import registry
from textlvm.experiment.config import check, schema
from textlvm.experiment.experiment import load_files
from textlvm.experiment.paper import find
from textlvm.runtime.errors import UserError

ROOT = Path(__file__).parents[2]
REGISTRY = registry.load(ROOT / "workflow" / "corpora.yaml")
PAPERS = find({}, str)
SCHEMA = schema(PAPERS.values())
PAPER = [ROOT / "config.yaml"]
EXPERIMENTS = {
    "paper": load_files(PAPER).config,
    "demo": load_files([*PAPER, ROOT / "workflow/profiles/demo/experiment.yaml"]).config,
}

Key = tuple[str | int, ...]
# A value of each JSON type, outside of the range of every key.
OF_KIND = {
    "object": {"zzz": {}},
    "array": [[]],
    "integer": -7,
    "number": -0.5,
    "string": "not; a {value}",
    "boolean": True,
    "null": None,
}
REMOVED = object()
# By keyword of a schema: an invalid value, computed from the value of the keyword and the present value.
OUT_OF_RANGE = {
    "minimum": lambda least, _: least - 1,
    "maximum": lambda most, _: most + 1,
    "exclusiveMinimum": lambda limit, _: limit,
    "exclusiveMaximum": lambda limit, _: limit,
    "minItems": lambda *_: [],
    "minLength": lambda *_: "",
    "uniqueItems": lambda _, value: [value[0], value[0]],
    "pattern": lambda *_: "-A {b}/",
}


@dataclass(frozen=True)
class Fault:
    """A value set at a key or removed, and the expected error message."""

    key: Key
    value: Any
    message: str

    def __str__(self) -> str:
        return (
            f"{'.'.join(map(str, self.key))}={'removed' if self.value is REMOVED else repr(self.value)[:30]}"
        )


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """A schema with its reference resolved."""
    if "$ref" not in node:
        return node
    *_, name = node["$ref"].split("/")
    rest = {key: value for key, value in node.items() if key != "$ref"}
    return resolved(SCHEMA["$defs"][name]) | rest


def child(node: dict[str, Any], name: str | int) -> dict[str, Any]:
    if isinstance(name, int):
        return resolved(node["items"])
    return resolved(
        node["properties"][name] if name in node.get("properties", {}) else node["additionalProperties"]
    )


def places(value: Any, node: dict[str, Any], key: Key = ()) -> Iterator[tuple[Key, Any, dict[str, Any]]]:
    """All mappings, lists and leaves with their keys and schemas."""
    yield key, value, node
    if isinstance(value, dict | list):
        for name in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[name], child(node, name), (*key, name))


def kinds(node: dict[str, Any]) -> set[str]:
    """The JSON types that a schema allows."""
    if "enum" in node:
        return set()
    types = node["type"]
    found = {types} if isinstance(types, str) else set(types)
    return found | {"integer"} if "number" in found else found


def faults(experiment: dict[str, Any]) -> Iterator[Fault]:
    for key, value, node in places(experiment, resolved(SCHEMA)):
        name = ".".join(map(str, key))
        if key:
            for kind, wrong in OF_KIND.items():
                if kind not in kinds(node):
                    yield Fault(key, wrong, f"{name} {'cannot be' if 'enum' in node else 'must be'} ")
        for keyword, wrong in OUT_OF_RANGE.items():
            if keyword in node and (keyword != "uniqueItems" or value):
                yield Fault(key, wrong(node[keyword], value), f"{name} ")
        if isinstance(value, dict):
            for required in node.get("required", ()):
                yield Fault((*key, required), REMOVED, f"{'.'.join(map(str, (*key, required)))} is missing")
            yield Fault((*key, 8), {}, f"{name or 'the file'} has the key 8, which is not text")
            where = f" in {name}" if key else ""
            if node["additionalProperties"] is False:
                yield Fault((*key, "zzz"), 1, f"unknown key 'zzz'{where}")
            elif "pattern" in resolved(node["propertyNames"]):
                yield Fault((*key, "A b"), {}, f"the name 'A b'{where} must consist of")


def broken(experiment: dict[str, Any], fault: Fault) -> dict[str, Any]:
    """A copy of the experiment with a fault; unchanged parts are shared."""
    result = here = copy.copy(experiment)
    for name in fault.key[:-1]:
        here[name] = copy.copy(here[name])
        here = here[name]
    if fault.value is REMOVED:
        del here[fault.key[-1]]
    else:
        here[fault.key[-1]] = fault.value
    return result


def error_of(experiment: dict[str, Any]) -> str:
    """The error message for an experiment; empty if it is valid."""
    try:
        check(experiment, [], REGISTRY, PAPERS)
    except UserError as error:
        return str(error)
    return ""


def wrong_messages(name: str, step: int, excluded: Collection[str] = ()) -> list[str]:
    """The wrong messages for every `step`-th fault of an experiment, except the `excluded` ones."""
    found = [fault for fault in faults(EXPERIMENTS[name]) if str(fault) not in excluded][::step]
    assert len(found) > (200 if excluded else 4000) / step
    messages = [(fault, error_of(broken(EXPERIMENTS[name], fault))) for fault in found]
    return [
        f"{fault}: {text!r}" for fault, text in messages if not text.startswith(f"--config: {fault.message}")
    ]


@pytest.mark.parametrize("step", [61, pytest.param(1, marks=pytest.mark.faults)])
def test_error_message_names_every_fault(step):
    assert [error_of(experiment) for experiment in EXPERIMENTS.values()] == ["", ""]
    assert wrong_messages("paper", step) == []
    # The demo is merged over the paper's experiment, so that most of its faults have been tested.
    assert wrong_messages("demo", step, excluded={str(fault) for fault in faults(EXPERIMENTS["paper"])}) == []


@pytest.mark.parametrize(
    "line",
    [
        "--configfile none.yaml",
        "--configfiles config.yaml none.yaml -n",
        "--configfile=none.yaml results/table1.csv",
        "--configfile workflow -n",
    ],
)
def test_missing_configuration_file_is_reported(project, line):
    result = project.call(f"snakemake --cores 1 {line}")
    assert result.returncode == 1
    name = "none.yaml" if "none" in line else "workflow"
    assert result.stderr == (
        f"error: --configfile: there is no file {name}: name an existing file, and put targets after `--`\n"
    )


@pytest.mark.parametrize("value", ["3", "[a]", "x", "0.5", "true"])
@pytest.mark.parametrize(
    "line", ["--configfile mine.yaml", "--config 'papers=[words]' 'a=[' pathvars={}", ""]
)
def test_pathvars_must_be_a_mapping(restored, line, value):
    """Snakemake uses them before the Snakefile can check them."""
    place = "mine.yaml" if "mine" in line else "--config" if line else "config.yaml"
    (restored.root / "mine.yaml").write_text(f"pathvars: {value}\n")
    if place == "config.yaml":
        (restored.root / place).write_text(f"pathvars: {value}\n")
    result = restored.call(f"snakemake --cores 1 {line.format(value)} -n")
    assert result.returncode == 1
    shown = repr(yaml.safe_load(value))
    assert result.stderr == f"error: {place}: pathvars must be a mapping of keys to values, not {shown}\n"


# Arbitrary values at several arbitrary keys.
LEAF = st.sampled_from(
    [*OF_KIND.values(), 0, 1, 1e400, float("nan"), 10**30, "", "ptb", "smim-512", "\0", "a\nb", "-x"]
)
JUNK = (
    LEAF | st.lists(LEAF, max_size=2) | st.dictionaries(st.text(max_size=3) | st.integers(), LEAF, max_size=2)
)
KEYS = st.sampled_from([key for key, *_ in places(EXPERIMENTS["paper"], resolved(SCHEMA)) if key])


@pytest.mark.parametrize("examples", [40, pytest.param(3000, marks=pytest.mark.faults)])
def test_several_faults_give_one_error_message(examples):
    @settings(max_examples=examples, deadline=None, database=None)
    @given(st.dictionaries(KEYS, JUNK | st.just(REMOVED), min_size=1, max_size=4))
    @example({("words", "model"): {8: 1}})
    def run(changes: dict[Key, Any]) -> None:
        experiment = EXPERIMENTS["paper"]
        for key, value in changes.items():
            try:
                experiment = broken(experiment, Fault(key, value, ""))
            except (KeyError, IndexError, TypeError):
                continue  # a parent key has been removed
        message = error_of(experiment)
        assert "\n" not in message
        assert len(message) < 1000
        assert not message or any(str(key[0]) in message for key in changes)

    run()
