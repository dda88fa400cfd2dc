import ast
import subprocess
import sys
from pathlib import Path

import pytest

from textlvm.runtime import fingerprint as fp
from textlvm.runtime.errors import UserError

# step imports part (relative) and folder.deep (a module named by a from-import), which imports low (lazily).
SOURCES = {
    "__init__.py": '"""The package."""\n',
    "step.py": (
        '"""A step."""\n'
        "import os\n"
        "from .part import double\n"
        "from textlvm.folder import deep\n"
        "def run(x: int = 1) -> int:\n"
        '    """Run."""\n'
        "    return double(x) + deep.BASE\n"
    ),
    "part.py": "def double(x):\n    return 2 * x\n",
    "folder/__init__.py": "",
    "folder/deep.py": (
        "BASE = 3\ndef lazy():\n    if BASE:\n        from ..low import LOW\n        return LOW\n"
    ),
    "low.py": "LOW = 1\n",
    "unrelated.py": "X = 1\n",
}


@pytest.fixture
def root(tmp_path):
    for name, source in SOURCES.items():
        path = tmp_path / "textlvm" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return tmp_path


def fingerprint(root: Path) -> str:
    fp._parsed.cache_clear()
    return fp.fingerprint("textlvm.step", root)


def edit(root: Path, name: str, old: str, new: str) -> None:
    path = root / "textlvm" / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_dependencies_are_all_modules_that_an_import_may_run(root):
    modules = ("step", "part", "folder", "folder.deep", "low")
    assert fp.dependencies("textlvm.step", root) == {"textlvm", *(f"textlvm.{name}" for name in modules)}


def test_module_of_a_package_is_its_main(root):
    main = root / "textlvm" / "folder" / "__main__.py"
    main.write_text("from textlvm import unrelated")
    assert fp.dependencies("textlvm.folder", root) >= {"textlvm.folder.__main__", "textlvm.unrelated"}


def test_dependencies_include_every_module_that_python_loads():
    """Compare with the modules that Python has loaded after the import."""
    module = "textlvm.words.evaluate"
    script = f"import sys, {module}; print(*[m for m in sys.modules if m.split('.')[0] == 'textlvm'])"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=fp.ROOT
    ).stdout.split()
    records = set().union(*(fp.dependencies(record) for record in fp.RECORDS))
    assert set(loaded) <= fp.dependencies(module) | records
    # A module that provenance imports is still a dependency of other modules.
    assert "textlvm.corpora.folders" in fp.dependencies("textlvm.corpora.counting")


def test_provenance_is_not_a_dependency(root):
    edit(root, "step.py", "import os\n", "import os\nfrom textlvm.runtime import provenance\n")
    (root / "textlvm" / "runtime").mkdir()
    (root / "textlvm" / "runtime" / "provenance.py").write_text("from textlvm import unrelated\n")
    assert not fp.dependencies("textlvm.step", root) & {"textlvm.runtime.provenance", "textlvm.unrelated"}


MEANING = {
    "touch": ("step.py", "1", "1"),
    "format and comment": ("part.py", "return 2 * x", "return (  2*x  )  # twice"),
    "new docstring": ("part.py", "(x):\n", '(x):\n    """Twice."""\n'),
    "other docstring": ("step.py", '"""A step."""', '"""The step, in other words."""'),
    "no docstring": ("step.py", '    """Run."""\n', ""),
    "attribute docstring": ("low.py", "LOW = 1\n", 'LOW = 1\n"""The lowest."""\n'),
    "unrelated module": ("unrelated.py", "1", "2"),
}
OTHER = {
    "the step": ("step.py", "x: int = 1", "x: int = 2"),
    "relative import": ("part.py", "2 * x", "3 * x"),
    "module imported by name": ("folder/deep.py", "BASE = 3", "BASE = 3.0"),
    "lazy import, two levels down": ("low.py", "LOW = 1", "LOW = None"),
    "package": ("__init__.py", "\n", "\nX = 1\n"),
    "branch": ("part.py", "2 * x", "2 * x if x else None"),
    "import": ("step.py", "from .part import double", "from .low import double"),
}


@pytest.mark.parametrize("change", [*MEANING, *OTHER])
def test_fingerprint_changes_only_with_the_meaning(root, change):
    before = fingerprint(root)
    edit(root, *(MEANING | OTHER)[change])
    assert (fingerprint(root) != before) == (change in OTHER)


def test_new_import_changes_the_fingerprint(root):
    before = fingerprint(root)
    edit(root, "low.py", "LOW = 1", "from textlvm import unrelated\nLOW = 1")
    assert fingerprint(root) != before
    assert "textlvm.unrelated" in fp.dependencies("textlvm.step", root)


def test_empty_fields_of_a_new_python_version_are_ignored():
    tree = ast.parse("def f(x):\n    return x")
    before = fp.meaning(tree)
    tree.body[0]._fields = (*tree.body[0]._fields, "type_params")
    tree.body[0].type_params = []
    assert fp.meaning(tree) == before


def test_error_message_names_an_unknown_module():
    with pytest.raises(UserError, match=r"no module textlvm\.words\.trane"):
        fp.fingerprint("textlvm.words.trane")


def test_each_file_is_parsed_once_per_process(root):
    fingerprint(root)
    for _ in range(10):
        fp.fingerprint("textlvm.step", root)
    assert fp._parsed.cache_info().misses == 6


def test_cpp_sources_of_a_package_change_the_fingerprint(root):
    source = root / "textlvm" / "folder" / "deep.cpp"
    source.write_text("int base() { return 3; } // three\n")
    before = fingerprint(root)
    source.write_text("// The base.\nint base() {\n    return 3;\n}\n")
    assert fingerprint(root) == before
    source.write_text("int base() { return 4; }\n")
    assert fingerprint(root) != before
