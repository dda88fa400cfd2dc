"""The numbers of claims: measured, quoted, missing, and with different readings."""

import json
from dataclasses import replace

import pytest

from textlvm.reporting.cells import DATA
from textlvm.reporting.claims.file import load
from textlvm.reporting.claims.judge import Outcome
from textlvm.reporting.claims.numbers import as_printed
from textlvm.reporting.verdict import Verdict


def test_untrained_rows_need_one_seed(check, measured):
    cells = measured({"ORACLE": [7.0]})
    changes = {"of": [["ORACLE", 8.0]]}
    assert check(cells, **changes)[0].outcome is Outcome.UNDECIDED
    assert check(cells, untrained=["ORACLE"], **changes)[0].outcome is Outcome.HOLDS


def test_data_sets_need_one_value(check, measured):
    fields = {"paper": "sentences", "corpus": "ptb", "dataset": "ptb"}
    cells = measured({"PTB": [42068]}, metric="train", unit="sentences", **fields)
    cells = [
        replace(cell, provenance=replace(cell.provenance, run=DATA if cell.provenance.run else ""))
        for cell in cells
    ]
    changes = {"paper": "sentences", "tables": {"ptb": 1}, "metrics": ["train"], "of": [["PTB", 50000]]}
    assert check(cells, **changes)[0].outcome is Outcome.HOLDS


def test_missing_rows_are_named(check, measured):
    cells = measured({"TRIL": [12.0, 12.1, 11.9], "TRIL, K=5": []})
    (line,) = check(cells, of=[["TRIL, K=5", "TRIL"], ["TRIL, K=10", "TRIL"]])
    assert (line.outcome, line.effect, line.seeds) == (Outcome.UNDECIDED, None, 0)
    assert line.missing == "not run: TRIL, K=5. not in the plan: TRIL, K=10"
    assert line.rows == "TRIL, K=5; TRIL; TRIL, K=10"


def test_failed_comparison_refutes_the_claim_despite_missing_rows(check, measured):
    cells = measured({"TRIL": [11.0, 11.1, 10.9], "TRIL, K=5": [12.0, 12.1, 11.9]})
    (line,) = check(cells, of=[["TRIL, K=5", "TRIL"], ["TRIL, K=10", "TRIL"]])
    assert (line.outcome, line.effect) == (Outcome.FAILS, pytest.approx(1.0))
    assert line.missing == "not in the plan: TRIL, K=10"


def test_missing_metric_is_named(check, measured):
    cells = measured({"TRIL": [12.0], "TRIL, K=5": [11.5]}, metric="h_gap", unit="nats")
    assert check(cells)[0].missing == "the evaluation has no metric 'ce_test': TRIL, K=5; TRIL"


def with_reading(cell, reading):
    return replace(cell, measured=replace(cell.measured, reading=reading))


def test_numbers_with_different_readings_are_not_compared(check, measured):
    rows = {"TRIL": [12.0, 12.1, 11.9], "TRIL, K=5": [11.5, 11.6, 11.4]}
    old = [with_reading(cell, "ce") if cell.measured else cell for cell in measured(rows)]
    assert check(old)[0].outcome is Outcome.HOLDS
    mixed = [with_reading(cell, "ce_eos") if cell.row == "TRIL" and cell.measured else cell for cell in old]
    (line,) = check(mixed)
    assert (line.outcome, line.effect) == (Outcome.UNDECIDED, None)
    assert line.missing == (
        "measured as 'ce', which the others are not: TRIL, K=5. "
        "measured as 'ce_eos', which the others are not: TRIL"
    )
    (line,) = check(mixed, of=[["TRIL, K=5", "TRIL"], ["TRIL, K=10", "TRIL"]])
    assert line.missing.endswith(". not in the plan: TRIL, K=10")


QUOTED = {
    "paper": "sentences",
    "tables": {"ptb": 2},
    "metrics": None,
    "of": [[{"row": "sMIM (512)", "metric": "ppl_melbo"}, {"row": "GPT-2 full†", "metric": "ppl"}]],
}


