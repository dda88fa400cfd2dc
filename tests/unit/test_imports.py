"""Imports of entry points: short jobs must not spend seconds on packages that they do not use."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

WORKFLOW = Path(__file__).parents[2] / "workflow"
HEAVY = {"torch", "pandas", "matplotlib", "seaborn", "scipy", "sklearn", "nltk", "rocrate"}

DRAWING = {"matplotlib", "pandas", "scipy", "seaborn"}
IMPORTED = {
    "textlvm.corpora.counting": set(),
    "textlvm.corpora.documentation": set(),
    "textlvm.corpora.download": set(),
    "textlvm.corpora.splits": set(),
    "textlvm.corpora.status": set(),
    "textlvm.corpora.vocabulary": set(),
    "textlvm.reporting.claims.__main__": set(),
    "textlvm.reporting.crate.__main__": {"rocrate"},
    "textlvm.reporting.page.__main__": {"pandas", "scipy"},
    "textlvm.reporting.readings": {"pandas", "scipy"},
    "textlvm.reporting.recorded.__main__": {"pandas", "scipy"},
    "textlvm.reporting.status": set(),
    "textlvm.reporting.tables": set(),  # pandas is imported only for tables in the papers' layout
    "textlvm.runtime.forking": set(),
    "textlvm.runtime.starter": set(),
    "textlvm.sentences.evaluate": {"scipy", "torch"},
    "textlvm.sentences.explore": {"torch"},
    "textlvm.sentences.figures": DRAWING,
    "textlvm.sentences.marginal.__main__": {"pandas", "scipy", "sklearn", "torch"},
    "textlvm.sentences.data.prepare": set(),
    "textlvm.sentences.qualitative": {"torch"},
    "textlvm.sentences.data.standins": set(),
    "textlvm.sentences.text_tables": set(),
    "textlvm.sentences.train": {"torch"},
    "textlvm.words.evaluate": {"torch"},
    "textlvm.words.explore": {"torch"},
    "textlvm.words.figures": DRAWING,
    "textlvm.words.ngram": set(),
    "textlvm.words.train": {"torch"},
}


def test_every_entry_point_is_listed():
    found = {
        ".".join(path.relative_to(WORKFLOW).with_suffix("").parts)
        for path in WORKFLOW.glob("textlvm/**/*.py")
        if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")
    }
    assert found == set(IMPORTED)


def loaded(statements: str, packages: set[str]) -> set[str]:
    """The packages that a new Python process has loaded after these statements."""
    code = f"import sys\n{statements}\nprint(*({packages!r} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=WORKFLOW
    )
    return set(result.stdout.split())


@pytest.mark.parametrize(
    "packages", sorted({tuple(sorted(used)) for used in IMPORTED.values()}), ids=", ".join
)
def test_entry_points_import_only_the_listed_packages(packages):
    """Import all modules with the same packages in one process."""
    modules = [module for module, used in IMPORTED.items() if used == {*packages}]
    assert loaded("\n".join(f"import {module}" for module in modules), HEAVY) == {*packages}


def test_rules_import_no_heavy_packages():
    # Every job on a cluster reads the rules again.
    files = [WORKFLOW.parent / "Snakefile", *WORKFLOW.glob("**/*.smk")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    imports = re.findall(r"^(?:from|import) textlvm.*$", text, flags=re.MULTILINE)
    assert len(imports) > 5
    assert loaded("\n".join(imports), HEAVY) == set()


def test_modules_for_rules_and_tables_do_not_import_numpy():
    light = "import textlvm.corpora.registry, textlvm.reporting.tables, textlvm.sentences.data.dataset"
    assert loaded(light, HEAVY | {"numpy"}) == set()
