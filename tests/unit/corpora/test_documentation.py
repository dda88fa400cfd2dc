import ast
import bisect
import inspect
import textwrap
from importlib import metadata
from pathlib import Path
from pydoc_data.topics import topics

import pytest

from textlvm.corpora import documentation
from textlvm.corpora.documentation import Docstring, docstrings, module_docstrings, prose, read, write
from textlvm.runtime.errors import UserError

MODULE = '''
"""A module."""

def function():
    """Do it.

    Like so:
        indented.
    """
    def inner():
        """Out of reach."""

async def waiting(): "Wait."

class Outer:
    """A class."""
    value = "no docstring"
    def method(self):
        """A method."""
    class Inner:
        def method(self):
            "Deep."

try:
    def fast():
        """Fast."""
except ImportError:
    def slow():
        """Slow."""
if True:
    pass
else:
    class Other:
        """Other."""
def silent(): pass
'''


def test_module_docstrings_are_in_the_order_of_the_file():
    found = list(module_docstrings(ast.parse(MODULE), "package.module"))
    assert [(d.name.removeprefix("package.module"), d.kind, d.text) for d in found] == [
        ("", "module", "A module."),
        (".function", "function", "Do it.\n\nLike so:\n    indented."),
        (".waiting", "function", "Wait."),
        (".Outer", "class", "A class."),
        (".Outer.method", "method", "A method."),
        (".Outer.Inner.method", "method", "Deep."),
        (".fast", "function", "Fast."),
        (".slow", "function", "Slow."),
        (".Other", "class", "Other."),
    ]
    assert {d.module for d in found} == {"package.module"}


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("One.\n\nTwo.  \n", "One.\nTwo."),
        ("Sum.\n\n>>> 1 + 1\n2\n\nDone.", "Sum.\nDone."),
        ("Sum.\n    >>> for i in x:\n    ...     print(i)\n    1\n    2\n    \nDone.", "Sum.\nDone."),
        (">>> 1\n1", ""),
        ("Shift by x >>> y.", "Shift by x >>> y."),
    ],
)
def test_prose(docstring, expected):
    assert prose(docstring) == expected


class Distribution:
    def __init__(self, name, folder, files):
        self.name = name
        self.files = [metadata.PackagePath(file) for file in files]
        for file, content in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(content)
        for file in self.files:
            file.dist = self
        self.locate_file = lambda path: folder / path


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """A small standard library, and distributions that are found in the order of the returned list."""
    library = tmp_path / "lib"
    for name, content in {
        "zoo.py": b'"""Animals."""',
        "json/__init__.py": b'"""JSON."""',
        "json/tests/test_it.py": b'"""Test it."""',
        "test/support.py": b'"""Support."""',
        "site-packages/other.py": b'"""Other."""',
        "pydoc_data/topics.py": b"topics = {'assert': 'The \"assert\" statement\\n*****\\n\\nAssert it.\\n'}",
    }.items():
        (library / name).parent.mkdir(parents=True, exist_ok=True)
        (library / name).write_bytes(content)
    monkeypatch.setattr(documentation.sysconfig, "get_path", lambda _: str(library))
    distributions = [
        Distribution("Zebra_stripes", tmp_path / "z", {"zebra.py": b'"""Zebra."""', "data.txt": b"no"}),
        Distribution(
            "alpha", tmp_path / "a", {"alpha.py": b'"""Alpha."""', "bad.py": b'"""x""" (', "nul.py": b"\0"}
        ),
        Distribution("alpha", tmp_path / "a2", {"alpha.py": b'"""Hidden by the first."""'}),
        Distribution("pip", tmp_path / "p", {"pip.py": b'"""Pip."""'}),
        Distribution("textlvm", tmp_path / "t", {"textlvm.py": b'"""Textlvm."""'}),
    ]
    monkeypatch.setattr(documentation.metadata, "distributions", lambda: distributions)
    return distributions


def test_docstrings_of_an_environment(environment):
    found = [(d.name, d.text) for d in docstrings()]
    assert found == [
        ("json", "JSON."),
        ("assert", 'The "assert" statement\n*****\n\nAssert it.'),
        ("zoo", "Animals."),
        ("alpha", "Alpha."),
        ("zebra", "Zebra."),
    ]


def test_docstrings_do_not_depend_on_the_order_of_installation(environment):
    before = list(docstrings())
    environment.reverse()
    environment[3], environment[2] = environment[2], environment[3]
    assert list(docstrings()) == before


def test_docstrings_do_not_depend_on_the_number_of_processes(environment, monkeypatch):
    monkeypatch.setattr(documentation, "FILES_AT_ONCE", 2)
    assert list(docstrings(processes=2)) == list(docstrings())


def test_written_docstrings_are_read_again(tmp_path):
    path = tmp_path / "docstrings.jsonl"
    written = [Docstring("m.f", "function", "m", "Two\nlines."), Docstring("m", "module", "m", "\udc80 café")]
    write(path, written)
    assert list(read(path)) == written


@pytest.mark.parametrize(
    "content", [b'["m", "module", "m", "Cut of', b'["m", "module"]\n', b"\xff\n", b"1\n"]
)
def test_damaged_file_of_docstrings_is_rejected(tmp_path, content):
    path = tmp_path / "docstrings.jsonl"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"cannot read .*docstrings\.jsonl"):
        list(read(path))


def test_docstrings_equal_those_of_inspect_and_pydoc(monkeypatch):
    monkeypatch.setattr(documentation.metadata, "distributions", list)
    names = ["pydoc_data/topics.py", "bisect.py", "textwrap.py"]
    monkeypatch.setattr(Path, "rglob", lambda folder, _: [folder / name for name in names])
    found = {docstring.name: docstring for docstring in docstrings()}
    assert found["bisect"].text == inspect.getdoc(bisect)
    assert found["textwrap.TextWrapper"].text == inspect.getdoc(textwrap.TextWrapper)
    assert found["textwrap.dedent"].text == inspect.getdoc(textwrap.dedent)
    assert found["assert"].text == topics["assert"].strip()


def test_command_line_writes_each_docstring_once(environment, tmp_path, monkeypatch):
    environment[0].files.append(metadata.PackagePath("again.py"))
    environment[0].files[-1].dist = environment[0]
    (tmp_path / "z" / "again.py").write_bytes(b'"""Alpha."""\ndef f(): "\\udc80 caf\\u00e9"')
    out, found = tmp_path / "documentation.txt", tmp_path / "docstrings.jsonl"
    options = ["--out", str(out), "--docstrings", str(found)]
    documentation._main(documentation._arguments().parse_args(options))
    assert list(read(found)) == list(docstrings())
    assert out.read_text(encoding="utf-8").split("\n\n") == [
        "JSON.",
        'The "assert" statement\n*****\nAssert it.',
        "Animals.",
        "Alpha.",
        "? café",
        "Zebra.\n",
    ]
