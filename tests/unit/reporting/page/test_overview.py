import pytest

from textlvm.reporting.page.overview import overview
from textlvm.reporting.page.plan import read_plan
from textlvm.reporting.page.runs import read_runs
from textlvm.reporting.page.tables import tables


@pytest.fixture
def of(papers):
    def found(experiment, cells=None):
        plan = read_plan(experiment.plan)
        shown, _ = tables(papers, cells or experiment.cells(), plan)
        return overview(papers, plan, shown, read_runs(plan, papers))

    return found


def test_every_planned_row_is_counted_once(experiment, of):
    found = of(experiment)
    assert found.rows == {"done": 4, "failed": 1, "not run": 2}
    assert sum(found.rows.values()) == len(experiment.plan["planned"])
    assert [own.rows.get("done", 0) for own in found.progress] == [2, 1, 1]


def test_verdicts_are_those_of_cells_beside_a_published_number(experiment, of):
    found = of(experiment)
    assert found.verdicts == {"stand-in": 5, "within": 2, "outside": 1}
    compared = [cell for cell in experiment.cells() if cell.measured and cell.printed]
    assert sum(found.verdicts.values()) == len(compared)


def test_a_row_with_some_of_its_seeds_is_not_done(experiment, of):
    experiment.plan["known"]["words/mine/standard/tril"].popitem()
    assert of(experiment).rows == {"done": 3, "some seeds": 1, "failed": 1, "not run": 2}


def test_corpora_and_costs(experiment, of):
    found = of(experiment)
    assert [(own.dataset, own.stand_in) for own in found.corpora] == [
        ("BooksCorpus", True),
        ("Penn Treebank", False),
    ]
    assert found.stand_ins == found.corpora[:1]
    assert found.devices == ("CPU, PyTorch 2.13.0",)
    assert found.seconds == 9 * 3.5
    assert found.trained == "1 minute"


def test_corpora_without_a_number_wait(experiment, of):
    experiment.plan["planned"] = [own for own in experiment.plan["planned"] if own["paper"] == "words"]
    experiment.copy("tril", corpus="other", corpus_title="Other", place=["other", "standard"])
    found = of(experiment)
    assert [own.dataset for own in found.corpora] == ["BooksCorpus"]
    assert [own.title for own in found.waiting] == ["Other"]
    assert found.stand_ins == found.corpora


def test_a_page_of_what_has_run_is_unfinished_until_all_has(experiment, of):
    assert not of(experiment).is_unfinished
    experiment.plan["partial"] = True
    assert of(experiment).is_unfinished
    done = ("data", "tril", "tril-k2", "smim-512")
    experiment.plan["planned"] = [own for own in experiment.plan["planned"] if own["name"] in done]
    assert not of(experiment).is_unfinished
    experiment.plan["known"]["words/mine/standard/tril"].popitem()
    assert of(experiment).is_unfinished


def test_a_training_that_several_runs_share_is_counted_once(experiment, of):
    cells = experiment.cells()
    smim = experiment.entry("smim-512")
    # Trained on one data set and measured on another: its costs are those of the training.
    elsewhere = smim | {"dataset": "yahoo", "trained_on": "ptb", "place": ["yahoo"], "rows": []}
    experiment.plan["planned"].append(elsewhere)
    experiment.plan["known"]["sentences/yahoo/smim-512"] = {"0": ""}
    metrics = experiment.folder / "sentences/ptb/smim-512/seed0/metrics.json"
    experiment.write("sentences/yahoo/smim-512/seed0/metrics.json", metrics.read_text(encoding="utf-8"))
    assert of(experiment, cells).seconds == 9 * 3.5
