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
def demo_notes(papers):
    return lambda cells: [note for note in notes(cells, papers["sentences"]) if "demo" in note]


def test_differences_between_demo_and_paper_are_listed(cells, demo_notes):
    source, noise, bleu = demo_notes(cells)
    assert source.startswith("demo: the README")
    assert "verdicts compare with the paper" in source
    # PPL* of sVAE (512) is 0.26 above the printed 121.44 ± 0.23, but rounding can explain 0.055 of that.
    assert noise.endswith(
        "PPL*: sVAE (16) +2.42, sVAE (128) +3.9; "
        "NLL*: sVAE (16) +0.54, sVAE (128) +0.83, sVAE (512) +0.11; "
        "PPL: sMIM (16) -1.0, sMIM (128) +0.65, sMIM (512) -0.51; "
        "NLL: sMIM (16) -0.21, sMIM (128) +0.56, sMIM (512) -0.6"
    )
    assert bleu == "The demo's BLEU is 'bleu1_unmatched'"


def test_demo_differences_within_rounding_and_spread_are_not_listed(cells, demo_notes):
    cell = next(cell for cell in cells if (cell.row, cell.metric) == ("sMIM (512)", "ppl_melbo"))
    limit = cell.printed.value + cell.printed.spread + cell.printed.half_units
    for demo, count in ((limit - 1e-6, 1), (limit + 1e-6, 2)):
        assert len(demo_notes([replace(cell, printed=replace(cell.printed, demo=demo))])) == count


def test_notes_name_the_rows_of_a_borrowed_spread(papers, cells):
    spread = PooledSpread(0.5, 2, "sMIM (16), 3 seeds")
    borrowed = {
        "measured": Measurement(1.0, None, None, None, None, ((0, 1.0),), spread),
        "comparison": Comparison(9.0, 1.0, Verdict.OUTSIDE),
    }
    changed = [replace(cell, **borrowed) if cell.row.startswith("sVAE") else cell for cell in cells]
    found = list(notes(changed, papers["sentences"]))
    rows = "sVAE (16), sVAE (128), sVAE (512)"
    assert f"{rows}, one seed: sd of sMIM (16), 3 seeds (2 degrees of freedom)" in found
    assert f"Seeds: {RULE}" in found


def test_borrowed_spread_names_the_data_set_if_there_are_several(papers, published):
    spread = PooledSpread(0.5, 2, "AE (M), 3 seeds")
    measured = Measurement(1.0, None, None, None, None, ((0, 1.0),), spread)
    cells = [
        replace(cell, measured=measured) if cell.row == "AE (S)" and cell.part.dataset == "ptb" else cell
        for cell in build(7, papers, published, [], {})
    ]
    found = list(notes(cells, papers["sentences"]))
    assert "AE (S) on Penn Treebank, one seed: sd of AE (M), 3 seeds (2 degrees of freedom)" in found


def test_table_without_demo_values_has_no_demo_note(papers, published, demo_notes):
    assert not demo_notes(build(3, papers, published, [], {}))
