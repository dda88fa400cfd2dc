import logging

import pytest

from textlvm.estimate import Estimate
from textlvm.reporting.runs import read_plan, read_result, read_results
from textlvm.runtime.errors import UserError

KEY = ("words", "", "bookscorpus", "standard", "tril")


def test_a_plan_keeps_its_rows_in_order(plan_row):
    plan = read_plan({"rows": [plan_row(), plan_row(row="DIAG", run="diag", dataset="bookscorpus")]})
    assert [row.row for row in plan] == ["TRIL", "DIAG"]
    assert plan[0].seeds == (0, 1, 2)
    assert (plan[0].dataset, plan[1].dataset) == ("", "bookscorpus")
    assert plan[0].run_key == KEY


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seedz": [1]}, "row 1: unknown key 'seedz'; did you mean 'seeds'"),
        ({"table": "1"}, "row 1: 'table' must be of type int"),
        ({"table": True}, "row 1: 'table' must be of type int"),
        ({"stand_in": 1}, "row 1: 'stand_in' must be of type bool"),
        ({"seeds": [0, "1"]}, "row 1: 'seeds' must be a list of integers"),
        ({"paper": "word"}, "row 1: no paper 'word'; did you mean 'words'"),
    ],
)
def test_a_wrong_plan_is_refused(plan_row, changes, message):
    with pytest.raises(UserError, match=message):
        read_plan({"rows": [plan_row(**changes)]})


def test_a_plan_needs_rows_complete_and_once(plan_row):
    with pytest.raises(UserError, match="no list 'rows'"):
        read_plan({"row": []})
    row = plan_row()
    del row["run"]
    with pytest.raises(UserError, match="row 1: key 'run' is missing"):
        read_plan({"rows": [row]})
    with pytest.raises(UserError, match="lists row 'TRIL' of words table 1 on bookscorpus"):
        read_plan({"rows": [plan_row(), plan_row(run="tril-again")]})


def test_results_are_grouped_and_ordered_by_seed(plan_row, metrics_file, tmp_path, caplog):
    plan = read_plan({"rows": [plan_row(), plan_row(row="DIAG", run="diag")]})
    missing = tmp_path / "later" / "metrics.json"
    with caplog.at_level(logging.INFO):
        results = read_results([metrics_file(seed=2), metrics_file(seed=0), missing], plan)
    assert [result.seed for result in results[KEY]] == [0, 2]
    assert results["words", "", "bookscorpus", "standard", "diag"] == []
    assert str(missing) in caplog.text


def test_results_must_be_planned_and_single(plan_row, metrics_file):
    plan = read_plan({"rows": [plan_row()]})
    with pytest.raises(UserError, match=r"no run 'words/bookscorpus/standard/trill'; did you mean .*/tril'"):
        read_results([metrics_file(run="trill")], plan)
    with pytest.raises(UserError, match=r"seed 7 of .* is not in the plan, which lists 0, 1, 2"):
        read_results([metrics_file(seed=7)], plan)
    path = metrics_file()
    with pytest.raises(UserError, match=r"seed 0 of .* was already read from"):
        read_results([path, path], plan)


def test_a_result_reads_estimates_and_plain_settings(metrics_file):
    result = read_result(metrics_file(settings={"trajectories": 64, "curve": [1, 2]}))
    assert result.metrics == {"ce_train": Estimate(11.9, 11.89, 11.92, "nats/word")}
    assert result.settings == {"trajectories": 64}


def test_a_failed_result_carries_its_reason(metrics_file):
    result = read_result(metrics_file(status="failed", metrics=None, reason="the loss is NaN at step 7"))
    assert result.failed
    assert result.reason == "the loss is NaN at step 7"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": "0"}, "'seed' must be of type int"),
        ({"status": "finished"}, "status 'finished' is neither"),
        ({"metrics": None}, "key 'metrics' is missing"),
        ({"metrics": {"ce_train": 11.9}}, "metric 'ce_train' must be an object"),
        ({"metrics": {"ce_train": {"value": 11.9}}}, "metric 'ce_train' must be an object"),
        (
            {"metrics": {"ce_train": {"unit": "nats", "value": None}}},
            "'value' must be a finite number, not None",
        ),
        ({"metrics": {"ce_train": {"unit": "nats", "value": float("nan")}}}, "finite number, not nan"),
        ({"metrics": {"ce_train": {"unit": "nats", "value": 1, "low": "0"}}}, "'low' must be a finite"),
    ],
)
def test_malformed_metrics_are_refused(metrics_file, changes, message):
    path = metrics_file(**changes)
    with pytest.raises(UserError, match=message) as caught:
        read_result(path)
    assert str(path) in str(caught.value)


def test_what_is_not_json_is_refused(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="not readable as JSON"):
        read_result(path)
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(UserError, match="must hold a JSON object"):
        read_result(path)


def test_a_failed_training_is_one_of_every_run_that_measures_it(plan_row, metrics_file):
    everything = {"paper": "sentences", "run": "smim", "split": "standard"}
    plan = read_plan(
        {
            "rows": [
                plan_row(row="A", dataset="ptb", corpus="ptb", trained_on="everything", **everything),
                plan_row(row="B", dataset="yahoo", corpus="mine", trained_on="everything", **everything),
                plan_row(row="C", dataset="yelp15", corpus="yelp15", **everything),
            ]
        }
    )
    union = {"dataset": "everything", "corpus": "everything"}
    failure = metrics_file(status="failed", reason="nan", metrics=None, **everything, **union)
    found = read_results([failure], plan)
    assert {key[1]: [result.reason for result in group] for key, group in found.items()} == {
        "ptb": ["nan"],
        "yahoo": ["nan"],
        "yelp15": [],
    }
    # Measured is only what says so of itself.
    with pytest.raises(UserError, match="no run 'sentences/everything"):
        read_results([metrics_file(**everything, **union)], plan)
