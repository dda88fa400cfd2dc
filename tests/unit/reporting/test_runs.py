import json
import logging

import pytest

from plans import planned
from textlvm.estimate import Estimate
from textlvm.experiment.serialization import to_json
from textlvm.reporting.runs import read_plan, read_result, read_results
from textlvm.runtime.errors import UserError

KEY = ("words", "", "bookscorpus", "standard", "tril")
PAPERS = ("words", "sentences")


def row(label="TRIL", **changes):
    return planned(label, **{"name": label.lower()} | changes)


def written(*entries):
    return {"planned": [to_json(entry) for entry in entries]}


def test_plan_round_trips_through_json():
    entries = row(), row("DIAG"), planned("PTB", paper="sentences", dataset="ptb", name="data", seeds=(0,))
    plan = read_plan(json.loads(json.dumps(written(*entries))), PAPERS)
    assert plan == entries
    assert plan[0].key == KEY


def test_plan_with_unknown_paper_or_duplicate_row_is_rejected():
    with pytest.raises(UserError, match="no list 'planned'"):
        read_plan({"rows": []}, PAPERS)
    with pytest.raises(UserError, match="no paper 'words'; did you mean 'word'"):
        read_plan(written(row()), ["word"])
    with pytest.raises(UserError, match="lists row 'TRIL' of words table 1 on bookscorpus"):
        read_plan(written(row(), row(name="tril-again")), PAPERS)


def test_results_are_grouped_by_run_and_ordered_by_seed(metrics_file, tmp_path, caplog):
    plan = [row(), row("DIAG")]
    missing = tmp_path / "later" / "metrics.json"
    with caplog.at_level(logging.INFO):
        results = read_results([metrics_file(seed=2), metrics_file(seed=0), missing], plan)
    assert [result.seed for result in results[KEY]] == [0, 2]
    assert results["words", "", "bookscorpus", "standard", "diag"] == []
    assert str(missing) in caplog.text


def test_unplanned_and_duplicate_results_are_rejected(metrics_file):
    plan = [row()]
    with pytest.raises(UserError, match=r"no run 'words/bookscorpus/standard/trill'; did you mean .*/tril'"):
        read_results([metrics_file(run="trill")], plan)
    with pytest.raises(UserError, match=r"seed 7 of .* is not in the plan, which lists 0, 1, 2"):
        read_results([metrics_file(seed=7)], plan)
    path = metrics_file()
    with pytest.raises(UserError, match=r"seed 0 of .* was already read from"):
        read_results([path, path], plan)


def test_result_has_estimates_and_scalar_settings(metrics_file):
    result = read_result(metrics_file(settings={"trajectories": 64, "curve": [1, 2]}))
    assert result.metrics == {"ce_train": Estimate(11.9, 11.89, 11.92, "nats/word")}
    assert result.settings == {"trajectories": 64}


def test_failed_result_has_its_reason(metrics_file):
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
        ({"metrics": {"ce_train": {"unit": "nats", "value": None}}}, "must be a finite number, not None"),
        ({"metrics": {"ce_train": {"unit": "nats", "value": float("nan")}}}, "finite number, not nan"),
        ({"metrics": {"ce_train": {"unit": "nats", "value": 1, "low": "0"}}}, "'low' must be a finite"),
    ],
)
def test_malformed_metrics_are_rejected(metrics_file, changes, message):
    path = metrics_file(**changes)
    with pytest.raises(UserError, match=message) as caught:
        read_result(path)
    assert str(path) in str(caught.value)


def test_invalid_json_is_rejected(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"cannot read .*metrics\.json \("):
        read_result(path)
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(UserError, match="contains no JSON object"):
        read_result(path)


def test_failed_training_is_a_result_of_every_run_that_evaluates_it(metrics_file):
    everything = {"paper": "sentences", "run": "smim", "split": "standard"}
    elsewhere = {"paper": "sentences", "name": "smim", "trained_on": "everything"}
    plan = [
        row("A", dataset="ptb", corpus="ptb", **elsewhere),
        row("B", dataset="yahoo", corpus="mine", **elsewhere),
        row("C", dataset="yelp15", corpus="yelp15", **elsewhere | {"trained_on": ""}),
    ]
    union = {"dataset": "everything", "corpus": "everything"}
    failure = metrics_file(status="failed", reason="nan", metrics=None, **everything, **union)
    found = read_results([failure], plan)
    reasons = {key[1]: [result.reason for result in group] for key, group in found.items()}
    assert reasons == {"ptb": ["nan"], "yahoo": ["nan"], "yelp15": []}
    # An evaluation, unlike a failure, counts only for the run in its own file.
    with pytest.raises(UserError, match="no run 'sentences/everything"):
        read_results([metrics_file(**everything, **union)], plan)
