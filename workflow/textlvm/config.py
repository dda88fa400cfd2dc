"""Check the experiment that config.yaml and the files merged over it describe.

Merging is Snakemake's; here the result is held against the schema and against itself. Whatever is wrong is
said in one sentence that names the file, the key and the names that would have been right.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from textlvm.errors import UserError, nearest

__all__ = ["check", "origin", "schema"]

SCHEMA = Path(__file__).parent.parent / "schemas" / "config.schema.yaml"
KINDS = {
    "object": "a mapping of keys to values",
    "array": "a list",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "null": "null",
}
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "greater than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}
# What the other families of models read of `model`; anything else an entry said would do nothing.
READ_BY = {"gru": {"family", "dim"}, "oracle": {"family"}}

Key = tuple[str | int, ...]


class _Problem(Exception):
    """Something is wrong with the value at `key`."""

    def __init__(self, key: Key, message: str) -> None:
        super().__init__(message)
        self.key = key


def check(config: Mapping[str, Any], files: Sequence[str | Path], registry: Collection[str]) -> None:
    """Check a merged configuration.

    `files` are the YAML or JSON files it was merged from, later ones winning: they tell where a value
    stands. `registry` has the names of the corpora that need no entry in the configuration.

    Raises `UserError` with one sentence for the first thing that is wrong: a value that the schema does not
    allow, values that do not fit together, a key that stands twice, a corpus or a file that is not there.
    """
    for file in files:
        _read(file)
    try:
        _check_keys(config, ())
        for error in sorted(jsonschema.Draft202012Validator(schema()).iter_errors(config), key=_urgency):
            raise _violation(error)
        _check_corpora(config["words"]["corpora"], config["corpora"], registry)
        _check_words(config["words"])
    except _Problem as problem:
        raise UserError(f"{origin(config, problem.key, files)}: {problem}") from None


def origin(config: Mapping[str, Any], key: Key, files: Sequence[str | Path]) -> str:
    """Where the value at `key` comes from: the last of the files that has it, or else `--config`.

    Of a mapping, which several files may add to, it is the last one that says anything there.
    """
    value = _at(config, key)
    for file in reversed(files):
        found = _at(_read(file), key)
        if found == value or (isinstance(found, Mapping) and isinstance(value, Mapping)):
            return str(file)
    return "--config"


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of the configuration."""
    return yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))


def _check_corpora(
    used: Sequence[str], own: Mapping[str, Mapping[str, Any]], registry: Collection[str]
) -> None:
    """The corpora in use are known, and the files that the user gives for them are there."""
    for i, name in enumerate(used):
        if name not in registry and name not in own:
            known = nearest(name, {*registry, *own})
            raise _Problem(("words", "corpora", i), f"words.corpora lists '{name}'; {known}")
        if name in own and not Path(own[name]["path"]).exists():
            key = ("corpora", name, "path")
            raise _Problem(key, f"{_dotted(key)}: there is no file or folder {own[name]['path']}")


def _check_words(words: Mapping[str, Any]) -> None:
    """What the schema cannot say of the words paper's section: how its values fit together."""
    if words["vocabulary"]["min_length"] > words["vocabulary"]["max_length"]:
        raise _Problem(
            ("words", "vocabulary", "min_length"), "words.vocabulary.min_length exceeds max_length"
        )
    _check_training(("words", "training"), words["training"])
    labels: dict[tuple[str, int, str], str] = {}
    for split, runs in words["runs"].items():
        for name, entry in runs.items():
            key: Key = ("words", "runs", split, name)
            _check_run(key, entry, words)
            label = (split, entry["table"], entry["row"])
            if label in labels:
                raise _Problem(
                    (*key, "row"),
                    f"{_dotted(key)} has the same row label as {labels[label]}: give each its own",
                )
            labels[label] = name
    standard = words["runs"].get("standard", {})
    for figure, family in (("training_run", "state-space"), ("baseline", "gru")):
        fitting = [
            name
            for name, entry in standard.items()
            if entry.get("model", {}).get("family", words["model"]["family"]) == family
        ]
        name = words["figures"][figure]
        if name not in fitting:
            raise _Problem(
                ("words", "figures", figure),
                f"words.figures.{figure} is '{name}', but must be a run of the standard split "
                f"with model.family {family}; {nearest(name, fitting)}",
            )


