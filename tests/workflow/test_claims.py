"""Claims in the workflow: the inputs of their rule, and errors in the file of claims."""

import re

import pytest


@pytest.fixture
def claims(project):
    """The file of claims, restored afterwards."""
    path = project.root / "workflow" / "papers" / "words" / "claims.yaml"
    before = path.read_bytes()
    yield path
    path.write_bytes(before)


def inputs(output, rule):
    """The input files of a rule's job in a dry run."""
    found = re.search(rf"^(?:local)?rule {rule}:\n    input: (.*)$", output, flags=re.MULTILINE)
    return set(found[1].split(", "))


def test_claims_depend_on_all_tables_and_on_the_files_of_figures(project):
    files = inputs(project.run("snakemake --dry-run --cores 1 results/claims.csv"), "claims")
    assert {f"results/table{n}.csv" for n in range(1, 9)} <= files
    named = {file for file in files if "/seed" in file}
    run = "results/words/gutenberg/standard/2xtril-k10"
    assert {f"{run}/seed{k}/{file}" for k in range(3) for file in ("curve.jsonl", "entropy.csv")} <= named
    of_sentences = {"ptb/smim-512", "ptb/svae-16", "yelp15/smim-1024", "yahoo/smim-1024"}
    assert {file for file in named if "sentences" in file} == {
        *(f"results/sentences/{run}/seed0/histograms.json" for run in of_sentences),
        "results/sentences/ptb/smim-512/seed0/likelihood.json",
    }
    assert len(named) == 2 * 3 + 5


def test_error_message_names_an_invalid_claim_before_any_job_starts(project, claims):
    text = claims.read_text(encoding="utf-8")
    claims.write_text(text.replace('["TRIL, K=2", TRIL]', '["TRIL, K=22", TRIL]'), encoding="utf-8")
    result = project.call("snakemake --dry-run --cores 1 results/claims.csv")
    assert result.returncode != 0
    errors = [line for line in (result.stdout + result.stderr).splitlines() if line.startswith("error:")]
    assert errors == [
        "error: workflow/papers/words/claims.yaml: claim 'two-samples-lower-ce': Table 1 of the words paper "
        "has no row 'TRIL, K=22' on 'bookscorpus'; did you mean 'TRIL, K=2', 'TRIL, K=5', 'TRIL, K=10'?"
    ]
    assert "Traceback" not in result.stderr
