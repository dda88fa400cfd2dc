"""Tables of generated texts (9 to 22 of the sentences paper), as Markdown, HTML and JSON.

    python -m textlvm.sentences.text_tables --paper workflow/papers/sentences --table 12 \\
        --title "Penn Treebank" --runs smim/qualitative.json everything/qualitative.json \\
        ae/qualitative.json --labels "sMIM (512)" "sMIM (1024)†" "AE (512)" \\
        --md table12.md --html table12.html --json table12.json

`--runs` are files of textlvm.sentences.qualitative, or of textlvm.sentences.marginal for samples by prior.
Each run is a column, and all runs must have the same sentences. An autoencoder becomes the row (AE), as in
the paper. paper.yaml defines the content of each table.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textlvm.experiment.declarations import Texts
from textlvm.experiment.paper import load
from textlvm.reporting import html
from textlvm.reporting.markup import markdown
from textlvm.runtime import cli
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import read_input, write_json, write_text

__all__ = ["Column", "as_json", "as_markdown", "main", "read"]

RECONSTRUCTIONS = {"mean": "(M)", "sample": "(R)", "perturbed": "(P)"}
LEGEND = (
    "(D) data; (M) reconstruction of the posterior's mean; (R) of a sample; (P) of a sample with {:g} times "
    "the standard deviation; (AE) reconstruction of the autoencoder."
)

SAMPLES = ("samples", "prior_samples")
PRIORS = {
    "normal": "N(0, I)",
    "gaussian": "Gaussian fitted to training codes",
    "mixture": "mixture of Gaussians fitted to training codes",
    "flow": "normalizing flow fitted to training codes",
    "aggregated": "widened aggregated posterior of training sentences",
}


@dataclass(frozen=True)
class Column:
    """A run's `qualitative.json` and its label."""

    label: str
    path: Path
    content: dict[str, Any]

    @property
    def is_autoencoder(self) -> bool:
        """Whether the run is shown as the row (AE) instead of a column."""
        return self.content["objective"] == "ae"

    def by_prior(self) -> Iterator["Column"]:
        """One column per prior that samples were drawn from."""
        for prior, sentences in self.content.get("prior_samples", {}).items():
            label = f"{self.label}, {PRIORS[prior]}"
            yield Column(label, self.path, self.content | {"prior_samples": sentences})

    def entries(self, table: Texts) -> list[Any]:
        """The run's texts for a table. Raises `UserError` if there are none."""
        entries = self.content.get(table.kind)
        if not entries:
            raise UserError(f"{self.path} has no {table.kind}; add some under `qualitative` in config.yaml")
        if table.kind == "answers":
            entries = [
                entry | {"answers": {length: entry["answers"][length] for length in table.answers}}
                for entry in entries
            ]
        return entries[: table.first]


def read(paths: Sequence[Path], labels: Sequence[str], table: Texts) -> list[Column]:
    """Read the runs of a table. Raises `UserError` if their sentences differ."""
    if len(paths) != len(labels):
        raise UserError(f"{len(paths)} runs but {len(labels)} labels; pass one --labels entry per run")
    columns = [Column(label, path, read_input(path)) for path, label in zip(paths, labels, strict=True)]
    if table.kind == "prior_samples":
        columns = [of_prior for column in columns for of_prior in column.by_prior()]
    inputs = [_inputs(column.entries(table), table.kind) for column in columns]
    for column, sentences in zip(columns, inputs, strict=True):
        if sentences != inputs[0]:
            raise UserError(
                f"{column.path} and {columns[0].path} have different sentences; create both again"
            )
    return columns


def as_json(table: Texts, title: str, columns: Sequence[Column]) -> dict[str, Any]:
    """The entries of every run, by label, as JSON."""
    return {
        "table": table.number,
        "title": _title(table, title),
        "kind": "samples" if table.kind in SAMPLES else table.kind,
        "columns": {column.label: column.entries(table) for column in columns},
    }