@pytest.mark.parametrize("stand_in", [False, True])
def test_quoted_number_is_used_only_on_the_papers_corpus(check, measured, stand_in):
    fields = {"paper": "sentences", "corpus": "mine", "dataset": "ptb", "stand_in": stand_in}
    cells = measured({"sMIM (512)": [19, 20, 21]}, 2, "ppl_melbo", "per word", **fields)
    (line,) = check(cells, **QUOTED)
    if stand_in:
        assert line.missing == "quoted, but not for this corpus: GPT-2 full†"
        assert line.outcome is Outcome.UNDECIDED
    else:
        assert line.outcome is Outcome.HOLDS
        assert line.effect == pytest.approx(20 - 35.76)
        assert line.high - line.low == pytest.approx(2 * (4.302652729749462 / 3**0.5 + 0.005))


@pytest.mark.parametrize("verdict", [Verdict.NOT_RUN, Verdict.FAILED])
def test_quoted_number_is_used_until_its_run_has_a_number(check, measured, verdict):
    fields = {"paper": "sentences", "corpus": "ptb", "dataset": "ptb"}
    cells = measured({"sMIM (512)": [19, 20, 21]}, 2, "ppl_melbo", "per word", **fields)
    cells = [
        replace(
            cell,
            comparison=replace(cell.comparison, verdict=verdict),
            provenance=replace(cell.provenance, reason="no weights"),
        )
        if cell.row == "GPT-2 full†"
        else cell
        for cell in cells
    ]
    (line,) = check(cells, **QUOTED)
    assert (line.outcome, line.effect) == (Outcome.HOLDS, pytest.approx(20 - 35.76))


def test_measured_number_replaces_the_quoted_number(check, measured):
    fields = {"paper": "sentences", "corpus": "ptb", "dataset": "ptb"}
    values = [30, 31, 32]
    cells = measured({"sMIM (512)": values}, 2, "ppl_melbo", "per word", **fields)
    other = measured({"VAE-LSTM (13)": [20, 21, 22]}, 2, "ppl", "per word", **fields)
    cells = [c for c in cells if c.row != "VAE-LSTM (13)"] + [c for c in other if c.row == "VAE-LSTM (13)"]
    of = [[{"row": "sMIM (512)", "metric": "ppl_melbo"}, {"row": "VAE-LSTM (13)", "metric": "ppl"}]]
    (line,) = check(cells, **QUOTED | {"of": of})
    assert (line.outcome, line.effect) == (Outcome.FAILS, pytest.approx(10))


def with_runs(cell, runs):
    return replace(cell, provenance=replace(cell.provenance, runs=runs))


def test_figure_numbers_are_read_from_the_folders_of_the_metrics(check, measured, tmp_path):
    cells = measured({"TRIL": [12.0, 12.1, 11.9]})
    files = []
    for seed in range(3):
        path = tmp_path / f"seed{seed}" / "curve.jsonl"
        path.parent.mkdir()
        entropies = [{"h_gap": 0.1 * seed, "h_expected": 2.0}, {"h_gap": 0.1 * seed + 1, "h_expected": 1.0}]
        path.write_text("".join(f"{json.dumps(line)}\n" for line in entropies), encoding="utf-8")
        files.append(path)
    runs = tuple(str(path.with_name("metrics.json")) for path in files)
    cells = [with_runs(cell, runs) if cell.row == "TRIL" and cell.part.corpus else cell for cell in cells]
    changes = {
        "metrics": None,
        "kind": "greater",
        "of": [[{"row": "TRIL", "metric": "h_gap_end"}, {"row": "TRIL", "metric": "h_gap_start"}]],
    }
    (line,) = check(cells, files, **changes)
    # The gap varies between seeds, its growth does not.
    assert (line.outcome, line.seeds) == (Outcome.HOLDS, 3)
    assert (line.effect, line.low, line.high) == pytest.approx((1, 1, 1))
    assert line.comparison == "h_gap_end − h_gap_start (TRIL)"
    assert line.published_outcome is Outcome.NOT_PRINTED
    # A row with one seed borrows the standard deviation of the other row's final gap, 0.1.
    one = measured({"TRIL": [12.0, 12.1, 11.9], "TRIL, K=5": [11.0]})
    curve = tmp_path / "other" / "seed0" / "curve.jsonl"
    curve.parent.mkdir(parents=True)
    curve.write_text('{"h_gap": 0.5}\n{"h_gap": 3.0}\n', encoding="utf-8")
    paths = {"TRIL": runs, "TRIL, K=5": (str(curve.with_name("metrics.json")),)}
    one = [with_runs(cell, paths.get(cell.row, ())) if cell.part.corpus else cell for cell in one]
    of_one = {"of": [[{"row": "TRIL, K=5", "metric": "h_gap_end"}, 2.0]]}
    (line,) = check(one, [*files, curve], **changes | of_one)
    assert (line.outcome, line.borrowed_from) == (Outcome.HOLDS, "TRIL, 3 seeds")
    assert line.high - line.low == pytest.approx(2 * 4.302652729749462 * 0.1)
    # The record of a failed training has no number.
    failed = (*runs[:2], str(tmp_path / "seed2" / "checkpoint" / "failure.json"))
    cells_of_two = [with_runs(cell, failed) if cell.provenance.runs == runs else cell for cell in cells]
    assert check(cells_of_two, files, **changes)[0].seeds == 2
    # Files that are not on the command line are ignored: they may have other settings.
    assert check(cells, **changes)[0].missing == "without 'h_gap_end': TRIL. without 'h_gap_start': TRIL"


