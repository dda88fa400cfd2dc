"""Messages name only options, keys, make targets, files and environment variables that exist."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from snakemake.cli import get_argument_parser

from textlvm.experiment.config import schema
from textlvm.experiment.paper import find

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "workflow"
CLAIMS_SCHEMA = WORKFLOW / "schemas" / "claims.schema.yaml"
CONFIG_SCHEMAS = [WORKFLOW / "schemas" / "config.schema.yaml", *WORKFLOW.glob("papers/*/config.schema.yaml")]
SCHEMA = schema(find({}, str).values())
PYTHON = [*sorted((WORKFLOW / "textlvm").rglob("*.py")), ROOT / "envs" / "bin" / "snakemake"]
OTHERS = [ROOT / "Snakefile", ROOT / "Makefile", ROOT / "envs" / "activate", *sorted(WORKFLOW.rglob("*.smk"))]
SUFFIXES = {"yaml", "json", "tsv", "csv", "md", "py", "txt", "safetensors"}


@cache
def sentences(file: Path) -> frozenset[str]:
    """The texts of several words in a file, without docstrings; `{}` represents a value."""
    text = file.read_text(encoding="utf-8")
    if file in PYTHON:
        return frozenset(_strings(ast.parse(text)))
    text = re.sub(r'""".*?"""', "", text, flags=re.DOTALL)
    return frozenset(found for found in re.findall(r'"[^"\n]*"|\'[^\'\n]*\'', text) if " " in found)


def _strings(tree: ast.Module) -> Iterator[str]:
    nodes = list(ast.walk(tree))
    idle = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        found = ""
        if isinstance(node, ast.JoinedStr):
            found = "".join(
                str(getattr(part, "value", "")) if isinstance(part, ast.Constant) else "{}"
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = node.value
        if " " in found and id(node) not in idle | parts:
            yield found


def advised(pattern: str) -> list[Any]:
    """The matches of a pattern's group in the sentences of the project, with the file."""
    return [
        pytest.param(name, file, id=f"{file.name}: {name}")
        for file in [*PYTHON, *OTHERS]
        for name in sorted({name for text in sentences(file) for name in re.findall(pattern, text)})
    ]


def properties(node: Any, parent: str = "") -> Iterator[tuple[str, str]]:
    """The keys that the schema of the configuration allows, each with its parent key."""
    if "$ref" in node:
        yield from properties(SCHEMA["$defs"][node["$ref"].rpartition("/")[2]], parent)
    for name, child in node.get("properties", {}).items():
        yield parent, name
        yield from properties(child, name)
    for key in ("additionalProperties", "items"):
        if node.get(key):
            yield from properties(node[key], parent)


KEYS = set(properties(SCHEMA))
NAMES = {name for _, name in KEYS}
VALUES = {
    value
    for file in CONFIG_SCHEMAS
    for values in re.findall(r"enum: \[(.*)\]", file.read_text("utf-8"))
    for value in re.findall(r"[a-z]\w+", values)
}
RULES = set(re.findall(r"^rule (\w+):", "\n".join(file.read_text("utf-8") for file in OTHERS), re.MULTILINE))
CLAIMS = set(re.findall(r"^ +(\w+):", CLAIMS_SCHEMA.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize(("option", "file"), advised(r"(?<![\w-])(--[a-z][a-z-]+)"))
def test_every_option_exists(option, file):
    packages = "".join(path.read_text(encoding="utf-8") for path in PYTHON)
    ours = set(re.findall(r'add_argument\(\s*"(--[a-z-]+)"', packages))
    snakemakes = {spelling for action in get_argument_parser()._actions for spelling in action.option_strings}
    assert option in ours | snakemakes


@pytest.mark.parametrize(("target", "file"), advised(r"(?:`|run |\d )make ([a-z]+)(?=[`,;:]|$)"))
def test_every_make_target_exists(target, file):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


SECTIONS = sorted({parent for parent, _ in KEYS if parent})


@pytest.mark.parametrize(
    ("key", "file"), advised(rf"(?<![\w./'-])((?:{'|'.join(SECTIONS)})(?:\.[a-z_]+)+)(?![\w/(])")
)
def test_every_dotted_key_exists(key, file):
    parts = key.split(".")
    if parts[-1] not in SUFFIXES:
        assert all(pair in KEYS for pair in pairwise(parts)), key


@pytest.mark.parametrize(("key", "file"), advised(r"`([a-z_]+)`"))
def test_every_quoted_name_exists(key, file):
    """A key of the configuration or a value of one, a target, or a key of a claim."""
    assert key in (CLAIMS if "claims" in file.parts else NAMES | VALUES | RULES)


@pytest.mark.parametrize(
    ("path", "file"),
    advised(r"(?<![\w/.<{}])((?:workflow|envs|docs)/[\w./-]*\w|(?!mine)[a-z]+\.yaml|[A-Z]+\.md)"),
)
def test_every_file_exists(path, file):
    # Some are in the folder of a paper.
    assert any((folder / path).exists() for folder in (ROOT, *WORKFLOW.glob("papers/*")))


@pytest.mark.parametrize(("variable", "file"), advised(r"\b(TEXTLVM_[A-Z_]+|CUDA_[A-Z_]+|OMP_[A-Z_]+)"))
def test_every_variable_is_read(variable, file):
    assert any(f'"{variable}"' in path.read_text(encoding="utf-8") for path in PYTHON)


def test_advice_is_found():
    assert len(advised(r"`([a-z_]+)`")) > 10
