from dataclasses import replace

import pytest
import yaml

from plans import plan_of, planned
from textlvm.estimate import Estimate, exact
from textlvm.reporting.assembly import build
from textlvm.reporting.claims.file import load
from textlvm.reporting.claims.numbers import Measured
from textlvm.reporting.claims.report import evaluate
from textlvm.reporting.runs import Result

CLAIM = {
    "id": "mine",
    "where": "Section 5.1",
    "claim": "It is lower.",
    "tables": {"bookscorpus": 1},
    "metrics": ["ce_test"],
    "kind": "less",
    "of": [["TRIL, K=5", "TRIL"]],
}


@pytest.fixture
def write(papers, tmp_path):
    """Writes a claims.yaml with one claim; keywords change it, `None` removes a key. Returns its papers."""

    def file(top=None, paper="words", **changes):
        entry = {key: value for key, value in (CLAIM | changes).items() if value is not None}
        path = tmp_path / "claims.yaml"
        path.write_text(yaml.safe_dump({"claims": [entry]} | (top or {})), encoding="utf-8")
        return {paper: replace(papers[paper], folder=tmp_path)}

    return file


@pytest.fixture(scope="module")
def shipped(papers, published):
    """The claims of all papers."""
    return load(papers, published)


@pytest.fixture
def check(write, published):
    """Evaluates one claim of a paper, `TRIL, K=5 < TRIL` unless keywords say otherwise."""

    def lines(cells, figures=(), untrained=(), paper="words", **changes):
        papers, plan = write(paper=paper, **changes), plan_of(cells, untrained)
        claims = load(papers, published, plan).claims
        return evaluate(claims, Measured(papers, cells, figures, plan), published)

    return lines


@pytest.fixture
def measured(papers, published):
    """Makes the cells of a table from values by seed of its rows; a row without values has not run."""

    def cells(rows, table=1, metric="ce_test", unit="nats/word", **changes):
        plan, results = [], {}
        for row, values in rows.items():
            fields = {
                "paper": "words",
                "corpus": "bookscorpus",
                "corpus_title": "BooksCorpus",
                "split": "standard",
                "stand_in": False,
            } | changes
            entry = planned(row, table=table, **fields)
            plan.append(entry)
            key = {name: fields[name] for name in ("paper", "corpus", "split")}
            results[entry.key] = [
                Result(
                    **key,
                    run=row,
                    seed=seed,
                    path=f"results/{entry.corpus}/{row}/seed{seed}/metrics.json",
                    dataset=entry.dataset,
                    metrics={metric: value if isinstance(value, Estimate) else exact(value, unit)},
                )
                for seed, value in enumerate(values)
            ]
        return build(table, papers, published, plan, results)

    return cells
