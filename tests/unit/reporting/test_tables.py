"""The entry point, called as by a rule."""

import json

from plans import planned
from textlvm.experiment.paper import PAPERS
from textlvm.experiment.serialization import to_json
from textlvm.reporting import tables
from textlvm.reporting.tidy import read_tidy


def written(*entries):
    return json.dumps({"planned": [to_json(entry) for entry in entries]})


def call(*arguments):
    options = tables._arguments().parse_args([str(a) for a in arguments])
    tables.main(options)


def test_tidy_and_shape_write_all_formats(tmp_path, metrics_file):
    plan = tmp_path / "plan.json"
    plan.write_text(written(planned(name="tril"), planned("DIAG")), encoding="utf-8")
    tidy = tmp_path / "results" / "table1.csv"
    metrics = [metrics_file(seed=s) for s in (0, 1)]
    inputs = ["--papers", *PAPERS.iterdir(), "--plan", plan, "--metrics", *metrics]
    call("tidy", "--table", 1, *inputs, "--out", tidy)
    cells = read_tidy(tidy)
    assert {c.part.paper for c in cells} == {"words", "sentences"}
    assert [c.provenance.reason for c in cells if c.measured] == ["2 of 3 seeds"]
    shaped = {kind: tmp_path / f"table1.{kind}" for kind in ("csv", "md", "html", "tex")}
    outputs = [part for kind, path in shaped.items() for part in (f"--{kind}", path)]
    table = ["--paper", PAPERS / "words", "--table", 1, "--corpus", "bookscorpus"]
    call("shape", "--tidy", tidy, *table, *outputs)
    assert "| TRIL " in shaped["md"].read_text(encoding="utf-8")
    assert shaped["csv"].read_text(encoding="utf-8").startswith("row,seeds,seeds_planned,ce_train,")
    assert ">TRIL</td>" in shaped["html"].read_text(encoding="utf-8")
    assert r"\end{table}" in shaped["tex"].read_text(encoding="utf-8")


def test_tidy_without_results(tmp_path):
    out = tmp_path / "table2.csv"
    plan = written(planned("BASELINE-8D", table=2, split="unseen"))
    call("tidy", "--table", 2, "--papers", *PAPERS.iterdir(), "--plan", plan, "--metrics", "--out", out)
    assert {c.verdict for c in read_tidy(out) if c.part.paper == "words"} == {"not run"}