def test_figure_and_table_numbers_are_paired_by_seed(check, measured, tmp_path):
    """Both numbers vary by 1 between seeds; their difference is always 1. There is no seed 0."""
    files = []
    for seed in (1, 2):
        path = tmp_path / f"seed{seed}" / "curve.jsonl"
        path.parent.mkdir()
        path.write_text(f'{{"h_gap": 0}}\n{{"h_gap": {seed}}}\n', encoding="utf-8")
        files.append(path)
    runs = tuple(str(path.with_name("metrics.json")) for path in files)
    by_seed = ((1, 2.0), (2, 3.0))
    cells = [
        replace(with_runs(cell, runs), measured=cell.measured and replace(cell.measured, by_seed=by_seed))
        for cell in measured({"TRIL": [2.0, 3.0]}, metric="h_gap", unit="nats")
        if cell.row == "TRIL"
    ]
    of = [[{"row": "TRIL", "metric": "h_gap"}, {"row": "TRIL", "metric": "h_gap_end"}]]
    (line,) = check(cells, files, metrics=None, kind="greater", of=of)
    assert (line.outcome, line.seeds) == (Outcome.HOLDS, 2)
    assert (line.effect, line.low, line.high) == pytest.approx((1, 1, 1))
    (unpaired,) = check([on_draws(cell) for cell in cells], files, metrics=None, kind="greater", of=of)
    assert unpaired.missing == "without 'h_gap_end': TRIL"


def test_logarithm_of_zero_is_missing(check, measured):
    cells = measured({"TRIL": [0.0, 0.0, 0.0]})
    (line,) = check(cells, of=[[{"row": "TRIL", "log": True}, 1]])
    assert line.missing == "not positive, so it has no logarithm: TRIL"


def test_logarithm_of_a_printed_zero_is_missing(write, published):
    papers = write(of=[[{"row": "TRIL", "log": True}, 1]])
    (claim,) = load(papers, published).claims
    zero = [replace(printed, value=0.0) for printed in published]
    assert as_printed(claim, zero).missing == {"not positive, so it has no logarithm": ["TRIL"]}


def test_rows_on_the_same_draws_are_paired_by_draw(check, measured):
    """Both rows vary by 2 between draws; their difference is always about 1."""
    values = {"TRIL, K=5": [10.0, 12.0, 14.0], "TRIL": [11.0, 13.1, 14.9]}
    (apart,) = check(measured(values))
    assert apart.outcome is Outcome.UNDECIDED
    (paired,) = check([on_draws(cell) for cell in measured(values)])
    assert paired.outcome is Outcome.HOLDS
    assert paired.effect == pytest.approx(-1)


def test_untrained_numbers_vary_between_draws(check, measured):
    """A single draw of the split does not show by how much they vary."""
    cells = measured({"TRIL, K=5": [10.0], "TRIL": [11.0]})
    (of_split,) = check(cells, untrained=["TRIL", "TRIL, K=5"])
    assert of_split.outcome is Outcome.HOLDS
    (of_draw,) = check([on_draws(cell) for cell in cells], untrained=["TRIL", "TRIL, K=5"])
    assert of_draw.outcome is Outcome.UNDECIDED


def on_draws(cell):
    """The cell with its seeds as draws of the split."""
    return replace(cell, provenance=replace(cell.provenance, settings={"draws": 3}))
