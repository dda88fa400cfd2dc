import pytest

from textlvm.reporting.page.overview import overview
from textlvm.reporting.page.plan import read_page_plan
from textlvm.reporting.page.runs import read_runs
from textlvm.reporting.page.tables import tables


@pytest.fixture
def overview_of(papers):
    def found(experiment, cells=None):
        plan = read_page_plan(experiment.plan)
        shown, _ = tables(papers, cells or experiment.cells(), plan)
        return overview(papers, plan, shown, read_runs(plan, papers))

    return found


def test_planned_rows_are_counted_by_state(experiment, overview_of):
    found = overview_of(experiment)
    assert found.rows == {"done": 4, "failed": 1, "not run": 2}
    assert sum(found.rows.values()) == len(experiment.plan["planned"])
    assert [table.rows.get("done", 0) for table in found.progress] == [2, 1, 1]


def test_verdicts_are_counted_for_cells_with_a_published_number(experiment, overview_of):
    found = overview_of(experiment)
    assert found.verdicts == {"stand-in": 5, "within": 2, "outside": 1}
    compared = [cell for cell in experiment.cells() if cell.measured and cell.printed]
    assert sum(found.verdicts.values()) == len(compared)


def test_row_with_missing_seeds_is_not_done(experiment, overview_of):
    experiment.plan["known"]["words/mine/standard/tril"].popitem()
    assert overview_of(experiment).rows == {"done": 3, "some seeds": 1, "failed": 1, "not run": 2}


def test_corpora_and_costs(experiment, overview_of):
    found = overview_of(experiment)
    assert [(corpus.dataset, corpus.stand_in) for corpus in found.corpora] == [
        ("BooksCorpus", True),
        ("Penn Treebank", False),
    ]
    assert found.stand_ins == found.corpora[:1]
    assert found.devices == ("CPU, PyTorch 2.13.0",)
    assert found.seconds == 9 * 3.5
    assert found.trained == "1 minute"


def test_corpora_without_a_number_are_waiting(experiment, overview_of):
    experiment.plan["planned"] = [entry for entry in experiment.plan["planned"] if entry["paper"] == "words"]
    experiment.copy("tril", corpus="other", corpus_title="Other", place=["other", "standard"])
    found = overview_of(experiment)
    assert [corpus.dataset for corpus in found.corpora] == ["BooksCorpus"]
    assert [corpus.title for corpus in found.waiting] == ["Other"]
    assert found.stand_ins == found.corpora


def test_partial_page_is_unfinished_until_all_rows_are_done(experiment, overview_of):
    assert not overview_of(experiment).is_unfinished
    experiment.plan["partial"] = True
    assert overview_of(experiment).is_unfinished
    done = ("data", "tril", "tril-k2", "smim-512")
    experiment.plan["planned"] = [entry for entry in experiment.plan["planned"] if entry["name"] in done]
    assert not overview_of(experiment).is_unfinished
    experiment.plan["known"]["words/mine/standard/tril"].popitem()
    assert overview_of(experiment).is_unfinished


def test_shared_training_is_counted_once(experiment, overview_of):
    cells = experiment.cells()
    smim = experiment.entry("smim-512")
    # A model that is evaluated on two data sets has the cost of one training.
    elsewhere = smim | {"dataset": "yahoo", "trained_on": "ptb", "place": ["yahoo"], "rows": []}
    experiment.plan["planned"].append(elsewhere)
    experiment.plan["known"]["sentences/yahoo/smim-512"] = {"0": ""}
    metrics = experiment.folder / "sentences/ptb/smim-512/seed0/metrics.json"
    experiment.write("sentences/yahoo/smim-512/seed0/metrics.json", metrics.read_text(encoding="utf-8"))
    assert overview_of(experiment, cells).seconds == 9 * 3.5
