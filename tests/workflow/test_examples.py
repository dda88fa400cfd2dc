"""Every example in README and docs does what the text around it says, as far as dry runs can show.

A block of a kind that is not known here fails: say how it is tested.
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
from plans import planned
from textlvm.experiment.paper import PAPERS, load_all
from textlvm.reporting import published
from textlvm.reporting.claims.file import load
from textlvm.training.device import JOBS_PER_GPU

ROOT = Path(__file__).parents[2]
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
KINDS = {
    "console": "what a user types",
    "yaml": "a piece of config.yaml, or of a paper's claims.yaml",
    "python": "in README a model in use (test_recorded_weights.py, test_demo.py), in docs a transition",
    "mermaid": "a picture of the rules, which test_docs.py compares with the workflow",
    "": "what is printed, or an overview",
}
STEPS = dict.fromkeys(("textlvm.words.evaluate", "textlvm.words.explore"), "contains no trained run")
"""Steps that can be started without results, and what they then say."""


@pytest.fixture(scope="module", autouse=True)
def papers_of_the_tests(project):
    """The example of a paper, which the docs run, in the copy of the project."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tests" / "papers", project.root / "tests" / "papers", ignore=ignored)


def all_blocks(kind):
    return [text for page in PAGES for text in blocks(page, kind)]


def commands():
    """What users type, each command once."""
    lines = "".join(all_blocks("console")).replace("\\\n", "").splitlines()
    assert all(line.startswith("$ ") for line in lines)
    typed = (line.removeprefix("$ ").partition("  #")[0].split(" && ") for line in lines)
    return list(dict.fromkeys(command.strip() for command in itertools.chain(*typed)))


def pieces(kind):
    """The YAML blocks that are mappings (pieces of configuration) or lists (claims)."""
    return [text for text in all_blocks("yaml") if isinstance(yaml.safe_load(text), kind)]


def runs_in(piece):
    """Names and entries of the runs in a piece of configuration."""
    papers = (piece.get(paper, {}) for paper in ("words", "sentences"))
    groups = itertools.chain(*(paper.get("runs", {}).values() for paper in papers))
    return [run for group in groups for run in group.items()]


def test_every_block_is_of_a_kind_that_is_tested():
    assert {kind for page in TEXTS.values() for kind, _ in BLOCK.findall(page)} <= KINDS.keys()
    # None has been overlooked.
    for page, text in TEXTS.items():
        assert text.count("\n```") == 2 * len(BLOCK.findall(text)), page.name


@pytest.mark.parametrize("command", commands())
def test_a_command_is_understood(project, command):
    program, *words = shlex.split(command)
    for record in re.findall(r"--configfile (results/recorded/\S+)", command):
        (project.root / record).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / record, project.root / record)
    if program == "snakemake" and "-n" in words:
        assert re.search(r"^total +[1-9]", project.run(command), flags=re.MULTILINE)
    elif program == "snakemake":
        # Reports are made in the tests of whole runs: they are of results that are there.
        assert project.jobs(re.sub(r"--report \S+", "", command))
    elif program == "make":
        shutil.copy(ROOT / "Makefile", project.root)
        recipe = project.run(f"make --dry-run {shlex.join(words)}")
        for step, options in re.findall(r"python -m (\S+) (--.*)$", recipe, flags=re.MULTILINE):
            known = project.run(f"python -m {step} --help")
            assert set(re.findall(r"--[\w-]+", options)) <= set(re.findall(r"--[\w-]+", known))
    elif program == "export":
        # A name that nothing reads would go unnoticed.
        assert words[0].partition("=")[0] == JOBS_PER_GPU
    elif program == "pip":
        assert words[:2] == ["install", "-r"]
        assert (ROOT / words[2]).is_file()
    elif program == ".":
        assert (project.root / words[0]).is_file()
    else:
        assert (program, words[0]) == ("python", "-m")
        assert STEPS[words[1]] in project.call(command).stderr


@pytest.mark.parametrize("text", pieces(dict))
def test_a_piece_of_configuration_adds_what_it_is_about(project, tmp_path, text):
    piece = yaml.safe_load(text)
    for entry in piece.get("corpora", {}).values():
        path = tmp_path / Path(entry["path"]).name
        files = [path]
        if entry["kind"] == "sentences":
            path.mkdir()
            files = [path / f"{split}.txt" for split in ("train", "valid", "test")]
        for own in files:
            own.touch()
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
        # In the plan of its table.
        assert f'"label": "{entry["row"]}"' in jobs


def test_claims_in_the_docs_are_those_of_the_file_or_could_be_added(tmp_path):
    papers = load_all(PAPERS.iterdir())
    known = {name: yaml.safe_load(own.claims.read_text(encoding="utf-8")) for name, own in papers.items()}
    own = {claim["id"]: claim for entries in known.values() for claim in entries["claims"]}
    shown = [claim for text in pieces(list) for claim in yaml.safe_load(text)]
    new = [claim for claim in shown if claim["id"] not in own]
    assert all(claim in new or claim == own[claim["id"]] for claim in shown)
    assert 0 < len(new) < len(shown)
    known["words"]["claims"] += new
    for name, entries in known.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "claims.yaml").write_text(yaml.safe_dump(entries), encoding="utf-8")
    # The rows that the examples of configuration add.
    entries = [entry for text in pieces(dict) for _, entry in runs_in(yaml.safe_load(text))]
    rows = [planned(entry["row"], table=entry["table"]) for entry in entries]
    values = published.read(papers)
    papers = {name: replace(paper, folder=tmp_path / name) for name, paper in papers.items()}
    claims = load(papers, values, rows).claims
    assert {claim["id"] for claim in new} <= {claim.id for claim in claims}
    # So are the predicates that stand beside their names.
    predicates = {claim.id: claim.predicate for claim in claims}
    printed = re.findall(r"\| ([\w/-]+) \| `([^`]+)` \|$", TEXTS[ROOT / "docs/claims.md"], flags=re.MULTILINE)
    assert len(printed) > 5
    assert all(predicates[name] == predicate for name, predicate in printed)


@pytest.mark.parametrize("text", [text for page in PAGES[1:] for text in blocks(page, "python")])
def test_a_transition_in_the_docs_is_one(text):
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
    """The names of a page's headings in links to them."""
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", TEXTS[page]):
        place, _, anchor = target.partition("#")
        path = (page.parent / place).resolve() if place else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path.read_text(encoding="utf-8")), target
