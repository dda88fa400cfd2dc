"""The entry point as a rule calls it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from plans import planned
from textlvm.experiment.paper import PAPERS
from textlvm.experiment.plan import to_json
from textlvm.reporting import tables
from textlvm.reporting.tidy import read_tidy


def written(*entries):
    return json.dumps({"planned": [to_json(entry) for entry in entries]})


def call(*arguments):
    options = tables._arguments().parse_args([str(a) for a in arguments])
    tables.main(options)


def test_tidy_then_shape(tmp_path, metrics_file):
    plan = tmp_path / "plan.json"
    plan.write_text(written(planned(name="tril"), planned("DIAG")), encoding="utf-8")
    tidy = tmp_path / "results" / "table1.csv"
    metrics = [metrics_file(seed=s) for s in (0, 1)]
    call(
        "tidy",
        "--table",
        1,
        "--papers",
        *PAPERS.iterdir(),
        "--plan",
        plan,
        "--metrics",
        *metrics,
        "--out",
        tidy,
    )
    cells = read_tidy(tidy)
    assert {c.paper for c in cells} == {"words", "sentences"}
    assert [c.reason for c in cells if c.value is not None] == ["2 of 3 seeds"]
    shaped = {kind: tmp_path / f"table1.{kind}" for kind in ("csv", "md", "html", "tex")}
    outputs = [part for kind, path in shaped.items() for part in (f"--{kind}", path)]
    call(
        "shape",
        "--tidy",
        tidy,
        "--paper",
        PAPERS / "words",
        "--table",
        1,
        "--corpus",
        "bookscorpus",
        *outputs,
    )
    assert "| TRIL " in shaped["md"].read_text(encoding="utf-8")
    assert shaped["csv"].read_text(encoding="utf-8").startswith("row,seeds,seeds_planned,ce_train,")
    assert ">TRIL</td>" in shaped["html"].read_text(encoding="utf-8")
    assert r"\end{table}" in shaped["tex"].read_text(encoding="utf-8")


def test_a_table_of_nothing_yet(tmp_path):
    out = tmp_path / "table2.csv"
    plan = written(planned("BASELINE-8D", table=2, split="unseen"))
    call("tidy", "--table", 2, "--papers", *PAPERS.iterdir(), "--plan", plan, "--metrics", "--out", out)
    assert {c.verdict for c in read_tidy(out) if c.paper == "words"} == {"not run"}


@pytest.mark.parametrize("module", ["cells", "runs", "published", "verdict", "tables"])
def test_reading_is_light(module):
    """Workflow and pages import cells often: no pandas, no matplotlib, no torch behind them."""
    heavy = "{'pandas', 'numpy', 'matplotlib', 'seaborn', 'torch'}"
    code = f"import sys, textlvm.reporting.{module}; sys.exit(bool({heavy} & sys.modules.keys()))"
    path = str(Path(__file__).parents[3] / "workflow")
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}).returncode == 0


def test_a_users_error_is_one_sentence(tmp_path):
    path = str(Path(__file__).parents[3] / "workflow")
    command = [
        "tidy",
        "--table",
        "1",
        "--papers",
        "nowhere",
        "--plan",
        '{"planned": []}',
        "--out",
        "x.csv",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "textlvm.reporting.tables", *command, "--log", str(tmp_path / "log.txt")],
        env={"PYTHONPATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [
        "error: cannot read nowhere/paper.yaml (No such file or directory): name a configuration file"
    ]
    assert "Traceback" in (tmp_path / "log.txt").read_text(encoding="utf-8")
