from dataclasses import replace

import pytest

from textlvm.reporting.claims.judge import Outcome
from textlvm.reporting.claims.lines import read_csv
from textlvm.reporting.page.claims import MARKS, counted, from_lines, undecided
from textlvm.reporting.page.plan import read_page_plan


@pytest.fixture
def line(experiment):
    """The line of the experiment's claim, which holds."""
    return read_csv(experiment.folder / "claims.csv")[0]


@pytest.fixture
def claims_of(experiment, papers):
    """A function that returns the claims in some lines."""
    return lambda *lines: from_lines(lines, read_page_plan(experiment.plan), papers)


@pytest.fixture
def claims(line, claims_of):
    """Two checks of one claim, and another claim."""
    without_effect = {"effect": None, "low": None, "high": None}
    second = replace(line, id="second", outcome=Outcome.UNDECIDED, **without_effect)
    return claims_of(line, second, replace(line, claim="Another"))


def test_checks_are_grouped_by_claim(claims):
    assert [(claim.text, len(claim.checks)) for claim in claims] == [
        ("DIAG stagnates <b>", 2),
        ("Another", 1),
    ]
    assert claims[0].paper == "words"
    assert counted(claims) == {"holds": 2, "fails": 0, "undecided": 1}


def test_check_has_its_effect_and_links_to_its_runs(claims):
    first, second = claims[0].checks
    assert (first.line.outcome, MARKS[first.line.outcome], first.line.stand_in) == ("holds", "✓", True)
    assert first.effect == "−0.5 [−0.8, −0.2] nats/word"
    assert first.published == "not printed"
    assert first.runs == (("run/words/mine/standard/tril", "TRIL"),)
    assert (second.effect, MARKS[second.line.outcome]) == ("", "?")


def test_undecided_checks_are_counted_by_reason(line, claims_of):
    open_line = replace(line, outcome=Outcome.UNDECIDED)
    claims = claims_of(
        replace(open_line, missing="one draw: with 3 and the same effect, it holds if …"),
        replace(open_line, missing="one seed, and the other errors alone are too large for zero"),
        replace(open_line, missing="the interval contains zero"),
        replace(open_line, missing="not run: TRIL", effect=None, low=None, high=None),
        replace(line, outcome=Outcome.FAILS),
    )
    assert undecided(claims) == {"lack a number": 1, "rest on one seed or draw": 2, "are within the noise": 1}
