from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plans
from plans import result
from textlvm.reporting.assembly import build
from textlvm.reporting.runs import read_results
from textlvm.reporting.verdict import Verdict
from textlvm.runtime.errors import UserError

ROWS = ["TRIL", "TRIL, K=2", "2×TRIL, K=10, BIDI", "ORACLE", "DIAG", 'a row, of "our" own']


def planned(row="TRIL", corpus="bookscorpus", **changes):
    return plans.planned(row, corpus=corpus, **{"seeds": (0, 1), "corpus_title": corpus.title()} | changes)


def words_cells(papers, published, plan, results):
    """The cells of the words paper's Table 1."""
    return [c for c in build(1, papers, published, plan, results) if c.part.paper == "words"]


def by_key(cells):
    cells = list(cells)
    found = {(c.part.corpus, c.row, c.metric): c for c in cells}
    assert len(found) == len(cells)
    return found


def test_without_plan_each_published_number_is_a_cell_not_run(papers, published):
    for table in range(1, 9):
        cells = build(table, papers, published, [], {})
        prints = [p for p in published if (p.table, p.source) == (table, "paper")]
        assert {
            (c.part.paper, c.part.dataset, c.part.split, c.row, c.metric, c.printed.value) for c in cells
        } == {(p.paper, p.dataset, p.split, p.row, p.metric, p.value) for p in prints}
        assert len(cells) == len(prints)
        verdicts = {c.kind: c.verdict for c in cells}
        assert verdicts.items() <= {"own": Verdict.NOT_RUN, "quoted": Verdict.QUOTED}.items()


def test_quoted_row_has_the_reason_why_it_is_not_run(papers, published):
    cells = build(5, papers, published, [], {})
    reasons = {cell.row: cell.provenance.reason for cell in cells if cell.kind == "quoted"}
    assert reasons["Megatron-LM†"].endswith("were never published")
    assert reasons["Transformer-XL"].startswith("transformers no longer has Transformer-XL")
    assert reasons["GPT-2 Large†"] == ""


def test_rows_keep_the_paper_order_and_extra_rows_follow(papers, published):
    plan = [planned("DIAG"), planned("ORACLE"), planned("TRIL")]
    rows = list(dict.fromkeys(c.row for c in words_cells(papers, published, plan, {})))
    assert rows[0] == "TRIL"
    assert rows[-2:] == ["ORACLE", "DIAG"]
    assert len(rows) == 13


def test_cell_has_the_mean_over_seeds_and_its_verdict(papers, published):
    plan = [planned(seeds=(0, 1, 2))]
    results = {plan[0].key: [result(seed=s, ce_train=v) for s, v in enumerate((11.8, 11.9, 12.0))]}
    cell = by_key(words_cells(papers, published, plan, results))["bookscorpus", "TRIL", "ce_train"]
    assert cell.measured.value == pytest.approx(11.9)
    assert cell.measured.spread == pytest.approx(0.1)
    assert (cell.seeds, cell.provenance.seeds_planned) == (3, 3)
    assert cell.printed.value == 11.88
    assert cell.comparison.difference == pytest.approx(0.02)
    assert cell.comparison.tolerance == pytest.approx(0.005 + 4.302652729749462 * 0.1 * (1 + 1 / 3) ** 0.5)
    assert cell.verdict is Verdict.WITHIN
    assert len(cell.provenance.runs) == 3


def test_stand_in_has_a_difference_without_tolerance(papers, published):
    plan = [planned(corpus="documentation", stand_in=True)]
    results = {plan[0].key: [result(corpus="documentation", ce_train=11.88)]}
    cell = by_key(words_cells(papers, published, plan, results))["documentation", "TRIL", "ce_train"]
    assert cell.part.stand_in
    assert cell.part.dataset == "bookscorpus"
    assert (cell.comparison.difference, cell.comparison.tolerance, cell.verdict) == (
        0.0,
        None,
        Verdict.STAND_IN,
    )


def test_each_corpus_has_all_rows(papers, published):
    plan = [planned(), planned(corpus="gutenberg", stand_in=True)]
    cells = words_cells(papers, published, plan, {})
    for corpus in ("bookscorpus", "gutenberg"):
        rows = {c.row for c in cells if c.part.corpus == corpus}
        assert len(rows) == 12
        assert {c.part.stand_in for c in cells if c.part.corpus == corpus} == {corpus == "gutenberg"}
    assert {c.part.corpus for c in cells} == {"bookscorpus", "gutenberg"}


