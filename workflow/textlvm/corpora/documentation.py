"""Write the documentation corpus: the docstrings of the current Python environment, as plain text.

Every installation contains this English prose, so no network is needed: the docstrings of the standard
library and of all installed distributions, and the language reference in `pydoc_data.topics`. They are read
with `ast`; nothing is imported or run. The text depends only on the installed versions, not on the place or
order of installation.

    python -m textlvm.corpora.documentation --processes 2 \\
        --out documentation.txt --docstrings docstrings.jsonl

Writes OUT: UTF-8 text, one paragraph per docstring, separated by blank lines, without duplicates; and
DOCSTRINGS: each docstring as a line of JSON, [name, kind, module, text].
"""

import argparse
import ast
import inspect
import json
import logging
import re
import signal
import sysconfig
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath

from textlvm.runtime import cli, files
from textlvm.runtime.errors import UserError, repair

__all__ = ["Docstring", "docstrings", "module_docstrings", "prose", "read", "write"]

# The docstrings of this package would change the corpus with every edit; installers differ by environment.
EXCLUDED = {"textlvm", "pip", "setuptools", "wheel"}
# Tests are half of the code to parse, but have 4% of the words, mostly names of test cases.
TEST_FOLDERS = {"test", "tests", "testing", "_test", "_tests", "idle_test"}
TEST_FILES = re.compile(r"test_.*|.*_test|conftest")
TOPICS = PurePosixPath("pydoc_data/topics.py")
FILES_AT_ONCE = 50
"""Number of files that a process is given at a time."""

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Docstring:
    """The documentation of one object."""

    name: str
    """Qualified name of the object, `collections.OrderedDict.popitem`; of a topic, its title."""
    kind: str
    """module | class | function | method | topic."""
    module: str
    """Module that defines the object."""
    text: str
    """The docstring without its indentation."""


def docstrings(processes: int = 1) -> Iterator[Docstring]:
    """Yield all docstrings of the environment, in an order that depends only on names.

    The standard library comes first, then the distributions by name. Tests and files that this Python cannot
    parse are skipped. Parsing is nearly all of the work; several `processes` share it.
    """
    if processes == 1:
        for source in _sources():
            yield from _file_docstrings(source)
        return
    # An interruption from the keyboard reaches all processes; only this one reports it.
    with ProcessPoolExecutor(
        processes, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)
    ) as pool:
        for found in pool.map(_file_docstrings, _sources(), chunksize=FILES_AT_ONCE):
            yield from found


def write(path: Path, documentation: Iterable[Docstring]) -> None:
    """Write docstrings as lines of JSON."""
    files.write_text(path, "".join(f"{json.dumps(astuple(docstring))}\n" for docstring in documentation))


def read(path: Path) -> Iterator[Docstring]:
    """Read the docstrings that `write` has written. Raises `UserError` if the file cannot be read."""
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                yield Docstring(*json.loads(line))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"cannot read {path} ({error}): {repair(path)}") from error


def module_docstrings(tree: ast.Module, module: str) -> Iterator[Docstring]:
    """Yield the docstrings of a module, its classes, methods and functions, in the order of the file.

    Definitions inside functions are skipped, because they have no importable name.
    """
    if text := ast.get_docstring(tree):
        yield Docstring(module, "module", module, text)
    for name, kind, node in _definitions(tree.body, module, "function"):
        if text := ast.get_docstring(node):
            yield Docstring(name, kind, module, text)


def prose(docstring: str) -> str:
    r"""Remove blank lines and doctests, from the prompt to the end of the output.

    Examples are code, and their output is often numbers, not language.

    >>> prose("Add up.\n\n>>> add(1, 2)\n3\n\nNever fails.")
    'Add up.\nNever fails.'
    """
    kept = []
    example = False
    for line in docstring.splitlines():
        if not line.strip():
            example = False
        elif line.lstrip().startswith(">>>"):
            example = True
        elif not example:
            kept.append(line.rstrip())
    return "\n".join(kept)


def _sources() -> Iterator[tuple[PurePosixPath, Path]]:
    """Yield (path in its folder, file) for every Python file that is not a test."""
    folder = Path(sysconfig.get_path("stdlib"))
    for path in sorted(folder.rglob("*.py"), key=lambda path: path.relative_to(folder).as_posix()):
        name = PurePosixPath(path.relative_to(folder).as_posix())
        if name.parts[0] not in ("site-packages", "dist-packages") and not _is_test(name):
            yield name, path
    installed: dict[str, metadata.Distribution] = {}
    for distribution in metadata.distributions():
        # Python imports the first one found.
        installed.setdefault(re.sub(r"[-_.]+", "-", distribution.name).lower(), distribution)
    for key in sorted(installed.keys() - EXCLUDED):
        for file in sorted(installed[key].files or (), key=str):
            if file.suffix == ".py" and ".." not in file.parts and not _is_test(file):
                yield PurePosixPath(file), Path(file.locate())


def _file_docstrings(source: tuple[PurePosixPath, Path]) -> list[Docstring]:
    """The docstrings of one file of `_sources`; none if this Python cannot parse it."""
    name, path = source
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    module = ".".join(name.with_suffix("").parts).removesuffix(".__init__")
    return list(_topics(tree) if name == TOPICS else module_docstrings(tree, module))


def _is_test(name: PurePosixPath) -> bool:
    return not TEST_FOLDERS.isdisjoint(name.parts) or TEST_FILES.fullmatch(name.stem) is not None


def _definitions(
    body: list[ast.stmt], prefix: str, function_kind: str
) -> Iterator[tuple[str, str, Definition]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            name = f"{prefix}.{node.name}"
            yield name, "class", node
            yield from _definitions(node.body, name, "method")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}.{node.name}", function_kind, node
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from _definitions(node.body, prefix, function_kind)
            yield from _definitions(getattr(node, "orelse", []), prefix, function_kind)
            for handler in getattr(node, "handlers", []):
                yield from _definitions(handler.body, prefix, function_kind)


def _topics(tree: ast.Module) -> Iterator[Docstring]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Constant):
                    text = inspect.cleandoc(str(value.value))
                    yield Docstring(str(key.value), "topic", "pydoc_data.topics", text)


def _main(options: argparse.Namespace) -> None:
    found = list(docstrings(options.processes))
    # A dict removes duplicates and keeps the order.
    paragraphs = dict.fromkeys(prose(docstring.text) for docstring in found)
    paragraphs.pop("", None)
    if not paragraphs:
        raise UserError("this Python has no docstrings; use an installation with docstrings")
    text = "\n\n".join(paragraphs) + "\n"
    # String literals may contain lone surrogates, which UTF-8 cannot encode.
    files.write_bytes(options.out, text.encode("utf-8", errors="replace"))
    write(options.docstrings, found)
    logger.info("%s docstrings, %s characters", f"{len(paragraphs):,}", f"{len(text):,}")


def _arguments() -> argparse.ArgumentParser:
    parser = cli.parser(__doc__)
    parser.add_argument("--out", type=Path, required=True, help="text file to write")
    parser.add_argument("--docstrings", type=Path, required=True, help="file of JSON lines to write")
    parser.add_argument(
        "--processes", type=cli.at_least(1), default=1, help="number of processes that parse files"
    )
    return parser


if __name__ == "__main__":
    cli.run(_main, _arguments())