def as_markdown(table: Texts, title: str, columns: Sequence[Column]) -> str:
    """The table as Markdown."""
    parts = [f"# {markdown(_title(table, title))}"]
    if table.kind == "reconstructions":
        perturbation = columns[0].content["settings"]["perturbation"]
        parts += [LEGEND.format(perturbation), *_reconstructions(table, columns)]
    elif table.kind in SAMPLES:
        parts += [_lines(column.label, column.entries(table)) for column in columns]
    elif table.kind == "interpolations":
        parts += [text for column in columns for text in _interpolations(column, column.entries(table))]
    else:
        parts += [text for column in columns for text in _answers(column, table)]
    return "\n\n".join(parts) + "\n"


def _reconstructions(table: Texts, columns: Sequence[Column]) -> Iterable[str]:
    shown = [column for column in columns if not column.is_autoencoder]
    entries = [column.entries(table) for column in shown]
    of_autoencoders = [column.entries(table) for column in columns if column.is_autoencoder]
    for i, entry in enumerate(entries[0]):
        rows = [["(D)", entry["sentence"], *[""] * (len(shown) - 1)]]
        rows += [[row, *(of_run[i][key] for of_run in entries)] for key, row in RECONSTRUCTIONS.items()]
        rows += [["(AE)", of_run[i]["mean"], *[""] * (len(shown) - 1)] for of_run in of_autoencoders]
        label = f"**{markdown(entry['label'])}**\n\n" if entry.get("label") else ""
        yield label + _table(["", *(column.label for column in shown)], rows)


def _interpolations(column: Column, entries: Sequence[dict[str, Any]]) -> Iterable[str]:
    for entry in entries:
        steps = "\n".join(f"- {markdown(text)}" for text in entry["steps"])
        start, end = markdown(entry["start"]), markdown(entry["end"])
        yield f"**{markdown(column.label)}**: {start}\n\n{steps}\n\n{end}"


def _answers(column: Column, table: Texts) -> Iterable[str]:
    yield f"**{markdown(column.label)}**"
    for entry in column.entries(table):
        rows = [["(Q)", entry["question"]]]
        rows += [[f"(A) {length}", answer] for length, answer in entry["answers"].items()]
        yield _table(["", ""], rows)


def _lines(label: str, texts: Iterable[str]) -> str:
    return f"**{markdown(label)}**\n\n" + "\n".join(f"- {markdown(text)}" for text in texts)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    header, *body = ([markdown(cell) for cell in row] for row in (header, *rows))
    lines = [header, ["---"] * len(header), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _inputs(entries: list[Any], kind: str) -> list[Any]:
    """The inputs of the entries; empty for samples."""
    keys = {"reconstructions": ("sentence",), "interpolations": ("start", "end"), "answers": ("question",)}
    return [tuple(entry[key] for key in keys[kind]) for entry in entries] if kind in keys else []


def _title(table: Texts, title: str) -> str:
    return f"Table {table.number}: {table.title}, {title}"


def main(options: argparse.Namespace) -> None:
    """Write the requested table."""
    texts = load(options.paper).texts
    if options.table not in texts:
        raise UserError(
            f"{options.paper}/paper.yaml has no table {options.table} of texts: add it to `texts`"
        )
    table = texts[options.table]
    columns = read(options.runs, options.labels, table)
    markdown = as_markdown(table, options.title, columns)
    write_text(options.md, markdown)
    write_text(options.html, html.page(markdown))
    write_json(options.json, as_json(table, options.title, columns))


if __name__ == "__main__":
    arguments = cli.parser(__doc__)
    arguments.add_argument("--paper", type=Path, required=True, help="the folder of the paper")
    arguments.add_argument("--table", type=int, required=True)
    arguments.add_argument("--runs", type=Path, nargs="+", required=True, help="qualitative.json files")
    arguments.add_argument("--labels", nargs="+", required=True, help="one for each run")
    arguments.add_argument("--title", required=True, help="the data set")
    arguments.add_argument("--md", type=Path, required=True)
    arguments.add_argument("--html", type=Path, required=True)
    arguments.add_argument("--json", type=Path, required=True)
    cli.run(main, arguments)
