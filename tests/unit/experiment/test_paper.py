"""The folder of a paper: what paper.yaml may say, and that recorded results are in the units it declares."""

import json
from pathlib import Path

import pytest
import yaml

from textlvm.experiment.paper import PAPERS, load, load_all
from textlvm.runtime.errors import UserError

RECORDED = Path(__file__).parents[3] / "results" / "recorded"
ALL = load_all(PAPERS.iterdir())


@pytest.fixture
def changed(tmp_path):
    """Writes the paper.yaml of the words paper with other parts, and returns its folder."""

    def write(**parts):
        entries = yaml.safe_load((PAPERS / "words" / "paper.yaml").read_text(encoding="utf-8"))
        (tmp_path / "words").mkdir(exist_ok=True)
        text = yaml.safe_dump({key: own for key, own in (entries | parts).items() if own is not None})
        (tmp_path / "words" / "paper.yaml").write_text(text, encoding="utf-8")
        return tmp_path / "words"

    return write


def test_papers_are_in_the_order_of_their_years():
    assert [(paper.name, paper.year) for paper in ALL.values()] == [("words", 2018), ("sentences", 2020)]


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"citation": None}, "citation is missing"),
        ({"tables": {1: {"each": "corpus", "columns": ["ce"]}}}, "the column 'ce', which metrics does not"),
        (
            {"texts": {9: {"kind": "answers", "title": "A", "answers": ["tall"]}}},
            "texts.9.answers.0 cannot be",
        ),
        (
            {"figure_metrics": {"h_gap": {"unit": "nats", "file": "a.csv", "function": "a:b"}}},
            "'h_gap' is in both metrics and figure_metrics",
        ),
        (
            {"figure_metrics": {"h": {"unit": "nats", "file": "../a.csv", "function": "a:b"}}},
            "figure_metrics.h.file must be the name of a .csv, .json or .jsonl file",
        ),
    ],
)
def test_errors_name_the_file_and_the_key(changed, parts, sentence):
    folder = changed(**parts)
    with pytest.raises(UserError) as error:
        load(folder)
    assert str(error.value).startswith(f"{folder}/paper.yaml: ")
    assert sentence in str(error.value)


def test_two_papers_of_one_name_are_refused(changed):
    with pytest.raises(UserError, match="have the same name"):
        load_all([PAPERS / "words", changed()])


def test_what_a_training_leaves_the_same_is_declared():
    assert not ALL["sentences"].is_of_training("parameters")
    assert ALL["sentences"].is_of_training("bleu1_eos")
    assert ALL["words"].is_of_training("a_metric_of_ones_own")


def test_every_recorded_metric_is_declared_in_its_unit():
    found = set()
    for path in RECORDED.rglob("metrics.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        units = {name: own["unit"] for name, own in content["metrics"].items()}
        declared = ALL[content["paper"]].metrics
        assert {name: declared[name].unit for name in units} == units, path
        found |= {(content["paper"], name) for name in units}
    # All of them but for those of the evaluations that are not recorded.
    of_words = {name for name, metric in ALL["words"].metrics.items()}
    assert {name for paper, name in found if paper == "words"} == of_words
