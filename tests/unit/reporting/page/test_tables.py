from dataclasses import replace

import pytest

from plans import planned
from textlvm.reporting.assembly import build
from textlvm.reporting.page.plan import read_page_plan
from textlvm.reporting.page.tables import MEANINGS, marked, tables
from textlvm.reporting.spread import PooledSpread
from textlvm.reporting.verdict import Verdict


@pytest.fixture
def made(experiment, papers):
    return tables(papers, experiment.cells(), read_page_plan(experiment.plan))


def find_row(made, anchor, label):
    table = next(table for table in made[0] if table.anchor == anchor)
    return next(row for row in table.main.rows if row.label == label)


def test_only_papers_in_the_plan_have_tables(experiment, papers, made):
    anchors = [table.anchor for table in made[0]]
    assert anchors == ["table/words/mine/1", "table/sentences/1", "table/sentences/2"]
    experiment.plan["planned"] = [entry for entry in experiment.plan["planned"] if entry["paper"] == "words"]
    shown, _ = tables(papers, experiment.cells(), read_page_plan(experiment.plan))
    assert {table.paper for table in shown} == {"words"}


def test_every_cell_of_a_table_has_a_field(made):
    for table in made[0]:
        shown = [
            field for grid in (table.main, table.further) if grid for row in grid.rows for field in row.fields
        ]
        named = {(cell.part.dataset, cell.row, cell.metric) for cell in table.cells if cell.metric}
        assert len([field for field in shown if field.card is not None]) >= len(named)


def test_field_has_numbers_and_card_has_details(made):
    column = [c.heading for c in made[0][2].main.columns].index("PPL")
    field = find_row(made, "table/sentences/2", "sMIM (512)").fields[column]
    assert (field.here, field.paper, field.difference) == ("19.510 ± 0.010", "≤ 19.53 ± 0.01", "−0.020")
    assert field.demo == "≤ 19.02"
    assert field.order == pytest.approx((19.51, 19.53, 19.02, -0.02))
    assert (field.verdict, field.mark) == ("within", "✓")
    card = made[1][field.card]
    assert card.title == "sMIM (512), PPL"
    assert dict(card.lines)["printed"] == "≤ 19.53 ± 0.01 per word (Section 4.3, Table 2)"
    assert dict(card.lines)["authors' demo"] == "≤ 19.02 per word"
    assert dict(card.lines)["difference"] == "−0.0200"
    assert dict(card.lines)["over seeds"] == "standard deviation 0.01, 3 seeds"
    assert float(dict(card.lines)["allowed"].removeprefix("± ")) > 0.02
    assert (card.anchor, card.run) == ("run/sentences/ptb/smim-512", "sMIM (512)")


def test_rows_link_to_their_runs(made):
    assert find_row(made, "table/words/mine/1", "TRIL").anchor == "run/words/mine/standard/tril"
    assert find_row(made, "table/words/mine/1", "DIAG").anchor == "run/words/mine/standard/diag"
    assert find_row(made, "table/words/mine/1", "DIAG").kind == "extra"
    unplanned = find_row(made, "table/words/mine/1", "2×TRIL")
    assert (unplanned.anchor, unplanned.fields[0].here) == ("", "not run")
    assert find_row(made, "table/words/mine/1", "TRIL, K=5").fields[0].verdict == "failed"
    quoted = find_row(made, "table/sentences/2", "GPT-2 full†")
    assert (quoted.kind, quoted.anchor) == ("quoted", "")


def test_verdicts_have_meanings_and_compared_verdicts_have_distinct_marks():
    assert set(MEANINGS) == set(Verdict)
    compared = (Verdict.WITHIN, Verdict.OUTSIDE, Verdict.UNDECIDED, Verdict.STAND_IN)
    assert len({marked(verdict) for verdict in compared} - {""}) == 4


def test_columns_have_only_parts_with_numbers(made):
    columns = {column.heading: column.parts for column in made[0][2].main.columns}
    assert columns["PPL"] == ("here", "paper", "demo", "diff")
    assert columns["KLD"] == ("here", "paper", "diff")
    further = {column.heading: column.parts for column in made[0][0].further.columns}
    assert further["distinct"] == ("here",)


def test_demo_is_optional_and_only_in_columns_with_demo_numbers(experiment):
    text = experiment.page()
    assert text.count('data-parts="here paper demo diff" colspan="2"') == 5
    assert '<input type="checkbox" name="demo">' in text
    assert 'data-parts="here paper diff" colspan="2"' in text
    row = next(line for line in text.split("<tr") if ">sMIM (512)</a></th>" in line)
    assert "≤ 66.9</button></td>" in row


def test_card_names_the_source_of_a_borrowed_deviation(experiment, papers):
    borrowed = {"spread": None, "borrowed": PooledSpread(0.25, 2, "TRIL, 3 seeds")}
    cells = [
        replace(cell, measured=replace(cell.measured, **borrowed)) if cell.measured else cell
        for cell in experiment.cells()
    ]
    _, cards = tables(papers, cells, read_page_plan(experiment.plan))
    lines = {dict(card.lines).get("over seeds") for card in cards}
    assert lines == {None, "one seed; 0.25, sd of TRIL, 3 seeds (2 degrees of freedom)"}


def test_model_labels_as_headings_have_no_subscripts(experiment, made, papers, published):
    assert all(column.of_metric for table in made[0] for column in table.main.columns)
    place = {"paper": "sentences", "corpus": "ptb", "dataset": "ptb"}
    cells = build(7, papers, published, [planned("my_run", table=7, **place)], {})
    shown, _ = tables(papers, cells, read_page_plan(experiment.plan))
    assert {column.heading: column.of_metric for column in shown[0].main.columns}["my_run"] is False
