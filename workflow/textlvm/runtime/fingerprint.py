"""A fingerprint of a step's code: a short string that changes when the meaning of the code changes.

Snakemake sees the command line of a rule but not the package behind it. Rules therefore pass
`fingerprint("textlvm.words.train")` as a parameter: editing code that this module imports from textlvm reruns
the step; touching, formatting, commenting or documenting it does not.
"""

import ast
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from textlvm.runtime.errors import UserError

__all__ = ["dependencies", "fingerprint", "meaning"]

PACKAGE = "textlvm"
ROOT = Path(__file__).parents[2]
# Modules that only record how a result was computed.
RECORDS = {f"{PACKAGE}.runtime.provenance"}
# The C++ sources of a package are in its folder.
COMPILED = {".cpp", ".h"}
# Fields of the syntax tree that describe notation, not meaning.
NOTATION = {"kind", "type_comment", "type_ignores"}


def fingerprint(module: str, root: Path = ROOT) -> str:
    """A digest of the code that `python -m module` runs from the package, 16 hexadecimal digits.

    `root` is the folder that contains the package. Raises `UserError` for a module that does not exist.
    """
    digest = hashlib.sha256()
    for name in sorted(dependencies(module, root)):
        digest.update(f"{name}\0{_parsed(name, root)[0]}\0".encode())
    return digest.hexdigest()[:16]


def dependencies(module: str, root: Path = ROOT) -> set[str]:
    """The modules of the package that `python -m module` imports, directly or not, found without running any.

    They include the module itself; of a package, that is its `__main__` if it has one.
    Imports inside functions count, and so do the packages that contain a module, because importing it runs
    them. Modules in `RECORDS` are excluded.
    """
    if _path(module, root) is None:
        raise UserError(f"no module {module} under {root}: name a module of the package {PACKAGE}")
    main = f"{module}.__main__"
    modules: set[str] = set()
    waiting = [main if _path(main, root) else module]
    while waiting:
        name = waiting.pop()
        if name not in modules and _path(name, root) is not None:
            modules.add(name)
            waiting += _parsed(name, root)[1]
            if "." in name:
                waiting.append(name.rpartition(".")[0])
    return modules


def meaning(node: Any) -> str:
    """A syntax tree as text, without positions, docstrings and other statements without effect.

    Unlike that of `ast.dump`, the text does not depend on the version of Python: empty fields are omitted, so
    a field that a new version adds changes nothing.
    """
    if isinstance(node, ast.AST):
        fields = [
            f"{name}={meaning(value)}"
            for name, value in ast.iter_fields(node)
            if value is not None and value != [] and name not in NOTATION
        ]
        return f"{type(node).__name__}({','.join(fields)})"
    if isinstance(node, list):
        return f"[{','.join([meaning(item) for item in node if not _has_no_effect(item)])}]"
    return repr(node)


def _has_no_effect(node: Any) -> bool:
    """Whether a statement has no effect: `pass`, a docstring, a string below an attribute."""
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


@cache
def _parsed(module: str, root: Path) -> tuple[str, tuple[str, ...]]:
    """The meaning of a module, and the modules it may import."""
    path = _path(module, root)
    assert path is not None
    tree = ast.parse(path.read_bytes(), filename=str(path))
    is_package = path.name == "__init__.py"
    compiled = _compiled(path.parent) if is_package else ""
    return meaning(tree) + compiled, tuple(_imports(tree, module, is_package))


def _compiled(folder: Path) -> str:
    """The C++ sources in a folder, without comments and with normalised white space."""
    paths = sorted(path for path in folder.iterdir() if path.suffix in COMPILED)
    sources = [re.sub(r"//[^\n]*", "", path.read_text(encoding="utf-8")) for path in paths]
    return "".join("\0" + " ".join(source.split()) for source in sources)


def _imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[str]:
    """Names in the package that `tree` imports; some may not be modules."""
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                above = module.split(".")
                above = above[: len(above) - node.level + is_package]
                source = ".".join([*above, *filter(None, [source])])
            # `from package import name` may mean a submodule.
            targets = [source, *(f"{source}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in targets if name.split(".")[0] == PACKAGE and name not in RECORDS)


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    """All statements below `node`; several times faster than `ast.walk`, which also visits expressions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _statements(child)


def _path(module: str, root: Path) -> Path | None:
    """The file of a module or package; None if there is none."""
    base = root.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None
