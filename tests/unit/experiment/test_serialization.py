import json
from dataclasses import replace

import pytest

from textlvm.experiment.plan import Planned, Row, Run
from textlvm.experiment.serialization import from_json, to_json
from textlvm.runtime.errors import UserError

RUN = Run(
    paper="words",
    corpus="mine",
    corpus_title="Mine",
    stand_in=True,
    original="bookscorpus",
    split="unseen1",
    draw_of="unseen",
    name="tril",
    place=(("mine", ("words", "corpora")), ("unseen1", ("words", "split"))),
    seeds=(0, 3),
    rows=(Row(1, "TRIL, K=5"), Row(2, "TRIL", {"ce_test": "ce_unseen"})),
    trained_on="another",
    model_kind="state-space",
    model={"samples": 5},
    training={"steps": 7},
    evaluation={"trajectories": 64},
    data={"vocabulary": {"min_count": 2}},
)
DATA = Planned(
    paper="sentences",
    corpus="mine",
    original="ptb",
    dataset="ptb",
    name="data",
    place=(("ptb", ("sentences", "datasets")),),
    seeds=(0,),
    rows=(Row(1, "PTB"),),
    is_trained=False,
)


def passed(entry):
    """The entry as a step receives it."""
    return from_json(json.loads(json.dumps(to_json(entry))))


def test_run_round_trip_drops_settings():
    place = (("mine", ()), ("unseen1", ()))
    assert passed(RUN) == replace(RUN, place=place, model={}, training={}, evaluation={}, data={})
    assert isinstance(passed(RUN), Run)


def test_data_set_round_trip():
    assert passed(DATA) == replace(DATA, place=(("ptb", ()),))
    assert passed(DATA).metrics(0) == "sentences/ptb/data/statistics.json"


def test_to_json_with_table_keeps_only_its_rows():
    assert [from_json(to_json(RUN, table)).rows for table in (1, 2, 5)] == [RUN.rows[:1], RUN.rows[1:], ()]


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": None},
        {"rows": [{"table": "1", "label": "TRIL"}]},
        {"rows": [{"table": True, "label": "TRIL"}]},
        {"rows": [{"label": "TRIL"}]},
        {"stand_in": 1},
        {"seeds": ["a"]},
        {"seedz": [1]},
    ],
)
def test_invalid_entry_is_rejected(changes):
    with pytest.raises(UserError, match="invalid entry in the plan"):
        from_json(to_json(RUN) | changes)