def _check_run(key: Key, entry: Mapping[str, Any], words: Mapping[str, Any]) -> None:
    """How the effective settings of one run fit together."""
    model = words["model"] | entry.get("model", {})
    family, transition = model["family"], model["transition"]
    own = (*key, "model")
    for setting in entry.get("model", {}):
        if setting not in READ_BY.get(family, model):
            name = _dotted((*own, setting))
            raise _Problem((*own, setting), f"{name} does nothing for model.family {family}: remove it")
    if family == "state-space":
        where = own if "model" in entry else ("words", "model")
        if bool(model["masks"]) != (transition == "real-nvp"):
            needs = "needs" if transition == "real-nvp" else "takes no"
            raise _Problem(where, f"{_dotted(key)}: model.transition {transition} {needs} model.masks")
        if model["layers"] > 1 and transition != "tril":
            raise _Problem(where, f"{_dotted(key)}: model.layers must be 1 for model.transition {transition}")
        if any(mask >= model["dim"] for mask in model["masks"]):
            dim = model["dim"]
            raise _Problem(where, f"{_dotted(key)}: model.masks must be less than model.dim, which is {dim}")
    if "training" in entry:
        _check_training((*key, "training"), words["training"] | entry["training"])


def _check_training(key: Key, training: Mapping[str, Any]) -> None:
    """Entropies are measured only where the curve has an entry."""
    every, log_every = training["monitor_every"], training["log_every"]
    if every % log_every:
        raise _Problem(
            key, f"{_dotted(key)}.monitor_every ({every}) must be a multiple of log_every ({log_every})"
        )


def _check_keys(value: Any, key: Key) -> None:
    """YAML reads `8:` and `on:` as other things than text, which the schema cannot put in words."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if not isinstance(name, str):
                raise _Problem(
                    key, f"{_dotted(key)} has the key {name!r}, which is not text: put it in quotes"
                )
            _check_keys(item, (*key, name))


def _urgency(error: jsonschema.ValidationError) -> tuple[bool, bool, list[str]]:
    """Unknown keys first, missing ones last: a misspelt key is often why another is missing."""
    kind = error.validator
    return kind == "required", kind != "additionalProperties", [str(part) for part in error.absolute_path]


def _violation(error: jsonschema.ValidationError) -> _Problem:
    """A violation of the schema as a sentence."""
    key: Key = tuple(error.absolute_path)
    value, limit = error.instance, error.validator_value
    name = _dotted(key)
    match str(error.validator):
        case "additionalProperties":
            valid = error.schema["properties"]
            unknown = next(k for k in value if k not in valid)
            place = f" in {name}" if key else ""
            return _Problem((*key, unknown), f"unknown key {unknown!r}{place}; {nearest(unknown, valid)}")
        case "required":
            absent = next(k for k in limit if k not in value)
            return _Problem(key, f"{_dotted((*key, absent))} is missing")
        case "type":
            kinds = [limit] if isinstance(limit, str) else limit
            wanted = " or ".join(KINDS[kind] for kind in kinds)
            return _Problem(key, f"{name} must be {wanted}, not {_shown(value)}{_notation(value, kinds)}")
        case "enum":
            return _Problem(key, f"{name} cannot be {_shown(value)}; {nearest(str(value), map(str, limit))}")
        case "pattern" if "propertyNames" in error.absolute_schema_path:
            wanted = error.schema["description"]
            return _Problem((*key, value), f"the name {value!r} in {name} must consist of {wanted}")
        case "pattern":
            return _Problem(key, f"{name} must be {error.schema['description']}, not {_shown(value)}")
        case bound if bound in BOUNDS:
            return _Problem(key, f"{name} must be {BOUNDS[bound]} {limit}, not {_shown(value)}")
        case "minItems" | "minLength":
            return _Problem(key, f"{name} must not be empty")
        case "uniqueItems":
            return _Problem(key, f"{name} lists something twice: {_shown(value)}")
    return _Problem(key, f"{name}: {error.message}")


def _notation(value: Any, kinds: Sequence[str]) -> str:
    """The hint for numbers such as 1e-3, in which YAML misses the decimal point."""
    if "number" in kinds and isinstance(value, str):
        try:
            return f": write {float(value)!r}"
        except ValueError:
            pass
    return ""


def _shown(value: Any) -> str:
    """A value much as the user wrote it, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"


def _dotted(key: Key) -> str:
    """`words.runs.standard.tril`; `the file` for the whole."""
    return ".".join(map(str, key)) or "the file"


def _at(value: Any, key: Key) -> Any:
    """The value at a key; `...`, which equals no value of YAML, where there is none."""
    for part in key:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return ...
    return value


class _Loader(yaml.SafeLoader):
    """YAML as Snakemake reads it, except that a key may not stand twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                place = f"{self.name}, line {key.start_mark.line + 1}"
                raise UserError(f"{place}: the key '{key.value}' stands twice: rename or remove one")
            if isinstance(key, yaml.ScalarNode):
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def _read(file: str | Path) -> Any:
    """The content of one configuration file. Raises `UserError` for a key that stands twice."""
    with Path(file).open(encoding="utf-8") as stream:
        return yaml.load(stream, _Loader)
