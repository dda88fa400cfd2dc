"""Every guarantee in docs/promises.md has a test, and every test a mutation that must make it fail."""

import re

import pytest

from faults.mutations import ROOT, mutations

ALL = mutations()


def names(file: str) -> list[str]:
    """The names of the tests in a file, each after the name of its class."""
    text = (ROOT / "tests" / "faults" / file).read_text(encoding="utf-8")
    found, within = [], ""
    for spaces, kind, name in re.findall(r"^( *)(class|def) (\w+)", text, flags=re.MULTILINE):
        if not spaces:
            within = name if kind == "class" else ""
        if kind == "def" and name.startswith("test_"):
            found.append(f"{within}.{name}")
    return found


def promised() -> list[tuple[str, str]]:
    """The tests in the table of guarantees: pairs of a file and a part of a test name, which may be empty."""
    section = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8").partition("## Guarantees")[2]
    rows = re.findall(r"^\|.*\| ([^|]*`[^|]*) \|$", section.partition("\n## ")[0], flags=re.MULTILINE)
    found, file = [], ""
    for row in rows:
        for quoted in re.findall(r"`([\w.]+)`", row):
            file, words = (quoted, "") if quoted.endswith(".py") else (file, quoted)
            found.append((file, words))
    # A file that is followed by parts of test names refers to these tests only.
    named = {file for file, words in found if words}
    return [(file, words) for file, words in found if words or file not in named]


@pytest.mark.parametrize("mutation", ALL, ids=lambda mutation: mutation.without)
def test_mutation_applies_and_has_a_test(mutation):
    assert mutation.applied(ROOT)
    assert any(mutation.words in name for name in names(mutation.test))


def test_every_guarantee_has_a_test_and_a_mutation():
    assert len(promised()) > 14
    for file, words in promised():
        assert any(words in name for name in names(file)), words
        assert any(file == each.test and words in each.words for each in ALL), (file, words)
