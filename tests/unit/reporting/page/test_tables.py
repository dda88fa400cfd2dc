from dataclasses import replace

import pytest

from plans import planned
from textlvm.reporting.assembly import build
from textlvm.reporting.page.plan import read_plan
from textlvm.reporting.page.tables import MEANINGS, marked, tables
from textlvm.reporting.spread import PooledSpread
from textlvm.reporting.verdict import Verdict


@pytest.fixture
def made(experiment, papers):
    return tables(papers, experiment.cells(), read_plan(experiment.plan))


def row(made, anchor, label):
    table = next(own for own in made[0] if own.anchor == anchor)
    return next(own for own in table.main.rows if own.label == label)


def test_tables_are_those_of_the_papers_in_the_plan(experiment, papers, made):
    assert [own.anchor for own in made[0]] == ["table/words/mine/1", "table/sentences/1", "table/sentences/2"]
    experiment.plan["planned"] = [own for own in experiment.plan["planned"] if own["paper"] == "words"]
    shown, _ = tables(papers, experiment.cells(), read_plan(experiment.plan))
    assert {own.paper for own in shown} == {"words"}


def test_every_cell_of_a_table_is_on_the_page(made):
    for table in made[0]:
        shown = [
            field for grid in (table.main, table.further) if grid for own in grid.rows for field in own.fields
        ]
        named = {(cell.part.dataset, cell.row, cell.metric) for cell in table.cells if cell.metric}
        assert len([field for field in shown if field.card is not None]) >= len(named)


def test_a_field_has_its_numbers_and_its_card_the_reasons(made):
    own = row(made, "table/sentences/2", "sMIM (512)")
    column = [c.heading for c in made[0][2].main.columns].index("PPL")
    field = own.fields[column]
    assert (field.here, field.paper, field.difference) == ("19.510 ± 0.010", "≤ 19.53 ± 0.01", "−0.020")
    assert field.demo == "≤ 19.02"
    assert field.order == pytest.approx((19.51, 19.53, 19.02, -0.02))
    assert (field.verdict, field.mark) == ("within", "✓")
    card = made[1][field.card]
    assert card.title == "sMIM (512), PPL"
    assert dict(card.lines)["published"] == "≤ 19.53 ± 0.01 per word (Section 4.3, Table 2)"
    assert dict(card.lines)["authors' demo"] == "≤ 19.02 per word"
    assert dict(card.lines)["difference"] == "−0.0200"
    assert dict(card.lines)["over seeds"] == "standard deviation 0.01, 3 seeds"
    assert float(dict(card.lines)["allowed"].removeprefix("± ")) > 0.02
    assert (card.anchor, card.run) == ("run/sentences/ptb/smim-512", "sMIM (512)")


def test_rows_lead_to_their_run_and_what_is_not_run_says_so(made):
    assert row(made, "table/words/mine/1", "TRIL").anchor == "run/words/mine/standard/tril"
    assert row(made, "table/words/mine/1", "DIAG").anchor == "run/words/mine/standard/diag"
    assert row(made, "table/words/mine/1", "DIAG").kind == "extra"
    unplanned = row(made, "table/words/mine/1", "2×TRIL")
    assert (unplanned.anchor, unplanned.fields[0].here) == ("", "not run")
    assert row(made, "table/words/mine/1", "TRIL, K=5").fields[0].verdict == "failed"
    quoted = row(made, "table/sentences/2", "GPT-2 full†")
    assert (quoted.kind, quoted.anchor) == ("quoted", "")


def test_every_verdict_has_a_meaning_and_compared_ones_signs_of_their_own():
    assert set(MEANINGS) == set(Verdict)
    compared = (Verdict.WITHIN, Verdict.OUTSIDE, Verdict.UNDECIDED, Verdict.STAND_IN)
    assert len({marked(verdict) for verdict in compared} - {""}) == 4


def test_a_column_has_the_parts_that_have_numbers(made):
    columns = {column.heading: column.parts for column in made[0][2].main.columns}
    assert columns["PPL"] == ("here", "paper", "demo", "diff")
    assert columns["KLD"] == ("here", "paper", "diff")
    further = {column.heading: column.parts for column in made[0][0].further.columns}
    assert further["distinct"] == ("here",)


def test_the_page_shows_the_demo_where_it_has_a_number_and_it_is_asked_for(experiment):
    text = experiment.page()
    assert text.count('data-parts="here paper demo diff" colspan="2"') == 5
    assert '<input type="checkbox" name="demo">' in text
    assert 'data-parts="here paper diff" colspan="2"' in text
    row = next(line for line in text.split("<tr") if ">sMIM (512)</a></th>" in line)
    assert "≤ 66.9</button></td>" in row


def test_a_card_says_whose_standard_deviation_is_borrowed(experiment, papers):
    lent = {"spread": None, "borrowed": PooledSpread(0.25, 2, "TRIL, 3 seeds")}
    cells = [
        replace(cell, measured=replace(cell.measured, **lent)) if cell.measured else cell
        for cell in experiment.cells()
    ]
    _, cards = tables(papers, cells, read_plan(experiment.plan))
    said = {dict(card.lines).get("over seeds") for card in cards}
    assert said == {None, "one seed; 0.25, sd of TRIL, 3 seeds (2 degrees of freedom)"}


def test_only_headings_of_metrics_have_subscripts(experiment, made, papers, published):
    assert all(column.of_metric for own in made[0] for column in own.main.columns)
    place = {"paper": "sentences", "corpus": "ptb", "dataset": "ptb"}
    cells = build(7, papers, published, [planned("my_run", table=7, **place)], {})
    shown, _ = tables(papers, cells, read_plan(experiment.plan))
    assert {column.heading: column.of_metric for column in shown[0].main.columns}["my_run"] is False
