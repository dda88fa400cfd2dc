import json
import re

import pytest

from textlvm.experiment.serialization import from_json
from textlvm.reporting.page.plan import read_page_plan
from textlvm.runtime.errors import UserError


def test_plan_has_outcomes_by_seed(experiment):
    plan = read_page_plan(json.loads(json.dumps(experiment.plan)))
    data, tril = plan.planned[:2]
    assert (data.name, tril.name) == ("data", "tril")
    assert plan.outcomes(data) == {0: "sentences/ptb/data/statistics.json"}
    assert plan.outcomes(tril) == {n: f"words/mine/standard/tril/seed{n}/metrics.json" for n in range(3)}
    failed = from_json(experiment.entry("tril-k5"))
    assert plan.outcomes(failed) == {0: "words/mine/standard/tril-k5/seed0/checkpoint/failure.json"}
    assert plan.outcomes(from_json(experiment.entry("diag"))) == {}


def test_cells_have_the_entries_of_their_runs(experiment):
    plan = read_page_plan(experiment.plan)
    cells = experiment.cells()
    for cell in cells:
        entry = plan.entry(cell)
        assert (entry is None) == (not cell.provenance.run)
        if entry:
            assert (entry.paper, entry.name, entry.label) == (cell.part.paper, cell.provenance.run, cell.row)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"planned": None}, "the plan has no list 'planned': pass the plan"),
        ({"reslts": ""}, "Plan: unknown setting 'reslts'; did you mean 'results'?"),
        ({"figures": [{"paper": "words"}]}, "Product: the setting 'number' is missing"),
        ({"planned": [{"paper": "words"}]}, "invalid entry in the plan: {'paper': 'words'} ('rows')"),
    ],
)
def test_invalid_plan_is_rejected(experiment, change, sentence):
    with pytest.raises(UserError, match=re.escape(sentence)):
        read_page_plan(experiment.plan | change)


def test_cell_of_a_shared_corpus_has_the_entry_of_its_data_set(experiment):
    cells = experiment.cells()
    entry = experiment.entry("smim-512")
    experiment.plan["planned"].insert(0, entry | {"dataset": "yelp15", "place": ["yelp15"]})
    plan = read_page_plan(experiment.plan)
    found = {plan.entry(cell).path for cell in cells if cell.provenance.run == "smim-512"}
    assert found == {"sentences/ptb/smim-512"}
