"""The pins for pip and for conda agree, and each conda file has the packages that its rules import."""

import ast
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from textlvm.runtime import fingerprint as fp

ROOT = Path(__file__).parents[2]
ENVS = ROOT / "envs"
PYTHON = r"python -m (textlvm[\w.]+)"


def pins(file: str) -> dict[str, str]:
    lines = (ENVS / file).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def conda_pins(file: str) -> dict[str, str]:
    *_, last = yaml.safe_load((ENVS / file).read_text(encoding="utf-8"))["dependencies"]
    return dict(pin.split("==") for pin in last["pip"])


LOCKED = pins("requirements.txt")
DISTRIBUTIONS = packages_distributions()


def rules() -> dict[str, str]:
    """The rules of the workflow by name."""
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow").rglob("*.smk"))
    blocks = re.split(r"^(?:use )?rule ", text, flags=re.MULTILINE)[1:]
    return {re.split(r"[:\n]", block)[0]: block for block in blocks}


def entry_points() -> list[tuple[str, str]]:
    """Pairs of a conda file and a module that a rule runs in it."""
    found = [(re.search(r"envs/(\w+\.yaml)", b), re.search(PYTHON, b)) for b in rules().values()]
    return sorted({(env[1], module[1]) for env, module in found if env and module})


def test_locked_versions_are_exact_and_include_the_required_ones():
    assert all(re.fullmatch(r"[\w.!]+", version) for version in LOCKED.values())
    assert pins("requirements.in").items() <= LOCKED.items()
    assert LOCKED["torch"] == "2.13.0"


def test_requirements_contain_no_urls():
    assert "://" not in (ENVS / "requirements.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", sorted(path.name for path in ENVS.glob("*.yaml")))
def test_conda_files_pin_the_same_versions(file):
    assert conda_pins(file).items() <= LOCKED.items()
    channels = yaml.safe_load((ENVS / file).read_text(encoding="utf-8"))["channels"]
    assert channels == ["conda-forge", "nodefaults"]


def test_conda_file_of_the_project_pins_all_packages():
    assert conda_pins("textlvm.yaml") == LOCKED


def imported(path: Path) -> set[str]:
    """The distributions that a module imports from, in lower case."""
    packages = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            packages.add(node.module.split(".")[0])
    return {name.lower() for package in packages & DISTRIBUTIONS.keys() for name in DISTRIBUTIONS[package]}


@pytest.mark.parametrize("path", sorted(fp.ROOT.glob("textlvm/**/*.py")), ids=lambda path: path.stem)
def test_imported_packages_are_required(path):
    assert imported(path) <= {name.lower() for name in pins("requirements.in")}


# Packages that no module imports: the file that uses them, and a text in it.
COMMANDS = {
    "clang-format": ("Makefile", "clang-format --dry-run"),
    "Pygments": ("Snakefile", "report:"),
    "pytest-benchmark": ("Makefile", "--benchmark-timer"),
    "pytest-xdist": ("Makefile", "--numprocesses"),
    "ruff": ("Makefile", "ruff check"),
    "snakefmt": ("Makefile", "snakefmt --check"),
    "snakemake-executor-plugin-slurm": ("workflow/profiles/slurm/config.yaml", "executor: slurm"),
}


def test_required_packages_are_used():
    """By an import in the package, a rule, a test, a benchmark or a script; or by a command."""
    folders = ("workflow", "tests", "benchmarks", "docs")
    modules = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    used = {name for path in modules for name in imported(path)}
    assert {name for name in pins("requirements.in") if name.lower() not in used} == set(COMMANDS)
    for name, (file, word) in COMMANDS.items():
        assert word in (ROOT / file).read_text(encoding="utf-8"), name


# Packages that only functions import that no step in the environment calls.
UNCALLED = {("words.yaml", "textlvm.estimate"): {"scipy"}}


@pytest.mark.parametrize(("env", "module"), entry_points())
def test_conda_file_has_the_packages_that_its_modules_import(env, module):
    names = {name.lower() for name in conda_pins(env)}
    for dependency in fp.dependencies(module):
        path = fp.ROOT.joinpath(*dependency.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        assert imported(path) - UNCALLED.get((env, dependency), set()) <= names, dependency


def test_fingerprint_of_a_rule_is_that_of_the_module_it_runs():
    modules = {name: re.findall(PYTHON, block) for name, block in rules().items() if "python -m" in block}
    fingerprints = {
        name: re.findall(r'(?:fingerprint|with_figure_metrics)\("([\w.]+)"\)', rules()[name])
        for name in modules
    }
    # A download is identified by its hash.
    assert modules == fingerprints | {"corpus_download": ["textlvm.corpora.download"]}
