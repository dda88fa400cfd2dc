"""textlvm.experiment.paper: invalid paper.yaml files, and units of the recorded results."""

import json
import re
from pathlib import Path

import pytest
import yaml

from textlvm.experiment.paper import PAPERS, PLANNER, find, in_use, load, load_all
from textlvm.experiment.plan import Planner
from textlvm.runtime.errors import UserError

RECORDED = Path(__file__).parents[3] / "results" / "recorded"
ALL = load_all(PAPERS.iterdir())


@pytest.fixture
def changed(tmp_path):
    """Write the paper.yaml of the words paper with changed parts; returns its folder."""

    def write(**parts):
        entries = yaml.safe_load((PAPERS / "words" / "paper.yaml").read_text(encoding="utf-8"))
        (tmp_path / "words").mkdir(exist_ok=True)
        text = yaml.safe_dump({key: part for key, part in (entries | parts).items() if part is not None})
        (tmp_path / "words" / "paper.yaml").write_text(text, encoding="utf-8")
        return tmp_path / "words"

    return write


def test_papers_are_ordered_by_year():
    assert [(paper.name, paper.year) for paper in ALL.values()] == [("words", 2018), ("sentences", 2020)]


@pytest.mark.parametrize(
    ("parts", "message"),
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
def test_error_message_names_file_and_key(changed, parts, message):
    folder = changed(**parts)
    with pytest.raises(UserError) as error:
        load(folder)
    assert str(error.value).startswith(f"{folder}/paper.yaml: ")
    assert message in str(error.value)


def test_paper_given_by_its_folder_is_the_same_paper():
    config = {"papers": [str(PAPERS / "words"), "words"]}
    papers = find(config, str)
    assert papers == find({"papers": ["words"]}, str)
    assert in_use(config, papers) == (papers["words"],)


def test_unknown_paper_is_reported_with_the_file():
    with pytest.raises(
        UserError, match=r"^mine\.yaml: papers lists 'sentence', which is neither .*'sentences'"
    ):
        find({"papers": ["sentence"]}, {("papers",): "mine.yaml"}.get)


def test_paper_with_a_name_longer_than_the_file_system_allows_is_reported():
    with pytest.raises(UserError, match=r"^mine\.yaml: papers lists 'xxx.*', which is neither"):
        find({"papers": ["x" * 300]}, {("papers",): "mine.yaml"}.get)


def test_two_papers_with_the_same_name_are_rejected(changed):
    with pytest.raises(UserError, match="have the same name"):
        load_all([PAPERS / "words", changed()])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "def plan(section, corpora):\n    return ()\n",
            "does not define REMOVABLE, check, corpora, titles, figures",
        ),
        ("import nowhere\n", "cannot be imported: No module named 'nowhere'"),
        ("def plan(:\n", "cannot be imported: invalid syntax"),
    ],
)
def test_invalid_planner_is_rejected(changed, code, message):
    folder = changed(plan="plan.py")
    (folder / "plan.py").write_text(code, encoding="utf-8")
    with pytest.raises(UserError, match=rf"{re.escape(str(folder))}/plan\.py {message}"):
        _ = load(folder).planner


def test_names_of_a_planner_are_those_of_the_protocol():
    assert set(PLANNER) == {
        name for name in vars(Planner) | Planner.__annotations__ if not name.startswith("_")
    }


def test_metrics_declare_whether_they_depend_on_training():
    assert not ALL["sentences"].is_of_training("parameters")
    assert ALL["sentences"].is_of_training("bleu1_eos")
    assert ALL["words"].is_of_training("undeclared_metric")


def test_recorded_metrics_have_the_declared_units():
    found = set()
    for path in RECORDED.rglob("metrics.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        units = {name: metric["unit"] for name, metric in content["metrics"].items()}
        declared = ALL[content["paper"]].metrics
        assert {name: declared[name].unit for name in units} == units, path
        found |= {(content["paper"], name) for name in units}
    # The records of the words paper have all metrics, those of the other paper do not.
    assert {name for paper, name in found if paper == "words"} == ALL["words"].metrics.keys()
