"""Every line of the table in docs/promises.md has tests, and each of them a change that must make it fail."""

import re

import pytest

from faults.mutations import ROOT, mutations

ALL = mutations()


def names(file: str) -> list[str]:
    """The names of the tests in a file, behind that of their class."""
    text = (ROOT / "tests" / "faults" / file).read_text(encoding="utf-8")
    found, within = [], ""
    for spaces, kind, name in re.findall(r"^( *)(class|def) (\w+)", text, flags=re.MULTILINE):
        if not spaces:
            within = name if kind == "class" else ""
        if kind == "def" and name.startswith("test_"):
            found.append(f"{within}.{name}")
    return found


def promised() -> list[tuple[str, str]]:
    """Files of tests in the table of promises, each with words of a test's name or none."""
    section = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8").partition("## Guarantees")[2]
    rows = re.findall(r"^\|.*\| ([^|]*`[^|]*) \|$", section.partition("\n## ")[0], flags=re.MULTILINE)
    found, file = [], ""
    for row in rows:
        for said in re.findall(r"`([\w.]+)`", row):
            file, words = (said, "") if said.endswith(".py") else (file, said)
            found.append((file, words))
    # Of a file that is named with some of its tests, these are meant.
    named = {file for file, words in found if words}
    return [(file, words) for file, words in found if words or file not in named]


@pytest.mark.parametrize("mutation", ALL, ids=lambda mutation: mutation.without)
def test_a_mutation_fits_what_it_changes(mutation):
    assert mutation.applied(ROOT)
    assert any(mutation.words in name for name in names(mutation.test))


def test_every_promise_has_a_test_and_a_mutation():
    assert len(promised()) > 14
    for file, words in promised():
        assert any(words in name for name in names(file)), words
        assert any(file == each.test and words in each.words for each in ALL), (file, words)
