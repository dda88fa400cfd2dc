"""Tables over several data sets that have rows with the same label."""

import csv
import io
from dataclasses import replace

import pytest

from plans import planned
from textlvm.estimate import exact
from textlvm.experiment.declarations import Table
from textlvm.reporting import shapes
from textlvm.reporting.assembly import build
from textlvm.reporting.runs import Result

UNITS = {"nll": "nats/sentence", "ppl": "per word"}
VALUES = {"ptb": {"nll": 80.0, "ppl": 44.0}, "yahoo": {"nll": 90.0, "ppl": 45.0}}


@pytest.fixture
def table(papers):
    """A table of a paper without printed values, whose row LSTM has two metrics on two data sets."""
    paper = replace(papers["sentences"], tables={2: Table(2, "paper", ("nll", "ppl"))})
    plan = [planned("LSTM", table=2, paper=paper.name, corpus=name, dataset=name) for name in VALUES]
    results = {
        row.key: [
            Result(
                *(row.paper, row.corpus, row.split, row.name, 0, "metrics.json"),
                dataset=row.dataset,
                metrics={name: exact(value, UNITS[name]) for name, value in VALUES[row.dataset].items()},
            )
        ]
        for row in plan
    }
    return shapes.shape(build(2, {paper.name: paper}, [], plan, results), paper, 2)


def test_rows_of_several_metrics_have_the_data_set_in_their_label(table):
    assert table.rows == ("LSTM, Penn Treebank", "LSTM, Yahoo Answers")
    assert (table.stub, table.columns) == ("Model", ("nll", "ppl"))


def test_all_metrics_are_in_markdown_and_csv(table):
    lines = list(csv.DictReader(io.StringIO(shapes.as_csv(table))))
    assert [{name: float(line[name]) for name in UNITS} for line in lines] == list(VALUES.values())
    text = shapes.as_markdown(table)
    assert all(f" {value:.2f} |" in text for values in VALUES.values() for value in values.values())
