"""Check the configuration of an experiment: config.yaml and the files merged over it.

Snakemake merges the files; here the result is checked against the schema and for consistency. An error is one
sentence that names the file, the key and the valid names.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from textlvm.corpora.registry import Corpus
from textlvm.experiment.canonical import canonical
from textlvm.experiment.paper import Paper, in_use
from textlvm.experiment.relations import check_relations
from textlvm.runtime.errors import UserError, nearest
from textlvm.runtime.validation import Key, Problem, dotted, json_schema, shortened, validate
from textlvm.runtime.yaml_file import read_yaml

__all__ = ["check", "merged", "origin", "schema"]

# Control characters and lone surrogates, which tables, command lines or files cannot contain.
ODD = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
LIMIT = 2**63  # excludes infinity and NaN, too


def check(
    config: Mapping[str, Any],
    files: Sequence[str | Path],
    registry: Mapping[str, Corpus],
    papers: Mapping[str, Paper],
) -> dict[str, Any]:
    """Check a merged configuration; returns it with every number in the type that the schema gives.

    Entries that a later file removes with null are omitted.

    `files` are the YAML or JSON files that were merged, in this order; error messages name the file that
    contains a value. `registry` has the corpora that need no entry in the configuration, `papers` all papers
    that may have a section in the configuration.

    Raises `UserError` with one sentence for the first error: a value that the schema does not allow, values
    that contradict each other, a key that occurs twice, a missing corpus or file.
    """
    contents = [read_yaml(file) for file in files]
    removable = [(name, *key) for name, paper in papers.items() for key in paper.planner.REMOVABLE]
    whole = schema(papers.values())
    try:
        _check_values(config, ())
        config = _without_removed(config, contents, removable)
        validate(config, whole)
        checked: dict[str, Any] = canonical(config, whole)
        check_relations(checked, registry, in_use(checked, papers))
    except Problem as problem:
        raise UserError(f"{origin(config, problem.key, files)}: {problem}") from None
    return checked


def origin(config: Mapping[str, Any], key: Key, files: Sequence[str | Path]) -> str:
    """The origin of the value at `key`: the last of the files that contains it, or else `--config`.

    For a mapping, which several files may extend, it is the last file that contains a part of it.
    """
    value = _at(config, key)
    for file in reversed(files):
        given = _at(read_yaml(file), key)
        are_nan = given != given and value != value
        if given == value or are_nan or (isinstance(given, Mapping) and isinstance(value, Mapping)):
            return str(file)
    return "--config"


def merged(files: Iterable[str | Path]) -> dict[str, Any]:
    """Merge configuration files as Snakemake does; later ones take precedence.

    Raises `UserError` for a file that does not exist or is not a configuration.
    """
    config: dict[str, Any] = {}
    for file in files:
        config = _merge(config, read_yaml(file))
    return config


def schema(papers: Iterable[Paper]) -> dict[str, Any]:
    """The JSON schema of the configuration, with the schema of each paper's section under its name.

    Definitions are prefixed with the name of the paper, as in `words_model`, so that they do not collide.
    """
    base = json_schema("config")
    whole = {**base, "properties": {**base["properties"]}, "$defs": {**base["$defs"]}}
    whole["required"] = [*base["required"]]
    for paper in papers:
        section = read_yaml(paper.schema)
        renamed = {f"#/$defs/{name}": f"#/$defs/{paper.name}_{name}" for name in section.get("$defs", {})}
        for name, entry in section.get("$defs", {}).items():
            whole["$defs"][f"{paper.name}_{name}"] = _with_references(entry, renamed)
        part = {key: value for key, value in section.items() if key != "$defs"}
        whole["properties"][paper.name] = _with_references(part, renamed)
        whole["required"].append(paper.name)
    return whole


def _with_references(node: Any, renamed: Mapping[str, str]) -> Any:
    """A part of a schema with renamed references."""
    if isinstance(node, Mapping):
        return {
            key: renamed.get(value, value) if key == "$ref" else _with_references(value, renamed)
            for key, value in node.items()
        }
    return [_with_references(item, renamed) for item in node] if isinstance(node, list) else node


def _merge(below: Any, above: Any) -> Any:
    """Merge a value over another: keys of mappings are combined, anything else is replaced."""
    if not isinstance(above, Mapping):
        return above
    if not above:
        # As in Snakemake, an empty mapping changes nothing, even if it is merged over another type.
        return below
    below = below if isinstance(below, Mapping) else {}
    return {**below, **{key: _merge(below.get(key, {}), value) for key, value in above.items()}}


def _without_removed(
    value: Any, contents: Sequence[Any], patterns: Iterable[Sequence[str]], key: Key = ()
) -> Any:
    """The value at a key without the null entries that match one of the patterns of keys.

    Raises `Problem` for a null that removes nothing, because no file in `contents` has an entry there.
    """
    if not isinstance(value, Mapping) or not patterns:
        return value
    kept = {}
    for name, item in value.items():
        inner = [rest for first, *rest in patterns if first in ("*", name)]
        item_key = (*key, name)
        if item is not None or [] not in inner:
            kept[name] = _without_removed(item, contents, [rest for rest in inner if rest], item_key)
        elif all(_at(content, item_key) in (..., None) for content in contents):
            others = [other for other, entry in value.items() if entry is not None]
            raise Problem(
                item_key,
                f"{dotted(item_key)} must be an entry; null removes an entry of an earlier file, but there "
                f"is none; {nearest(name, others)}",
            )
    return kept


def _check_values(value: Any, key: Key) -> None:
    """Check what a schema cannot express: keys that are numbers, control characters, infinity and NaN."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if not isinstance(name, str):
                raise Problem(key, f"{dotted(key)} has the key {name!r}, which is not text: put it in quotes")
            if ODD.search(name):
                raise Problem(key, f"{dotted(key)} has the key {name!r}: write it on one line, in plain text")
            _check_values(item, (*key, name))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            _check_values(item, (*key, i))
    elif isinstance(value, str) and (odd := ODD.search(value)):
        raise Problem(key, f"{dotted(key)} contains {odd[0]!r}: write it on one line, in plain text")
    elif isinstance(value, int | float) and not abs(value) < LIMIT:
        raise Problem(key, f"{dotted(key)} must be a number between -2^63 and 2^63, not {shortened(value)}")


def _at(value: Any, key: Key) -> Any:
    """The value at a key; `...`, which equals no value of YAML, if there is none."""
    for part in key:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return ...
    return value
