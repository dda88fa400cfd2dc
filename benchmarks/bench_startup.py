"""Startup time: --help of every entry point, and the plan of the whole experiment with ten seeds.

    PYTHONPATH=workflow:benchmarks pytest -s benchmarks/bench_startup.py \\
        --benchmark-timer=measure.cpu_seconds
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path("workflow/textlvm")
ENTRY_POINTS = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__main__")
    for path in PACKAGE.glob("**/*.py")
    if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")
)
SEEDS = list(range(10))


def test_python_startup(timed):
    timed("python", lambda: subprocess.run([sys.executable, "-c", ""], check=True))


@pytest.mark.parametrize("module", ENTRY_POINTS)
def test_entry_point_startup(timed, module):
    command = [sys.executable, "-m", module, "--help"]
    timed(module, lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), target=5)


def test_snakemake_startup(timed, tmp_path):
    (tmp_path / "Snakefile").write_text('rule all:\n    output: "x"\n')
    command = [
        "snakemake",
        "--dry-run",
        "--quiet",
        "--directory",
        tmp_path,
        "--snakefile",
        tmp_path / "Snakefile",
    ]
    timed("snakemake, a plan of one job", lambda: plan(command))


def test_plan_of_all_rows_with_ten_seeds(timed, tmp_path):
    seeds = tmp_path / "seeds.json"
    # In an empty results folder, where all jobs are planned.
    empty = {"pathvars": {"results": str(tmp_path / "results")}}
    seeds.write_text(json.dumps(empty | {paper: {"seeds": SEEDS} for paper in ("words", "sentences")}))
    command = ["snakemake", "--dry-run", "--quiet", "--configfile", seeds, "--"]
    timed("snakemake, all rows, ten seeds", lambda: plan(command), target=5)


def plan(command: list[str | Path]) -> None:
    subprocess.run(command, check=True, capture_output=True)
