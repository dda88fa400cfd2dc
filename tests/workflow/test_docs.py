"""Documentation and metadata agree with the project."""

import tomllib
from importlib import import_module
from pathlib import Path

import draws
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from quantities import mean
from scipy.stats import entropy

from textlvm.corpora.splits import SplitSettings, split

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rulegraph():
    return import_module("rulegraph")


@pytest.fixture(scope="module")
def findings():
    return import_module("findings")


@pytest.mark.parametrize("name", ["findings", "runs"])
def test_generated_pages_match_the_records(name):
    for path, text in import_module(name).rendered().items():
        assert path.read_text(encoding="utf-8") == text, f"regenerate it: python docs/{name}.py"


def test_further_draws_are_drawn_like_the_recorded_ones():
    words = draws.recorded_vocabulary()
    counts = np.array(list(words.values()))
    splits = (split(list(words), counts, "unseen", SplitSettings(seed=seed)) for seed in range(10))
    found = [entropy(drawn.test) for drawn in splits]
    assert found == pytest.approx(draws.by_draw("readings", "oracle", "entropy_test"))


def test_findings_contradicted_by_the_records_raise(findings):
    assert findings.sure(True) == ""
    with pytest.raises(ValueError, match="no longer support"):
        findings.sure(mean("ptb/smim-16", "nll_elbo") < mean("ptb/smim-16", "nll_melbo"))
    with pytest.raises(FileNotFoundError, match="nothing is recorded of ptb/smim-17"):
        mean("ptb/smim-17", "nll_elbo")


def test_diagram_matches_the_workflow(rulegraph, project):
    printed = rulegraph.edges(project.run(" ".join(rulegraph.COMMAND)))
    assert ("words_train", "words_evaluate") in printed
    drawn = rulegraph.diagram_in(rulegraph.PAGE.read_text(encoding="utf-8"))
    assert drawn == rulegraph.rule_diagram(rulegraph.reduced(printed)), (
        "regenerate it: python docs/rulegraph.py"
    )


def closure(pairs):
    """The transitive closure: all pairs of rules connected by a path."""
    found = set(pairs)
    while more := {(a, d) for a, b in found for c, d in found if b == c} - found:
        found |= more
    return found


# Acyclic except for rules that depend on themselves.
def test_contradicted_sentence_of_findings_is_located(findings, tmp_path, monkeypatch):
    for part in findings.PARTS:
        text = (findings.TEMPLATES / f"{part}.j2").read_text(encoding="utf-8")
        if part == "words":
            text = text.replace("## Summary\n", "## Summary\n{{ sure(1 > 2) }}\n")
        (tmp_path / f"{part}.j2").write_text(text, encoding="utf-8")
    before = (tmp_path / "words.j2").read_text(encoding="utf-8").partition("{{ sure(1 > 2)")[0]
    monkeypatch.setattr(findings, "TEMPLATES", tmp_path)
    with pytest.raises(ValueError, match="no longer support") as caught:
        findings.rendered()
    assert caught.value.__notes__ == [f"docs/templates/words.j2, line {1 + before.count(chr(10))}"]


graphs = st.sets(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")).filter(lambda p: p[0] <= p[1])
)


@given(graphs)
def test_reduced_graph_has_the_same_closure_without_redundant_pairs(rulegraph, pairs):
    kept = rulegraph.reduced(pairs)
    assert kept <= pairs
    assert closure(kept) == closure(pairs)
    for pair in kept:
        assert pair not in closure(kept - {pair})


def test_citation_has_the_version_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["title"], str(citation["version"])) == (project["name"], project["version"])


def test_catalog_metadata_matches_the_workflow():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))["usage"]
    rules = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    assert usage["software-stack-deployment"]["conda"] == ("conda:" in rules)
    assert usage["software-stack-deployment"]["apptainer"] == ("container:" in rules)
    assert usage["report"] == ("report(" in rules)
