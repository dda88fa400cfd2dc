"""Write results/recorded/runs.md: the main number, training time and command of each recorded run.

    python docs/runs.py

All data are read from results/recorded.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["PAGE", "rendered"]

ROOT = Path(__file__).parents[1]
RECORDED = ROOT / "results" / "recorded"
PAGE = RECORDED / "runs.md"
SHOWN = {
    "ce_test": "H[P_test, P̂]",
    "entropy_test": "H[P_test]",
    "nll_melbo": "NLL, MELBO",
    "nll": "NLL",
    "bleu1_eos": "BLEU, end matched",
    "bleu1": "BLEU",
    "p_at_1": "P@1",
}
"""The main number of a run is the first of these metrics that it has; the values are its labels."""

HEAD = """\
# Recorded runs

Each line shows a run's main number, the minutes and the device of its training, and the command that reruns
it in a clone of this project, from the corpus to the metrics. The command downloads the corpus if possible;
[README.md](README.md) lists the corpora that you must supply. `docs/runs.py` generates this file.
"""


def experiments() -> list[Path]:
    """The folders of the experiments that have recorded metrics."""
    return [path.parent for path in sorted(RECORDED.glob("*/experiment.yaml")) if targets(path.parent)]


def targets(experiment: Path) -> list[str]:
    """The metrics files of an experiment's runs, as targets of Snakemake."""
    return [path.relative_to(ROOT).as_posix() for path in sorted(experiment.glob("*/**/seed*/metrics.json"))]


def command(experiment: Path, target: str) -> str:
    """The command that reruns one run although its metrics exist."""
    return (
        f"snakemake --cores 1 --force --configfile {experiment.relative_to(ROOT).as_posix()}/experiment.yaml "
        f"-- {target}"
    )


def main_number(metrics: dict[str, Any]) -> str:
    """The main number of a run, with its unit."""
    name = next(name for name in SHOWN if name in metrics)
    value, unit = metrics[name]["value"], metrics[name]["unit"]
    return f"{SHOWN[name]} {value:.3f} {unit}"


def lines(experiment: Path) -> Iterator[str]:
    """The lines of a table of the experiment's runs."""
    yield f"## {experiment.name}\n"
    yield "| run | seed | number | minutes | on | command |"
    yield "|---|---|---|---|---|---|"
    for target in targets(experiment):
        folder = (ROOT / target).parent
        metrics = json.loads((ROOT / target).read_text(encoding="utf-8"))
        cost = folder / "cost.json"
        training = {"device": "", "seconds": 0}
        if cost.exists():
            training = json.loads(cost.read_text(encoding="utf-8"))
        where = folder.parent.relative_to(experiment).as_posix()
        yield " | ".join(
            [
                f"| {where}",
                f"{metrics['seed']}",
                main_number(metrics["metrics"]),
                f"{training['seconds'] / 60:.1f}" if training["seconds"] else "–",
                training["device"],
                f"`{command(experiment, target)}` |",
            ]
        )
    yield ""


def rendered() -> dict[Path, str]:
    """The content of the file, by path."""
    tables = [line for experiment in experiments() for line in lines(experiment)]
    return {PAGE: "\n".join([HEAD, *tables])}


if __name__ == "__main__":
    for path, text in rendered().items():
        path.write_text(text, encoding="utf-8")
