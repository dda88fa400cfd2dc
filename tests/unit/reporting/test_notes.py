from dataclasses import replace

import pytest

from textlvm.reporting.assembly import build
from textlvm.reporting.notes import notes
from textlvm.reporting.spread import RULE, PooledSpread
from textlvm.reporting.verdict import Comparison, Measurement, Verdict


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


def measured(cell, seeds, **settings):
    """The cell with a value for this number of seeds."""
    values = Measurement(1.0, None, None, None, None, tuple((seed, 1.0) for seed in range(seeds)))
    provenance = replace(cell.provenance, run="tril", settings=settings)
    return replace(cell, measured=values, provenance=provenance)


@pytest.mark.parametrize(
    ("seeds", "note"),
    [
        ((3, 3), "means over 3 seeds ± their standard deviation"),
        ((1, 3), "means over up to 3 seeds ± their standard deviation"),
        ((1, 1), "from one seed: their standard deviation is unknown"),
    ],
)
def test_note_on_the_number_of_seeds(papers, cells, seeds, note):
    rows = [measured(cell, number) for cell, number in zip(cells, seeds, strict=False)]
    assert next(iter(notes([*rows, *cells[2:]], papers["sentences"]))) == f"Reproduced values are {note}"


def test_settings_of_a_row_on_several_data_sets(papers, published):
    repeats = {"ptb": 1, "yahoo": 2}
    cells = [
        measured(cell, 1, repeats=repeats[cell.part.dataset])
        for cell in build(7, papers, published, [], {})
        if cell.row == "AE (S)" and cell.part.dataset in repeats
    ]
    found = [note for note in notes(cells, papers["sentences"]) if note.startswith("Evaluated")]
    assert found == [
        "Evaluated with 1 evaluations of each model (AE (S) on Penn Treebank)",
        "Evaluated with 2 evaluations of each model (AE (S) on Yahoo Answers)",
    ]


def test_table_without_demo_values_has_no_demo_note(papers, published, demo_notes):
    assert not demo_notes(build(3, papers, published, [], {}))