def test_failed_seeds_are_excluded_and_their_reason_is_shown(papers, published):
    plan = [planned(), planned("TRIL, K=2")]
    broken = replace(result(seed=1), failed=True, reason="NaN at step 7")
    both = [replace(broken, run="TRIL, K=2", seed=s) for s in (0, 1)]
    results = {plan[0].key: [result(ce_train=11.9), broken], plan[1].key: both}
    cells = by_key(words_cells(papers, published, plan, results))
    half = cells["bookscorpus", "TRIL", "ce_train"]
    assert (half.measured.value, half.seeds) == (11.9, 1)
    assert half.provenance.reason == "1 of 2 seeds; failed with seed 1: NaN at step 7"
    none = cells["bookscorpus", "TRIL, K=2", "ce_train"]
    assert (none.measured, none.verdict) == (None, Verdict.FAILED)
    assert none.provenance.reason == "failed with seed 0, 1: NaN at step 7"


def test_missing_metrics_are_not_run_and_additional_metrics_are_extra(papers, published):
    plan = [planned()]
    results = {plan[0].key: [result(ce_train=11.9, h_mean=2.0)]}
    cells = by_key(words_cells(papers, published, plan, results))
    assert cells["bookscorpus", "TRIL", "ce_test"].verdict is Verdict.NOT_RUN
    assert "no metric 'ce_test'" in cells["bookscorpus", "TRIL", "ce_test"].provenance.reason
    extra = cells["bookscorpus", "TRIL", "h_mean"]
    assert (extra.measured.value, extra.kind, extra.verdict) == (2.0, "extra", Verdict.UNPUBLISHED)


def test_unit_other_than_in_paper_yaml_is_rejected(papers, published):
    plan = [planned()]
    results = {plan[0].key: [result(unit="bits/word", ce_train=11.9)]}
    with pytest.raises(UserError, match=r"'ce_train' is in bits/word, but in nats/word in .*/paper\.yaml"):
        build(1, papers, published, plan, results)


def test_settings_that_differ_between_seeds_are_marked(papers, published):
    plan = [planned()]
    seeds = [
        replace(result(seed=s, ce_train=11.9), settings={"trajectories": k, "samples": 10})
        for s, k in ((0, 64), (1, 128))
    ]
    cell = build(1, papers, published, plan, {plan[0].key: seeds})[0]
    assert cell.provenance.settings == {"trajectories": "varies", "samples": 10}


def test_planned_row_is_compared_with_its_original_data_set(papers, published):
    row = planned("sMIM (S)", "ptb", paper="sentences", table=7, dataset="ptb")
    assert {c.part.dataset for c in build(7, papers, published, [row], {}) if c.part.corpus == "ptb"} == {
        "ptb"
    }
    other = replace(row, corpus="yelp13", dataset="yelp15", original="yelp15", stand_in=True)
    resolved = build(7, papers, published, [other], {})
    assert {c.part.dataset for c in resolved if c.part.corpus == "yelp13"} == {"yelp15"}
    with pytest.raises(UserError, match="compared with 'yelp14', but the data sets there are: ptb, yelp15"):
        build(7, papers, published, [replace(other, original="yelp14")], {})


def test_unknown_table_number_is_rejected(papers, published):
    with pytest.raises(UserError, match="no paper has a table 99"):
        build(99, papers, published, [], {})


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(ROWS), st.sampled_from(["gutenberg", "fiction"])), unique=True),
    st.data(),
)
def test_cells_contain_all_planned_rows_and_measured_values(papers, published, keys, data):
    """No planned or published value is lost or duplicated, and values are unchanged."""
    plan = [planned(row, corpus, stand_in=True) for row, corpus in keys]
    results = {}
    for row in plan:
        names = data.draw(st.sets(st.sampled_from(["ce_train", "ce_test", "nats_3gram"])))
        values = {name: data.draw(st.floats(-1e6, 1e6)) for name in names}
        run = data.draw(st.sampled_from([[], [result(row.label, row.corpus, **values)]]))
        results[row.key] = run
    cells = words_cells(papers, published, plan, results)
    found = by_key(cells)
    printed = {(p.row, p.metric) for p in published if (p.paper, p.table) == ("words", 1)}
    for corpus in {corpus for _, corpus in keys} or {""}:
        assert printed <= {(c.row, c.metric) for c in cells if c.part.corpus == corpus}
    for row in plan:
        assert {c.provenance.run for c in cells if (c.row, c.part.corpus) == (row.label, row.corpus)} == {
            row.name
        }
        for done in results[row.key]:
            for name, estimate in done.metrics.items():
                assert found[row.corpus, row.label, name].measured.value == estimate.value
    measured = sum(len(done.metrics) for group in results.values() for done in group)
    assert sum(c.measured is not None for c in cells) == measured


