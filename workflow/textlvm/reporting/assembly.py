"""Cells from published values, the plan and its results."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from textlvm.experiment.paper import Paper
from textlvm.experiment.plan import Planned, Row, RunKey
from textlvm.reporting.cells import Cell, Printed, TablePart
from textlvm.reporting.published import Published
from textlvm.reporting.rows import RowResults
from textlvm.reporting.runs import Result, with_compared_readings
from textlvm.reporting.spread import Sample
from textlvm.runtime.errors import UserError

__all__ = ["build"]


def build(
    table: int,
    papers: Mapping[str, Paper],
    published: Iterable[Published],
    plan: Iterable[Planned],
    results: dict[RunKey, list[Result]],
) -> list[Cell]:
    """All cells of table number `table` of all papers.

    Every published row appears: once for each corpus that the plan runs for its data set, or once without
    a corpus. Every planned row appears, even if the paper has no such row. Rows are in the paper's order,
    followed by extra rows in the plan's order; so are metrics. Raises `UserError` for a planned row whose
    data set is not in the table, and if no row with that table number is planned or published.
    """
    prints = [value for value in published if value.table == table]
    rows = [(entry, row) for entry in plan for row in entry.rows if row.table == table]
    if not prints and not rows:
        raise UserError(f"no paper has a table {table} with numbers, and the plan has no row for it")
    cells: list[Cell] = []
    for part in _parts(table, papers, prints, rows):
        key, paper = (part.paper, part.dataset, part.split), papers[part.paper]
        values = [p for p in prints if (p.paper, p.dataset, p.split) == key]
        planned = {
            row.label: RowResults(paper, row, entry, _for_row(paper, row, results.get(entry.key, [])))
            for entry, row in rows
            if entry.table_part == (*key, part.corpus)
        }
        samples = [sample for row_results in planned.values() for sample in row_results.samples()]
        for label in dict.fromkeys((*(value.row for value in values), *planned)):
            row_results = planned.get(label, RowResults(paper, Row(table, label)))
            row_values = [value for value in values if value.row == label]
            cells.extend(_cells(part, row_results, row_values, samples))
    return cells


def _for_row(paper: Paper, row: Row, group: Iterable[Result]) -> list[Result]:
    """The results of a row's run, with the metrics and names of the row and the compared readings."""
    shown = row.metrics.values()
    compared = {metric: name for metric, name in paper.compared.items() if not shown or metric in shown}
    return [result.select(row.metrics) for result in with_compared_readings(group, compared)]


def _parts(
    table: int,
    papers: Iterable[str],
    prints: Sequence[Published],
    rows: Sequence[tuple[Planned, Row]],
) -> list[TablePart]:
    """The parts of a table on their corpora: by paper, first the printed ones, then the planned ones.

    Raises `UserError` for a planned row whose data set is not in the table.
    """
    for entry, row in rows:
        datasets = dict.fromkeys(value.dataset for value in prints if value.paper == entry.paper)
        if datasets and entry.original not in datasets:
            raise UserError(
                f"the plan's row '{row.label}' of {entry.paper} table {table} on '{entry.corpus}' is "
                f"compared with '{entry.original}', but the data sets there are: {', '.join(datasets)}"
            )
    printed_parts = ((value.paper, value.dataset, value.split) for value in prints)
    parts = dict.fromkeys((*printed_parts, *(entry.table_part[:3] for entry, _ in rows)))
    found, order = [], list(papers)
    for part in sorted(parts, key=lambda part: order.index(part[0])):
        paper, dataset, split = part
        here = (entry for entry, _ in rows if entry.table_part[:3] == part)
        corpora = dict.fromkeys((entry.corpus, entry.corpus_title, entry.stand_in) for entry in here)
        found += [TablePart(paper, table, dataset, split, *corpus) for corpus in corpora or [()]]
    return found


def _cells(
    part: TablePart, results: RowResults, values: Sequence[Published], samples: Sequence[Sample]
) -> Iterator[Cell]:
    """The cells of one row: one for each printed or computed metric."""
    paper, demo = (
        {value.metric: value for value in values if value.source == source} for source in ("paper", "demo")
    )
    # A planned row without numbers must still be shown: it gets one cell without a metric.
    for metric in dict.fromkeys((*paper, *results.metrics)) or [""]:
        published = paper.get(metric)
        measured = results.measurement(metric, samples)
        yield Cell(
            part=part,
            row=results.row.label,
            metric=metric,
            unit=results.unit(metric, published),
            printed=_printed(results.paper, published, demo.get(metric)) if published else None,
            measured=measured,
            comparison=results.comparison(metric, published, measured),
            provenance=results.provenance(metric, published),
        )


def _printed(paper: Paper, value: Published, demo: Published | None) -> Printed:
    in_column = value.metric in paper.tables[value.table].columns
    return Printed(
        kind=value.kind,
        column=paper.metric(value.metric).heading if in_column else "",
        value=value.value,
        spread=value.spread,
        bound=value.bound,
        digits=value.digits,
        where=value.where,
        note=value.note,
        demo=demo.value if demo else None,
        demo_digits=demo.digits if demo else None,
    )
