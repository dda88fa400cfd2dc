"""Files in YAML or JSON, with line numbers in error messages."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from textlvm.runtime.errors import UserError

__all__ = ["read_yaml"]


def read_yaml(file: str | Path) -> dict[str, Any]:
    """The content of a file with keys and values. Raises `UserError` with the line if it cannot be read."""
    try:
        content = Path(file).read_bytes()
        text = content.decode()
        value = _data(text, file)
    except OSError as error:
        raise UserError(f"cannot read {file} ({error.strerror}): check its path") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{file}, line {line} is not UTF-8 text: save the file as UTF-8") from error
    except yaml.YAMLError as error:
        try:
            value = json.loads(text)  # JSON may contain tabs
        except ValueError:
            raise UserError(_malformed(file, text, error)) from error
    except (ValueError, RecursionError) as error:  # an invalid date, too many brackets
        raise UserError(f"{file} is neither YAML nor JSON ({error}): correct it") from error
    if not isinstance(value, dict):
        raise UserError(f"{file} has no keys with values: write lines such as `key: value`")
    return value


def _data(text: str, file: str | Path) -> Any:
    """The content of a YAML file, by the fast loader if both loaders agree on it."""
    # libyaml accepts tabs where Snakemake's loader does not.
    if "\t" not in text:
        with suppress(Exception):  # the other loader accepts it, or names the file and line
            return _FastLoader(text).get_single_data()
    loader = _Loader(text)
    loader.name = str(file)
    return loader.get_single_data()


class _UniqueKeys(SafeConstructor):
    """YAML in which a key must not occur twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                place = f"{key.start_mark.name}, line {key.start_mark.line + 1}"
                raise UserError(f"{place}: the key '{key.value}' occurs twice: rename or remove one")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _Loader(_UniqueKeys, yaml.SafeLoader):
    """YAML as Snakemake reads it."""


class _FastLoader(_UniqueKeys, yaml.CSafeLoader):
    """The loader of libyaml, which rejects lone surrogates and does not name the file."""


def _malformed(file: str | Path, text: str, error: yaml.YAMLError) -> str:
    """The error message for a file that is neither YAML nor JSON."""
    if isinstance(error, yaml.reader.ReaderError):
        line, problem = text.count("\n", 0, error.position), f"the character {chr(error.character)!r}"
    else:
        assert isinstance(error, yaml.MarkedYAMLError)
        line, problem = error.problem_mark.line, str(error.problem)
    if "\\t" in problem:
        return f"{file}, line {line + 1} is indented with a tab, which YAML does not allow: use spaces"
    return f"{file}, line {line + 1} is neither YAML nor JSON ({problem}): correct it"
