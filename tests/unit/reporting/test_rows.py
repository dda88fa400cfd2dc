import pytest

import plans
from plans import result
from textlvm.reporting.assembly import build
from textlvm.reporting.runs import read_results
from textlvm.reporting.verdict import Verdict

AE = {"paper": "sentences", "table": 7, "corpus": "ptb", "dataset": "ptb", "name": "ae-16"}


def bleu_cells(papers, published, metrics_file, seeds, table=7, **changes):
    """The cells, by metric, of a run whose seeds have these values of BLEU."""
    run = AE | {"table": table, "seeds": tuple(range(len(seeds))), "row": "AE (S)"}
    plan = [plans.planned(**run | changes)]
    paths = []
    for seed, values in enumerate(seeds):
        metrics = {
            name: {"value": value, "low": None, "high": None, "unit": "score", "repeat_sd": value / 100}
            for name, value in values.items()
        }
        place = {"paper": "sentences", "dataset": "ptb", "corpus": "ptb", "run": "ae-16"}
        paths.append(metrics_file(**place, seed=seed, metrics=metrics))
    cells = build(table, papers, published, plan, read_results(paths, plan))
    return {c.metric: c for c in cells if c.provenance.run}


ONE_METRIC = {"metrics": {"bleu1": "bleu1"}}


@pytest.mark.parametrize("shown", [{}, ONE_METRIC])
def test_printed_metric_is_compared_with_its_reading(papers, published, metrics_file, shown):
    values = {"bleu1_eos": 0.35, "bleu1_unmatched": 0.29, "bleu1_words": 0.31}
    cells = bleu_cells(papers, published, metrics_file, [values, values], **shown)
    cell = cells["bleu1"]
    assert (cell.measured.value, cell.measured.reading, cell.provenance.reason) == (0.35, "bleu1_eos", "")
    assert cell.measured.repeat_spread == pytest.approx(0.0035)
    assert (cell.printed.value, cell.printed.demo, cell.verdict) == (0.348, 0.2916, Verdict.OUTSIDE)
    others = [] if shown else ["bleu1_unmatched", "bleu1_words"]
    assert list(cells) == ["bleu1", *others]
    assert {cells[name].measured.reading for name in others} <= {""}


@pytest.mark.parametrize("shown", [{}, ONE_METRIC])
def test_record_without_the_compared_reading_is_undecided(papers, published, metrics_file, shown):
    old = {"bleu1": 0.348, "bleu1_words": 0.36}
    cell = bleu_cells(papers, published, metrics_file, [old, old, old], **shown)["bleu1"]
    assert (cell.measured.value, cell.measured.reading, cell.verdict) == (
        pytest.approx(0.348),
        "bleu1",
        Verdict.UNDECIDED,
    )
    assert (cell.comparison.difference, cell.comparison.tolerance) == (pytest.approx(0), None)
    assert cell.provenance.reason == "the evaluation has no metric 'bleu1_eos', so the value is its 'bleu1'"


def test_seeds_with_different_readings_are_not_averaged(papers, published, metrics_file):
    seeds = [{"bleu1": 0.3}, {"bleu1_eos": 0.36, "bleu1_unmatched": 0.3}]
    cell = bleu_cells(papers, published, metrics_file, seeds)["bleu1"]
    assert (cell.measured.value, cell.measured.reading, cell.measured.by_seed) == (
        0.36,
        "bleu1_eos",
        ((1, 0.36),),
    )
    assert cell.provenance.reason == "1 of 2 seeds"


def test_row_can_select_a_reading(papers, published, metrics_file):
    values = {"bleu1_eos": 0.35, "bleu1_words": 0.31}
    for name, value in values.items():
        shown = {"metrics": {"bleu1": name}}
        cell = bleu_cells(papers, published, metrics_file, [values], **shown)["bleu1"]
        assert (cell.measured.value, cell.measured.reading, cell.provenance.reason) == (value, "", "")


def test_stand_in_with_another_reading_is_still_a_stand_in(papers, published, metrics_file):
    cell = bleu_cells(papers, published, metrics_file, [{"bleu1": 0.3}], stand_in=True)["bleu1"]
    assert (cell.verdict, cell.measured.reading) == (Verdict.STAND_IN, "bleu1")


KINDS = {"TRIL": "state-space", "TRIL, K=2": "state-space", "DIAG": "state-space", "BASELINE-8D": "gru"}


def ce_cells(papers, published, rows, **changes):
    """The cells of ce_train, by row, of runs whose seeds have these values."""
    plan = [
        plans.planned(row, seeds=tuple(range(len(values))), model_kind=KINDS.get(row, ""), **changes)
        for row, values in rows.items()
    ]
    results = {
        entry.key: [result(entry.name, seed=seed, ce_train=v) for seed, v in enumerate(rows[entry.name])]
        for entry in plan
    }
    cells = build(1, papers, published, plan, results)
    return {c.row: c for c in cells if c.metric == "ce_train" and c.part.corpus}


