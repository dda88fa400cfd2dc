"""Cells and claims of the recorded tables, for the expressions in docs/templates."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = [
    "cell",
    "claims",
    "fit",
    "gap_at",
    "published",
    "readings",
    "rows",
    "tolerance",
    "words_claims",
]

RECORDED = Path(__file__).parents[1] / "results" / "recorded"
EXPERIMENTS = {
    "gutenberg": "gutenberg/words/gutenberg-counts",
    "readings": "gutenberg-readings/words/gutenberg-counts",
    "ablations": "gutenberg-ablations/words/gutenberg-counts",
    "fiction": "gutenberg-fiction/words/gutenberg-fiction-counts",
    "yahoo": "held-out/sentences/yahoo",
    "wikitext": "held-out/sentences/wikitext-103",
    "yahoocqa": "held-out/sentences/yahoocqa",
    "ptb": "ptb/sentences/ptb",
    "authors": "ptb-authors/sentences/ptb",
    "small": "ptb-small/sentences/ptb",
}
"""Folders of runs, by their names in the template."""


def rows(experiment: str, table: int, metrics: list[str]) -> Iterator[dict[str, Any]]:
    """The rows of a recorded table that were run: `row`, `seeds`, and the tidy table's cells by metric."""
    found: dict[str, dict[str, Any]] = {}
    for cell in cells(experiment, table):
        if cell["value"]:
            row = found.setdefault(cell["row"], {"row": cell["row"], "seeds": cell["seeds"]})
            row[cell["metric"]] = cell
    for row in found.values():
        if row.keys() & set(metrics):
            yield row


def cells(experiment: str, table: int) -> list[dict[str, str]]:
    """The cells of a recorded tidy table that belong to an experiment's paper and data set."""
    place = EXPERIMENTS[experiment].split("/")[2]
    found = of_paper(experiment, f"table{table}")
    return [cell for cell in found if place in (cell["corpus"], cell["dataset"])]


def cell(found: dict[str, Any], metric: str) -> str:
    """A formatted cell: value, spread over seeds, and in parentheses the paper's and the demo's number."""
    if metric not in found:
        return "–"
    values = found[metric]
    printed = int(values["digits"] or 2)
    digits = max(2, printed)
    text = f"{float(values['value']):.{digits}f}"
    if float(values["spread"] or 0) > 1e-9:
        text += f" ± {float(values['spread']):.{digits}f}"
    if not values["published"]:
        return text
    demo = f"; {float(values['demo']):.{values['demo_digits']}f}" if values.get("demo") else ""
    return f"{text} ({float(values['published']):.{printed}f}{demo})"


def published(experiment: str, table: int, row: str, metric: str, source: str = "published") -> float:
    """The number that the paper prints, or that of another column: `demo` for the authors' demo."""
    found = [cell for cell in cells(experiment, table) if (cell["row"], cell["metric"]) == (row, metric)]
    return float(found[0][source])


def tolerance(experiment: str, table: int, row: str, metric: str) -> float:
    """The largest difference from the printed number that is within; see docs/claims.md."""
    return published(experiment, table, row, metric, "tolerance")


def readings(experiment: str, table: int) -> list[dict[str, str]]:
    """How well each reading of a table's columns fits, as recorded."""
    return [line for line in of_paper(experiment, "readings") if line["table"] == str(table)]


def fit(experiment: str, table: int, reading: str, statistic: str = "rms") -> float:
    """One number of a reading's fit: `rms`, `bias` or `rank`."""
    (found,) = [line for line in readings(experiment, table) if line["reading"] == reading]
    return float(found[statistic])


def claims(experiment: str, outcome: str) -> list[dict[str, str]]:
    """The recorded claims of an experiment's paper that have this outcome."""
    return [line for line in of_paper(experiment, "claims") if line["outcome"] == outcome]


def words_claims(outcome: str) -> list[dict[str, str]]:
    """The claims of the words paper with this outcome; for Table 2, of the experiment with ten draws."""
    return [
        line
        for experiment in ("gutenberg", "readings")
        for line in claims(experiment, outcome)
        if ("Table 2" in line["where"]) == (experiment == "readings")
    ]


def gap_at(row: str, position: int) -> float:
    """The mean entropy gap at a position, in nats, behind Figure 1."""
    lines = read_csv(RECORDED / EXPERIMENTS["gutenberg"] / "figure1.csv")
    return float([line for line in lines if line["row"] == row][position - 1]["mean"])


def of_paper(experiment: str, name: str) -> list[dict[str, str]]:
    """The lines of a recorded CSV file that belong to an experiment's paper."""
    folder, paper, _ = EXPERIMENTS[experiment].split("/")
    lines = read_csv(RECORDED / folder / "partial" / f"{name}.csv")
    return [line for line in lines if line["paper"] == paper]


def read_csv(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV file."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
