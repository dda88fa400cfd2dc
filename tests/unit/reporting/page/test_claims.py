import csv

import pytest

from textlvm.reporting.page.claims import counted, from_lines, read_claims, undecided
from textlvm.reporting.page.plan import read_plan
from textlvm.runtime.errors import UserError


@pytest.fixture
def claims(experiment, papers):
    """Two checks of one claim, and another claim."""
    file = experiment.folder / "claims.csv"
    header, line = file.read_text(encoding="utf-8").splitlines()
    second = line.replace("tril-beats-diag/mine", "second").replace(",holds,-0.5,-0.8,-0.2", ",undecided,,,")
    third = line.replace("DIAG stagnates", "Another")
    file.write_text("\n".join([header, line, second, third]), encoding="utf-8")
    return read_claims(file, read_plan(experiment.plan), papers)


def test_checks_are_grouped_by_claim(claims):
    assert [(claim.text, len(claim.checks)) for claim in claims] == [
        ("DIAG stagnates <b>", 2),
        ("Another <b>", 1),
    ]
    assert claims[0].paper == "words"
    assert counted(claims) == {"holds": 2, "fails": 0, "undecided": 1}


def test_check_has_its_effect_and_links_to_its_runs(claims):
    first, second = claims[0].checks
    assert (first.outcome, first.mark, first.stand_in) == ("holds", "✓", True)
    assert first.effect == "−0.5 [−0.8, −0.2] nats/word"
    assert first.published == "not printed"
    assert first.runs == (("run/words/mine/standard/tril", "TRIL"),)
    assert (second.effect, second.mark) == ("", "?")


def test_undecided_checks_are_counted_by_reason(experiment, papers):
    file = experiment.folder / "claims.csv"
    line = next(csv.DictReader(file.open(encoding="utf-8"))) | {"outcome": "undecided"}
    lines = [
        line | {"missing": "one draw: with 3 and the same effect, it holds if …"},
        line | {"missing": "one seed, and the other errors alone are too large for zero"},
        line | {"missing": "the interval contains zero"},
        line | {"missing": "not run: TRIL", "effect": "", "low": "", "high": ""},
        line | {"outcome": "fails"},
    ]
    claims = from_lines(lines, read_plan(experiment.plan), papers)
    assert undecided(claims) == {"lack a number": 1, "rest on one seed or draw": 2, "are within the noise": 1}


def test_claims_are_optional_but_invalid_files_are_rejected(experiment, papers, tmp_path):
    plan = read_plan(experiment.plan)
    assert read_claims(None, plan, papers) == []
    with pytest.raises(UserError, match=r"cannot read the claims .* \(No such file"):
        read_claims(tmp_path / "claims.csv", plan, papers)
    (tmp_path / "claims.csv").write_text("id,paper\n1,words\n")
    with pytest.raises(UserError, match=r"is not a table of claims of this version \('section'\)"):
        read_claims(tmp_path / "claims.csv", plan, papers)
