from dataclasses import replace

import pytest

from textlvm.reporting.assembly import build
from textlvm.reporting.cells import Measurement
from textlvm.reporting.notes import notes
from textlvm.reporting.spread import RULE, PooledSpread
from textlvm.reporting.verdict import Comparison, Verdict


@pytest.fixture
def cells(papers, published):
    return [cell for cell in build(2, papers, published, [], {}) if cell.part.paper == "sentences"]


@pytest.fixture
def of_demo(papers):
    return lambda cells: [note for note in notes(cells, papers["sentences"]) if "demo" in note]


def test_where_the_authors_own_numbers_differ_is_said(cells, of_demo):
    what, noise, bleu = of_demo(cells)
    assert what.startswith("demo: the README")
    assert "verdicts compare with the paper" in what
    # sVAE (512) is 0.26 above the paper's 121.44 ± 0.23, of which rounding can be 0.055.
    assert noise.endswith(
        "PPL*: sVAE (16) +2.42, sVAE (128) +3.9; "
        "NLL*: sVAE (16) +0.54, sVAE (128) +0.83, sVAE (512) +0.11; "
        "PPL: sMIM (16) -1.0, sMIM (128) +0.65, sMIM (512) -0.51; "
        "NLL: sMIM (16) -0.21, sMIM (128) +0.56, sMIM (512) -0.6"
    )
    assert bleu == "The demo's BLEU is 'bleu1_unmatched'"


def test_a_difference_within_rounding_and_spread_is_none(cells, of_demo):
    own = next(cell for cell in cells if (cell.row, cell.metric) == ("sMIM (512)", "ppl_melbo"))
    limit = own.printed.value + own.printed.spread + own.printed.half_units
    for demo, said in ((limit - 1e-6, 1), (limit + 1e-6, 2)):
        assert len(of_demo([replace(own, printed=replace(own.printed, demo=demo))])) == said


def test_notes_name_the_rows_that_supply_a_standard_deviation(papers, cells):
    spread = PooledSpread(0.5, 2, "sMIM (16), 3 seeds")
    lent = {
        "measured": Measurement(1.0, None, None, None, None, ((0, 1.0),), spread),
        "comparison": Comparison(9.0, 1.0, Verdict.OUTSIDE),
    }
    changed = [replace(cell, **lent) if cell.row.startswith("sVAE") else cell for cell in cells]
    said = list(notes(changed, papers["sentences"]))
    assert (
        "sVAE (16), sVAE (128), sVAE (512), one seed: sd of sMIM (16), 3 seeds (2 degrees of freedom)" in said
    )
    assert f"Seeds: {RULE}" in said


def test_in_a_table_of_several_data_sets_these_are_named(papers, published):
    spread = PooledSpread(0.5, 2, "AE (M), 3 seeds")
    measured = Measurement(1.0, None, None, None, None, ((0, 1.0),), spread)
    cells = [
        replace(cell, measured=measured) if cell.row == "AE (S)" and cell.part.dataset == "ptb" else cell
        for cell in build(7, papers, published, [], {})
    ]
    said = list(notes(cells, papers["sentences"]))
    assert "AE (S) on Penn Treebank, one seed: sd of AE (M), 3 seeds (2 degrees of freedom)" in said


def test_a_table_without_the_demo_says_nothing_of_it(papers, published, of_demo):
    assert not of_demo(build(3, papers, published, [], {}))