def test_single_seed_borrows_the_spread_of_its_model_kind(papers, published):
    """The printed value of TRIL is 11.88; the sd is 0.1, and 0.005 + 4.3027 · 0.1 · sqrt(1 + 1) = 0.6135."""
    rows = {"TRIL, K=2": (11.8, 11.9, 12.0), "BASELINE-8D": (9, 10, 11)}
    for value, expected in ((12.493, Verdict.WITHIN), (12.494, Verdict.OUTSIDE)):
        cell = ce_cells(papers, published, rows | {"TRIL": (value,)})["TRIL"]
        assert cell.verdict is expected
        assert cell.comparison.tolerance == pytest.approx(0.6135, abs=1e-4)
        assert (cell.measured.spread, cell.measured.borrowed.value) == (None, pytest.approx(0.1))
        assert str(cell.measured.borrowed) == "sd of TRIL, K=2, 3 seeds (2 degrees of freedom)"


@pytest.mark.parametrize(
    ("rows", "source"),
    [
        ({"DIAG": (12.0, 12.1), "BASELINE-8D": (9, 10, 11)}, "DIAG, 2 seeds"),
        ({"DIAG": (12.0,), "BASELINE-8D": (9, 10)}, "other kinds of model: BASELINE-8D, 2 seeds"),
        ({"DIAG": (12.0,), "ORACLE": ()}, ""),
    ],
)
def test_fallbacks_for_the_borrowed_spread(papers, published, rows, source):
    cell = ce_cells(papers, published, {"TRIL": (13.0,)} | rows)["TRIL"]
    borrowed = cell.measured.borrowed
    assert (borrowed.source if borrowed else "") == source
    assert (cell.verdict is Verdict.UNDECIDED) == (not source)


def test_spread_is_not_borrowed_for_several_seeds_or_untrained_runs(papers, published):
    rows = {"TRIL": (11.8, 11.9, 12.0), "TRIL, K=2": (11.0, 11.5)}
    cells = ce_cells(papers, published, rows)
    assert {cells[row].measured.borrowed for row in rows} == {None}
    rows = {"TRIL": (11.8,), "TRIL, K=2": (11.0, 11.5, 12.0)}
    cells = ce_cells(papers, published, rows, is_trained=False)
    assert {cells[row].measured.borrowed for row in rows} == {None}


def test_spread_is_not_borrowed_from_another_metric_or_corpus(papers, published):
    lender = plans.planned("TRIL, K=2")
    other = plans.planned("TRIL, K=2", corpus="gutenberg", stand_in=True)
    plan = [plans.planned("TRIL", seeds=(0,)), lender, other]
    results = {
        plan[0].key: [result("TRIL", ce_train=13.0)],
        lender.key: [result("TRIL, K=2", seed=seed, ce_test=11 + seed) for seed in range(3)],
        other.key: [result("TRIL, K=2", "gutenberg", seed, ce_train=11 + seed) for seed in range(3)],
    }
    (cell,) = [c for c in build(1, papers, published, plan, results) if c.row == "TRIL" and c.measured]
    assert (cell.measured.borrowed, cell.verdict) == (None, Verdict.UNDECIDED)


def test_stand_in_borrows_a_spread_for_claims(papers, published):
    rows = {"TRIL": (13.0,), "TRIL, K=2": (11.8, 11.9, 12.0)}
    cell = ce_cells(papers, published, rows, stand_in=True)["TRIL"]
    assert (cell.verdict, cell.comparison.tolerance) == (Verdict.STAND_IN, None)
    assert cell.measured.borrowed.value == pytest.approx(0.1)


def test_spread_is_not_borrowed_from_another_reading(papers, published, metrics_file):
    plan = [
        plans.planned("AE (S)", **AE, seeds=(0,)),
        plans.planned("AE (M)", **AE | {"seeds": (0, 1, 2), "name": "ae-128"}),
    ]
    place = {"paper": "sentences", "dataset": "ptb", "corpus": "ptb"}
    paths = [
        metrics_file(**place, run=run, seed=seed, metrics={name: {"value": value, "unit": "score"}})
        for run, name, values in (("ae-16", "bleu1_eos", (0.3,)), ("ae-128", "bleu1", (0.4, 0.5, 0.6)))
        for seed, value in enumerate(values)
    ]
    cells = {
        c.row: c for c in build(7, papers, published, plan, read_results(paths, plan)) if c.provenance.run
    }
    measured = cells["AE (S)"].measured
    assert (measured.reading, measured.borrowed) == ("bleu1_eos", None)
