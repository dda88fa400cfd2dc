"""Tables 9 to 21 of the sentences paper: what models make of sentences, as Markdown, HTML and JSON.

    python -m textlvm.reporting.qualitative --table 12 --title "Penn Treebank" \\
        --runs smim/qualitative.json everything/qualitative.json ae/qualitative.json \\
        --labels "sMIM (512)" "sMIM (1024)†" "AE (512)" --md table12.md --html table12.html \\
        --json table12.json

`--runs` are files of textlvm.sentences.qualitative: the columns of the table, all made from the same
sentences. An auto-encoder among them becomes the row (AE), as in the paper.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textlvm.reporting import html
from textlvm.reporting.markup import markdown
from textlvm.runtime import cli
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import read_input, write_json, write_text

__all__ = ["TABLES", "Column", "Layout", "as_json", "as_markdown", "main", "read"]


@dataclass(frozen=True)
class Layout:
    """What one of the paper's tables shows."""

    kind: str
    """reconstructions | interpolations | samples | answers."""
    title: str
    first: int | None = None
    """How many of the configured sentences it shows; None shows all."""
    answers: tuple[str, ...] = ("short", "medium", "long")
    """Which answers to a question."""


TABLES = {
    9: Layout("answers", "Sampled answers", answers=("medium",)),
    10: Layout("interpolations", "Interpolation", first=1),
    11: Layout("reconstructions", "Reconstruction", first=1),
    **dict.fromkeys((12, 13, 14), Layout("reconstructions", "Reconstruction")),
    **dict.fromkeys((15, 16, 17), Layout("interpolations", "Interpolation")),
    **dict.fromkeys((18, 19, 20), Layout("samples", "Samples")),
    21: Layout("answers", "Questions and sampled answers"),
}
"""The paper's qualitative tables; 9 to 11 are parts of later ones."""

RECONSTRUCTIONS = {"mean": "(M)", "sample": "(R)", "perturbed": "(P)"}
LEGEND = (
    "(D) data; (M) reconstruction of the posterior's mean; (R) of a sample; (P) of a sample with ten times "
    "the standard deviation; (AE) reconstruction of the auto-encoder."
)


@dataclass(frozen=True)
class Column:
    """A run's `qualitative.json` and its label."""

    label: str
    path: Path
    content: dict[str, Any]

    @property
    def is_autoencoder(self) -> bool:
        """Whether it is a row (AE) of the others' columns."""
        return self.content["objective"] == "ae"

    def entries(self, layout: Layout) -> list[Any]:
        """What the run has for a table. Raises `UserError` if it has none."""
        entries = self.content.get(layout.kind)
        if not entries:
            raise UserError(f"{self.path} has no {layout.kind}; name some under `qualitative` in config.yaml")
        return entries[: layout.first]


def read(paths: Sequence[Path], labels: Sequence[str], layout: Layout) -> list[Column]:
    """Read the runs of a table. Raises `UserError` if they were made from different sentences."""
    if len(paths) != len(labels):
        raise UserError(f"{len(paths)} runs but {len(labels)} labels; give each run one --labels entry")
    columns = [Column(label, path, read_input(path)) for path, label in zip(paths, labels, strict=True)]
    given = [_given(column.entries(layout), layout.kind) for column in columns]
    for column, sentences in zip(columns, given, strict=True):
        if sentences != given[0]:
            raise UserError(f"{column.path} and {columns[0].path} are of different sentences; make both anew")
    return columns


def as_json(table: int, title: str, columns: Sequence[Column]) -> dict[str, Any]:
    """The table for machines: the entries of every run, by label."""
    layout = TABLES[table]
    return {
        "table": table,
        "title": _title(table, title),
        "kind": layout.kind,
        "columns": {column.label: column.entries(layout) for column in columns},
    }


def as_markdown(table: int, title: str, columns: Sequence[Column]) -> str:
    """The table for readers."""
    layout = TABLES[table]
    parts = [f"# {markdown(_title(table, title))}"]
    if layout.kind == "reconstructions":
        parts += [LEGEND, *_reconstructions(layout, columns)]
    elif layout.kind == "samples":
        parts += [_lines(column.label, column.entries(layout)) for column in columns]
    elif layout.kind == "interpolations":
        parts += [text for column in columns for text in _interpolations(column, column.entries(layout))]
    else:
        parts += [text for column in columns for text in _answers(column, layout)]
    return "\n\n".join(parts) + "\n"


def _reconstructions(layout: Layout, columns: Sequence[Column]) -> Iterable[str]:
    shown = [column for column in columns if not column.is_autoencoder]
    entries = [column.entries(layout) for column in shown]
    of_autoencoders = [column.entries(layout) for column in columns if column.is_autoencoder]
    for i, entry in enumerate(entries[0]):
        rows = [["(D)", entry["sentence"], *[""] * (len(shown) - 1)]]
        rows += [[row, *(own[i][key] for own in entries)] for key, row in RECONSTRUCTIONS.items()]
        rows += [["(AE)", own[i]["mean"], *[""] * (len(shown) - 1)] for own in of_autoencoders]
        label = f"**{markdown(entry['label'])}**\n\n" if entry.get("label") else ""
        yield label + _table(["", *(column.label for column in shown)], rows)


def _interpolations(column: Column, entries: Sequence[dict[str, Any]]) -> Iterable[str]:
    for entry in entries:
        steps = "\n".join(f"- {markdown(text)}" for text in entry["steps"])
        start, end = markdown(entry["start"]), markdown(entry["end"])
        yield f"**{markdown(column.label)}**: {start}\n\n{steps}\n\n{end}"


def _answers(column: Column, layout: Layout) -> Iterable[str]:
    yield f"**{markdown(column.label)}**"
    for entry in column.entries(layout):
        rows = [["(Q)", entry["question"]]]
        rows += [[f"(A) {length}", entry["answers"][length]] for length in layout.answers]
        yield _table(["", ""], rows)


def _lines(label: str, texts: Iterable[str]) -> str:
    return f"**{markdown(label)}**\n\n" + "\n".join(f"- {markdown(text)}" for text in texts)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    header, *body = ([markdown(cell) for cell in row] for row in (header, *rows))
    lines = [header, ["---"] * len(header), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _given(entries: list[Any], kind: str) -> list[Any]:
    """What the entries were made from; a sample is made from nothing."""
    keys = {"reconstructions": ("sentence",), "interpolations": ("start", "end"), "answers": ("question",)}
    return [tuple(entry[key] for key in keys[kind]) for entry in entries] if kind in keys else []


def _title(table: int, title: str) -> str:
    return f"Table {table}: {TABLES[table].title}, {title}"


def main(options: argparse.Namespace) -> None:
    """Write the table that was asked for."""
    columns = read(options.runs, options.labels, TABLES[options.table])
    markdown = as_markdown(options.table, options.title, columns)
    write_text(options.md, markdown)
    write_text(options.html, html.page(markdown))
    write_json(options.json, as_json(options.table, options.title, columns))


if __name__ == "__main__":
    arguments = cli.parser(__doc__)
    arguments.add_argument("--table", type=int, choices=TABLES, required=True)
    arguments.add_argument("--runs", type=Path, nargs="+", required=True, help="qualitative.json files")
    arguments.add_argument("--labels", nargs="+", required=True, help="one for each run")
    arguments.add_argument("--title", required=True, help="the data set")
    arguments.add_argument("--md", type=Path, required=True)
    arguments.add_argument("--html", type=Path, required=True)
    arguments.add_argument("--json", type=Path, required=True)
    cli.run(main, arguments)
