from pathlib import Path

import pytest

from textlvm.experiment import targets
from textlvm.experiment.experiment import Experiment
from textlvm.experiment.paper import find
from textlvm.experiment.plan import Product, Row, Run
from textlvm.runtime.errors import UserError
from textlvm.sentences.plan import DataSet
from unit.overlay import cases

NOTHING = {"model": {}, "training": {}, "evaluation": {}}


def of_words(corpus, split, name, table):
    return Run(
        paper="words",
        corpus=corpus,
        original="bookscorpus",
        split=split,
        name=name,
        place=((corpus, ("words", "corpora")), (split, ("words", "runs"))),
        seeds=(0, 3),
        rows=(Row(table, name),),
        **NOTHING,
    )


def on_dataset(kind, dataset, table, name="data", **others):
    return kind(
        paper="sentences",
        corpus="x",
        original=dataset,
        dataset=dataset,
        name=name,
        place=((dataset, ("sentences", "datasets")),),
        seeds=(0,),
        rows=(Row(table, name),),
        **others,
    )


PLANNED = [
    *(
        run
        for corpus in ("gutenberg", "mine")
        for run in (
            of_words(corpus, "standard", "tril", 1),
            of_words(corpus, "standard", "tril-k5", 1),
            of_words(corpus, "unseen", "tril", 2),
        )
    ),
    on_dataset(Run, "ptb", 2, "smim-16", **NOTHING),
    on_dataset(Run, "ptb", 2, "smim-all", trained_on="everything", **NOTHING),
    on_dataset(Run, "everything", 2, "smim-all", **NOTHING),
    *(on_dataset(DataSet, name, 1, settings={}, sources={}) for name in ("ptb", "everything", "yahoocqa")),
]


class ExperimentWithTexts(Experiment):
    """An experiment with all tables of texts."""

    texts = tuple(Product("sentences", number, "", f"sentences/table{number}", ()) for number in range(9, 22))


EXPERIMENT = ExperimentWithTexts(
    config={"pathvars": {"results": "results/mine"}},
    papers=find({}, str),
    used=(),
    corpora={},
    planned=tuple(PLANNED),
    origin=lambda key: f"{key[-1]}.yaml",
)


def error_message(target: str) -> str | None:
    try:
        targets.check_target(target, EXPERIMENT)
    except UserError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    "target",
    [
        "results/mine/table8.csv",
        "results/mine/partial/table1.csv",
        "results/mine/words/mine/table2.md",
        "results/mine/partial/words/mine/table2.md",
        "results/mine/words/gutenberg/figure1.png",
        "results/mine/words/gutenberg/standard/words.tsv",
        "results/mine/words/gutenberg/unseen/tril/seed3/metrics.json",
        str(Path("results/mine/words/mine/standard/tril/seed0/metrics.json").absolute()),
        "results/mine/sentences/table2.md",
        "results/mine/sentences/table21.json",
        "results/mine/sentences/ptb/data/train.tokens.npy",
        "results/mine/sentences/yahoocqa/data/questions.json",
        "results/mine/sentences/ptb/smim-16/seed0/model.safetensors",
        "results/mine/sentences/ptb/smim-all/seed0/metrics.json",
        # Not checked.
        "tables",
        "--cores",
        "",
        "results/mine",
        "results/table9.csv",
        "elsewhere/table9.csv",
        "results/mine/logs/table9.log",
        "results/mine/tabel1.csv",
    ],
)
def test_planned_and_unrelated_targets_are_accepted(target):
    assert error_message(target) is None


REFUSED = """
table9.csv
    there is no table 9; the valid tables are 1, 2, 3, 4, 5, 6, 7, 8
partial/table0.csv
    there is no table 0; the valid tables are 1, 2, 3, 4, 5, 6, 7, 8
sentences/table3.md
    there is no table 3; the valid tables are 1, 2, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21
sentences/ptv/smim-16/seed0/metrics.json
    there is no 'ptv' in sentences.datasets of datasets.yaml; did you mean 'ptb'?
sentences/ptb/smim-17/seed0/metrics.json
    there is no 'smim-17' in sentences.runs.ptb of ptb.yaml; did you mean 'smim-16', 'smim-all'?
sentences/ptb/smim-16/seed1/metrics.json
    there is no 'seed1' in the seeds of this run; did you mean 'seed0'?
sentences/ptb/smim-all/seed0/model.safetensors
    this run was trained on 'everything'; request the file in results/mine/sentences/everything/smim-all
words/mine/table3.md
    there is no table 3; the valid tables are 1, 2
words/gutemberg/table1.md
    there is no 'gutemberg' in words.corpora of corpora.yaml; did you mean 'gutenberg'?
words/mine/standrad/words.tsv
    there is no 'standrad' in words.runs of runs.yaml; did you mean 'standard'?
words/mine/standard/tril-k6/seed0/metrics.json
    there is no 'tril-k6' in words.runs.standard of standard.yaml; did you mean 'tril-k5', 'tril'?
words/mine/unseen/tril-k5/seed0/metrics.json
    there is no 'tril-k5' in words.runs.unseen of unseen.yaml; did you mean 'tril'?
words/mine/standard/tril/seed2/metrics.json
    there is no 'seed2' in the seeds of this run; did you mean 'seed3', 'seed0'?
"""


@pytest.mark.parametrize(("target", "expected"), cases(REFUSED))
def test_error_message_for_names_that_are_not_planned(target, expected):
    assert error_message(f"results/mine/{target}") == f"results/mine/{target}: {expected}"
