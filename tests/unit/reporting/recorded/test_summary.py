"""Counts of printed numbers and claims over all experiments."""

import csv
from collections import Counter, defaultdict
from dataclasses import fields, replace
from types import SimpleNamespace

import pytest

from textlvm.reporting.claims.judge import Outcome
from textlvm.reporting.claims.lines import Line
from textlvm.reporting.page.claims import Check, ClaimGroup
from textlvm.reporting.recorded import summary
from textlvm.reporting.recorded.summary import claims, numbers
from textlvm.reporting.verdict import Verdict


def test_counts_of_printed_numbers_equal_those_of_the_recorded_tables(records, clone):
    """Compared with counts from the CSV files."""
    verdicts = defaultdict(set)
    for path in (clone / "results" / "recorded").glob("*/partial/table*.csv"):
        with path.open(encoding="utf-8", newline="") as lines:
            for line in csv.DictReader(lines):
                if line["value"] and line["published"]:
                    key = tuple(
                        line[name] for name in ("paper", "table", "dataset", "split", "row", "metric")
                    )
                    verdicts[key].add(line["verdict"])
    found = numbers(records)
    assert found.compared == len(verdicts)
    decided = Counter("".join(sorted(kinds & {"within", "outside"})) for kinds in verdicts.values())
    assert (found.within, found.outside) == (decided["within"], decided["outside"])
    stand_ins = sum(kinds == {"stand-in"} for kinds in verdicts.values())
    assert found.undecided.get(summary.OTHER_TEXT, 0) == stand_ins
    parts = [numbers(records, paper) for paper in records[0].papers]
    for name in ("printed", "compared", "within", "outside", "exact"):
        assert sum(getattr(part, name) for part in parts) == getattr(found, name)


def test_numbers_that_do_not_depend_on_training_are_exact(records):
    """In the records, these are sizes of data sets and models, and closed forms."""
    ptb = next(record for record in records if record.name == "ptb")
    within = {cell.metric for cell in ptb.cells if cell.verdict is Verdict.WITHIN}
    assert {"train", "valid", "test", "vocabulary", "parameters"} <= within
    sizes = [c for c in ptb.cells if c.verdict is Verdict.WITHIN and c.metric in ("train", "parameters")]
    found = numbers([replace(ptb, cells=tuple(sizes))])
    assert found.within == found.exact == len(sizes) > 1
    trained = next(c for c in ptb.cells if c.metric == "ppl_melbo" and c.verdict is Verdict.UNDECIDED)
    found = numbers([replace(ptb, cells=(with_verdict(trained, *WITHIN),))])
    assert (found.within, found.exact) == (1, 0)


WITHIN, OUTSIDE = (Verdict.WITHIN, 0.1), (Verdict.OUTSIDE, 0.1)
STAND_IN, SINGLE, READING = (Verdict.STAND_IN, None), (Verdict.UNDECIDED, 0.1), (Verdict.UNDECIDED, None)


@pytest.mark.parametrize(
    ("verdicts", "outcome"),
    [
        ([WITHIN], "within"),
        ([WITHIN, WITHIN, SINGLE], "within"),
        ([STAND_IN, OUTSIDE], "outside"),
        ([WITHIN, OUTSIDE], summary.CONFLICT),
        ([STAND_IN, STAND_IN], summary.OTHER_TEXT),
        ([STAND_IN, READING], summary.READING),
        ([READING, SINGLE], summary.ONE_SEED),
    ],
)
def test_number_compared_in_several_experiments_counts_once(records, verdicts, outcome):
    record = next(record for record in records if record.name == "ptb")
    cell = next(cell for cell in record.cells if cell.metric == "ppl_melbo" and cell.measured)
    several = [
        replace(record, cells=(with_verdict(cell, verdict, tolerance),)) for verdict, tolerance in verdicts
    ]
    found = numbers(several)
    counts = {"within": found.within, "outside": found.outside, **found.undecided}
    assert {name: count for name, count in counts.items() if count} == {outcome: 1}
    assert found.compared == 1


def test_cell_without_printed_number_is_not_counted(records):
    record = records[0]
    printed = len({value.key for value in record.published if (value.source, value.kind) == ("paper", "own")})
    cell = next(cell for cell in record.cells if cell.printed is None)
    found = numbers([replace(record, cells=(cell,))])
    assert (found.printed, found.compared) == (printed, 0)


def with_verdict(cell, verdict, tolerance):
    return replace(cell, comparison=replace(cell.comparison, verdict=verdict, tolerance=tolerance))


def check(outcome, effect=1.0, missing="", stand_in=False, seeds=3):
    blank = dict.fromkeys((field.name for field in fields(Line)), "")
    given = {"effect": effect, "missing": missing, "stand_in": stand_in, "seeds": seeds}
    line = Line(**blank | given | {"outcome": Outcome(outcome)})
    return Check(line, anchor="", data="", effect="" if effect is None else "1", published="", runs=())


def claimed(*checks, text="A claim."):
    """Experiments with one check of a claim each."""
    return [
        SimpleNamespace(name=f"run{place}", claims=(ClaimGroup("words", "Section 1", text, "", (check,)),))
        for place, check in enumerate(checks)
    ]


SINGLE_SEED = check("undecided", missing="one seed: it holds", seeds=1)
NOISY = check("undecided", missing="the interval contains zero")
ABSENT = check("undecided", effect=None, missing="not run", seeds=0)


@pytest.mark.parametrize(
    ("checks", "outcome", "tested"),
    [
        ([check("holds"), ABSENT], "holds", 1),
        ([check("holds"), SINGLE_SEED], "holds", 2),
        ([check("fails"), check("fails")], "fails", 2),
        ([check("fails"), check("holds"), NOISY], "differs", 3),
        ([SINGLE_SEED, NOISY, ABSENT], "undecided", 2),
        ([ABSENT, ABSENT], "not run", 0),
    ],
)
def test_claim_has_one_outcome_over_all_experiments(checks, outcome, tested):
    (found,) = claims(claimed(*checks))
    assert (found.outcome, len(found.tested)) == (outcome, tested)
    assert [test.record for test in found.tested] == [f"run{n}" for n, c in enumerate(checks) if c.effect]


def test_claims_keep_their_order_and_checks():
    records = claimed(check("holds")) + claimed(check("fails"), text="Another.") + claimed(check("holds"))
    counts = [(found.claim.text, len(found.tested)) for found in claims(records)]
    assert counts == [("A claim.", 2), ("Another.", 1)]


def test_reason_is_from_the_experiment_with_the_most_seeds():
    assert claims(claimed(SINGLE_SEED, NOISY))[0].reason == "are within the noise"
    assert claims(claimed(SINGLE_SEED))[0].reason == "rest on one seed or draw"
    assert claims(claimed(ABSENT))[0].reason == ""


def test_only_on_stand_ins():
    stand_in = check("holds", stand_in=True)
    assert claims(claimed(stand_in))[0].only_on_stand_ins
    assert claims(claimed(stand_in, SINGLE_SEED))[0].only_on_stand_ins
    assert not claims(claimed(stand_in, check("holds")))[0].only_on_stand_ins
    assert not claims(claimed(SINGLE_SEED))[0].only_on_stand_ins
