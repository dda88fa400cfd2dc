import json
import re

import pytest

from textlvm.experiment.serialization import from_json
from textlvm.reporting.page.plan import read_plan
from textlvm.runtime.errors import UserError


def test_a_plan_is_read(experiment):
    plan = read_plan(json.loads(json.dumps(experiment.plan)))
    data, tril = plan.planned[:2]
    assert (data.name, tril.name) == ("data", "tril")
    assert plan.outcomes(data) == {0: "sentences/ptb/data/statistics.json"}
    assert plan.outcomes(tril) == {n: f"words/mine/standard/tril/seed{n}/metrics.json" for n in range(3)}
    failed = from_json(experiment.entry("tril-k5"))
    assert plan.outcomes(failed) == {0: "words/mine/standard/tril-k5/seed0/checkpoint/failure.json"}
    assert plan.outcomes(from_json(experiment.entry("diag"))) == {}


def test_a_cell_belongs_to_its_run_and_to_no_other(experiment):
    plan = read_plan(experiment.plan)
    cells = experiment.cells()
    for cell in cells:
        entry = plan.entry(cell)
        assert (entry is None) == (not cell.provenance.run)
        if entry:
            assert (entry.paper, entry.name, entry.label) == (cell.part.paper, cell.provenance.run, cell.row)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"planned": None}, "the page's plan has no list 'planned'"),
        ({"reslts": ""}, "Plan: unknown setting 'reslts'; did you mean 'results'?"),
        ({"figures": [{"paper": "words"}]}, "Figure: the setting 'number' is missing"),
        ({"planned": [{"paper": "words"}]}, "no entry of a plan ('rows')"),
    ],
)
def test_another_plan_is_refused_in_one_sentence(experiment, change, sentence):
    with pytest.raises(UserError, match=re.escape(sentence)):
        read_plan(experiment.plan | change)


def test_one_corpus_can_stand_for_several_data_sets(experiment):
    cells = experiment.cells()
    own = experiment.entry("smim-512")
    experiment.plan["planned"].insert(0, own | {"dataset": "yelp15", "place": ["yelp15"]})
    plan = read_plan(experiment.plan)
    found = {plan.entry(cell).path for cell in cells if cell.provenance.run == "smim-512"}
    assert found == {"sentences/ptb/smim-512"}
