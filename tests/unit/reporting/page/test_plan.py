import pytest

from textlvm.reporting.page.plan import read_plan
from textlvm.runtime.errors import UserError


def test_a_plan_is_read(experiment):
    plan = read_plan(experiment.plan)
    assert [entry.name for entry in plan.entries][:2] == ["data", "tril"]
    assert plan.entries[0].is_data
    assert plan.entries[1].outcomes == {n: f"words/mine/standard/tril/seed{n}/metrics.json" for n in range(3)}
    failed = next(entry for entry in plan.entries if entry.name == "tril-k5")
    assert list(failed.outcomes) == [0]


def test_a_cell_belongs_to_its_run_and_to_no_other(experiment):
    plan = read_plan(experiment.plan)
    cells = experiment.cells()
    for cell in cells:
        entry = plan.entry(cell)
        assert (entry is None) == (not cell.run)
        if entry:
            assert (entry.paper, entry.name, entry.label) == (cell.paper, cell.run, cell.row)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"entries": None}, "the page's plan has no list 'entries'"),
        ({"reslts": ""}, "Plan: unknown setting 'reslts'; did you mean 'results'?"),
        ({"figures": [{"paper": "words"}]}, "Figure: the setting 'number' is missing"),
    ],
)
def test_another_plan_is_refused_in_one_sentence(experiment, change, sentence):
    with pytest.raises(UserError, match=sentence.replace("?", r"\?")):
        read_plan(experiment.plan | change)


def test_one_corpus_can_stand_for_several_data_sets(experiment):
    cells = experiment.cells()
    entries = experiment.plan["entries"]
    own = next(entry for entry in entries if entry["name"] == "smim-512")
    entries.insert(0, own | {"dataset": "yelp15", "path": "sentences/yelp15/smim-512"})
    plan = read_plan(experiment.plan)
    found = {plan.entry(cell).path for cell in cells if cell.run == "smim-512"}
    assert found == {"sentences/ptb/smim-512"}