def test_cells_from_metrics_files(papers, published, metrics_file):
    plan = [plans.planned(name="tril")]
    results = read_results([metrics_file(seed=s) for s in (0, 1, 2)], plan)
    cell = build(1, papers, published, plan, results)[0]
    # Three equal seeds: the half width of the interval, 0.015 around 11.905, is divided by sqrt 3.
    assert (cell.measured.low, cell.measured.high) == pytest.approx(
        (11.905 - 0.015 / 3**0.5, 11.905 + 0.015 / 3**0.5)
    )
    assert cell.measured.spread == pytest.approx(0, abs=1e-12)


def test_row_can_rename_a_metric_of_its_run(papers, published, metrics_file):
    run = {
        "paper": "sentences",
        "table": 6,
        "corpus": "ptb",
        "dataset": "ptb",
        "name": "smim-16",
        "seeds": (0,),
    }
    metrics = {
        "latent_entropy": {"value": 11.5, "low": 11.4, "high": 11.6, "unit": "nats", "repeat_sd": 0.1},
        "normal_entropy": {"value": 22.7, "low": None, "high": None, "unit": "nats"},
        "bleu1": {"value": 0.3, "low": None, "high": None, "unit": "score"},
    }
    path = metrics_file(paper="sentences", dataset="ptb", corpus="ptb", run="smim-16", metrics=metrics)
    shown = {"sMIM (S)": "latent_entropy", "N(S)": "normal_entropy"}
    plan = [plans.planned(row, **run, metrics={"latent_entropy": metric}) for row, metric in shown.items()]
    cells = build(6, papers, published, plan, read_results([path], plan))
    found = {c.row: (c.metric, c.measured.value, c.measured.repeat_spread) for c in cells if c.measured}
    assert found == {"sMIM (S)": ("latent_entropy", 11.5, 0.1), "N(S)": ("latent_entropy", 22.7, None)}


def test_data_sets_on_the_same_corpus_are_separate(papers, published, metrics_file, tmp_path):
    run = {
        "paper": "sentences",
        "table": 1,
        "corpus": "mine",
        "name": "data",
        "seeds": (0,),
        "stand_in": True,
    }
    plan = [plans.planned(**run, row=row, dataset=row.lower()) for row in ("PTB", "Yahoo")]
    paths = []
    for dataset, size in (("ptb", 7), ("yahoo", 8)):
        metrics = {"train": {"value": size, "low": None, "high": None, "unit": "sentences"}}
        path = metrics_file(paper="sentences", dataset=dataset, corpus="mine", run="data", metrics=metrics)
        paths.append(path.rename(tmp_path / f"{dataset}.json"))
    cells = build(1, papers, published, plan, read_results(paths, plan))
    assert {c.row: c.measured.value for c in cells if c.measured} == {"PTB": 7, "Yahoo": 8}


def test_data_set_size_with_one_seed_can_be_outside(papers, published, metrics_file):
    run = {"paper": "sentences", "table": 1, "corpus": "ptb", "dataset": "ptb", "name": "data", "seeds": (0,)}
    plan = [plans.planned(**run, row="PTB")]
    metrics = {"train": {"value": 42000, "low": None, "high": None, "unit": "sentences"}}
    path = metrics_file(paper="sentences", dataset="ptb", corpus="ptb", run="data", metrics=metrics)
    (cell,) = [c for c in build(1, papers, published, plan, read_results([path], plan)) if c.measured]
    assert cell.verdict is Verdict.OUTSIDE


@pytest.mark.parametrize(
    ("row", "is_trained", "expected"),
    [("ORACLE", False, Verdict.OUTSIDE), ("TRIL", True, Verdict.UNDECIDED)],
)
def test_only_values_of_trained_runs_can_be_undecided(
    papers, published, metrics_file, row, is_trained, expected
):
    plan = [plans.planned(row, seeds=(0,), is_trained=is_trained)]
    metrics = {"ce_train": {"value": 9.0, "low": None, "high": None, "unit": "nats/word"}}
    path = metrics_file(run=row, metrics=metrics)
    (cell,) = [c for c in build(1, papers, published, plan, read_results([path], plan)) if c.measured]
    assert cell.verdict is expected


def test_printed_values_include_those_of_the_demo(papers, published):
    demo = {(p.row, p.metric): p for p in published if (p.table, p.source) == (2, "demo")}
    cells = {(c.row, c.metric): c for c in build(2, papers, published, [], {}) if c.part.paper == "sentences"}
    for key, cell in cells.items():
        value = demo.get(key)
        assert (cell.printed.demo, cell.printed.demo_digits) == (
            (value.value, value.digits) if value else (None, None)
        )
        assert cell.printed.value is not None
    assert demo.keys() <= cells.keys()
    cell = cells["sMIM (512)", "nll_melbo"]
    assert (cell.printed.value, cell.printed.demo, cell.printed.half_units) == (
        67.46,
        66.9,
        pytest.approx(0.055),
    )
