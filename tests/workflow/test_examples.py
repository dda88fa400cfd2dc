"""The examples in README and docs work, as far as dry runs can show.

A code block of an unknown kind fails; add the kind to `KINDS` with its test.
"""

import itertools
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from torch import nn
from torch.distributions import AffineTransform

from pages import BLOCK, README, blocks
from parsing import parse
from plans import planned
from textlvm.experiment.paper import PAPERS, load_all
from textlvm.reporting import published
from textlvm.reporting.claims.file import load
from textlvm.training.device import JOBS_PER_GPU

ROOT = Path(__file__).parents[2]
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
KINDS = {
    "console": "commands",
    "yaml": "a part of config.yaml or of a paper's claims.yaml",
    "python": "in README the use of a model (test_recorded_weights.py, test_demo.py), in docs a transition",
    "mermaid": "a diagram of the rules, which test_docs.py compares with the workflow",
    "": "output, or an overview",
}
OTHERS = "".join(
    path.read_text(encoding="utf-8")
    for path in Path(__file__).parent.glob("test_*.py")
    if path.name != Path(__file__).name
)
"""The other tests of this folder, some of which run commands of the docs."""


@pytest.fixture(scope="module", autouse=True)
def example_paper(project):
    """The paper that docs/papers.md runs, copied to the project."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tests" / "papers", project.root / "tests" / "papers", ignore=ignored)


def all_blocks(kind):
    return [text for page in PAGES for text in blocks(page, kind)]


def commands():
    """The commands of all console blocks that no other test runs, without duplicates."""
    lines = "".join(all_blocks("console")).replace("\\\n", "").splitlines()
    assert all(line.startswith("$ ") for line in lines)
    typed = (line.removeprefix("$ ").partition("  #")[0].split(" && ") for line in lines)
    found = dict.fromkeys(command.strip() for command in itertools.chain(*typed))
    return [command for command in found if f'"{command}"' not in OTHERS]


def yaml_blocks(kind):
    """The YAML blocks that are mappings (configuration) or lists (claims)."""
    return [text for text in all_blocks("yaml") if isinstance(yaml.safe_load(text), kind)]


def runs_in(piece):
    """Names and entries of the runs in a part of a configuration."""
    papers = (piece.get(paper, {}) for paper in ("words", "sentences"))
    groups = itertools.chain(*(paper.get("runs", {}).values() for paper in papers))
    return [run for group in groups for run in group.items()]


def test_all_kinds_of_code_blocks_are_known():
    assert {kind for page in TEXTS.values() for kind, _ in BLOCK.findall(page)} <= KINDS.keys()
    # The pattern finds all blocks.
    for page, text in TEXTS.items():
        assert text.count("\n```") == 2 * len(BLOCK.findall(text)), page.name


@pytest.mark.parametrize("command", commands())
def test_command_is_valid(project, monkeypatch, command):
    program, *words = shlex.split(command)
    for record in re.findall(r"--configfile (results/recorded/\S+)", command):
        (project.root / record).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / record, project.root / record)
    if program == "snakemake" and "-n" in words:
        assert re.search(r"^total +[1-9]", project.run(command), flags=re.MULTILINE)
    elif program == "snakemake":
        assert project.jobs(command)
    elif program == "make":
        shutil.copy(ROOT / "Makefile", project.root)
        recipe = project.run(f"make --dry-run {shlex.join(words)}")
        for step, options in re.findall(r"python -m (\S+) (--.*)$", recipe, flags=re.MULTILINE):
            known = project.run(f"python -m {step} --help")
            assert set(re.findall(r"--[\w-]+", options)) <= set(re.findall(r"--[\w-]+", known))
    elif program == "export":
        # A wrong name would have no effect.
        assert words[0].partition("=")[0] == JOBS_PER_GPU
    elif program == "pip":
        assert words[:2] == ["install", "-r"]
        assert (ROOT / words[2]).is_file()
    elif program == ".":
        assert (project.root / words[0]).is_file()
    else:
        assert (program, words[0]) == ("python", "-m")
        parse(monkeypatch, *words[1:])


@pytest.mark.parametrize("text", yaml_blocks(dict))
def test_example_configuration_adds_its_corpora_papers_and_runs(project, tmp_path, text):
    piece = yaml.safe_load(text)
    for entry in piece.get("corpora", {}).values():
        path = tmp_path / Path(entry["path"]).name
        files = [path]
        if entry["kind"] == "sentences":
            path.mkdir()
            files = [path / f"{split}.txt" for split in ("train", "valid", "test")]
        for created in files:
            created.touch()
        entry["path"] = str(path)
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(piece), encoding="utf-8")
    jobs = project.run(f"snakemake --dry-run --printshellcmds --cores 1 --configfile {file}")
    shipped = (project.root / "config.yaml").read_text(encoding="utf-8")
    runs = runs_in(piece)
    papers = [Path(paper).name for paper in piece.get("papers", []) if "/" in paper]
    names = [*piece.get("corpora", {}), *papers, *(name for name, _ in runs)]
    assert names
    for name in names:
        assert f"{name}:" not in shipped
        assert f"/{name}/" in jobs
    for _, entry in runs:
        # The plan of its table contains the row.
        assert f'"label": "{entry["row"]}"' in jobs


def test_claims_in_docs_exist_or_can_be_added(tmp_path):
    papers = load_all(PAPERS.iterdir())
    files = {name: yaml.safe_load(paper.claims.read_text(encoding="utf-8")) for name, paper in papers.items()}
    known = {claim["id"]: claim for entries in files.values() for claim in entries["claims"]}
    shown = [claim for text in yaml_blocks(list) for claim in yaml.safe_load(text)]
    new = [claim for claim in shown if claim["id"] not in known]
    assert all(claim in new or claim == known[claim["id"]] for claim in shown)
    assert 0 < len(new) < len(shown)
    files["words"]["claims"] += new
    for name, entries in files.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "claims.yaml").write_text(yaml.safe_dump(entries), encoding="utf-8")
    # The rows that the examples of configuration add.
    entries = [entry for text in yaml_blocks(dict) for _, entry in runs_in(yaml.safe_load(text))]
    rows = [planned(entry["row"], table=entry["table"]) for entry in entries]
    values = published.read(papers)
    papers = {name: replace(paper, folder=tmp_path / name) for name, paper in papers.items()}
    claims = load(papers, values, rows).claims
    assert {claim["id"] for claim in new} <= {claim.id for claim in claims}
    # The predicates listed in docs/claims.md are those of the files.
    predicates = {claim.id: claim.predicate for claim in claims}
    printed = re.findall(r"\| ([\w/-]+) \| `([^`]+)` \|$", TEXTS[ROOT / "docs/claims.md"], flags=re.MULTILINE)
    assert len(printed) > 5
    assert all(predicates[name] == predicate for name, predicate in printed)


@pytest.mark.parametrize("text", [text for page in PAGES[1:] for text in blocks(page, "python")])
def test_transition_in_docs_is_invertible_with_the_right_log_determinant(text):
    defined = {"nn": nn, "AffineTransform": AffineTransform}
    exec(text, defined)
    transitions = [defined[name] for name in re.findall(r"^class (\w+)", text, flags=re.MULTILINE)]
    assert transitions
    for transition in transitions:
        transform = transition(3, 4).double()(torch.randn(1, 3, dtype=torch.float64))
        noise = torch.randn(1, 1, 3, dtype=torch.float64)
        moved = transform(noise)
        torch.testing.assert_close(transform.inv(moved), noise)
        jacobian = torch.autograd.functional.jacobian(transform, noise).reshape(3, 3)
        expected = jacobian.det().abs().log().reshape(1, 1)
        torch.testing.assert_close(transform.log_abs_det_jacobian(noise, moved), expected)


def anchors(text):
    """The anchors of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_have_targets(page):
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", TEXTS[page]):
        place, _, anchor = target.partition("#")
        path = (page.parent / place).resolve() if place else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path.read_text(encoding="utf-8")), target
