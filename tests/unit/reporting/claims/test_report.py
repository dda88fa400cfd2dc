"""Claims from cells to files: their outcomes for runs and for published numbers."""

import csv
import io
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from plans import plan_of
from textlvm.estimate import Estimate
from textlvm.experiment.paper import PAPERS
from textlvm.reporting.assembly import build
from textlvm.reporting.claims import language
from textlvm.reporting.claims.judge import Outcome
from textlvm.reporting.claims.language import Place, Side
from textlvm.reporting.claims.lines import as_csv, read_csv
from textlvm.reporting.claims.numbers import Measured
from textlvm.reporting.claims.report import _described, as_markdown, evaluate
from textlvm.reporting.tidy import write_tidy
from textlvm.reporting.verdict import Comparison, Measurement, Verdict

ROOT = Path(__file__).parents[4]
COLUMNS = [
    *("id", "paper", "where", "claim", "predicate", "outcome", "effect", "low", "high", "unit", "seeds"),
    *("published_outcome", "corpus", "stand_in", "missing", "rows"),
]
CONTRADICTED = {
    "two-samples-lower-ce",
    "weighting-raises-in-vocabulary",
    "two-layers-raise-in-vocabulary",
    "two-layers-raise-entropy-gap",
    "bidirectional-lowers-ce",
    "nvp-above-tril",
    "svae-gains-nothing-from-latent-size/yelp15",
    "small-smim-like-svae/yahoo",
    "kld-approaches-zero/yelp15",
    "kld-approaches-zero/yahoo",
    "kld-approaches-zero/wikitext-103",
    "collapse-with-vocabulary",
    "smim-above-ae-at-the-largest-size/yelp15",
    "ae-more-sensitive-to-size/yelp15",
}
"""Claims that the papers' own numbers refute, checked by hand."""
TIES = {"answers-precision-above-hyperqa", "svae-reconstruction-loses-from-latent-size/yelp15"}
"""Claims that rounding leaves undecided: 0.683 and 0.683; 0.18 and 0.176."""


def published_as_measured(papers, published):
    """Cells with every published number as the result of three equal seeds on the paper's own corpus."""
    cells = [cell for table in range(1, 9) for cell in build(table, papers, published, [], {})]
    return [
        replace(
            cell,
            part=replace(cell.part, corpus=cell.part.dataset, corpus_title=cell.part.dataset),
            measured=Measurement(
                value=cell.printed.value,
                low=None,
                high=None,
                spread=None,
                repeat_spread=None,
                by_seed=tuple((seed, cell.printed.value) for seed in range(3)),
            ),
            comparison=Comparison(None, None, Verdict.QUOTED if cell.kind == "quoted" else Verdict.WITHIN),
            provenance=replace(cell.provenance, run=cell.row),
        )
        for cell in cells
    ]


def test_outcomes_for_the_printed_numbers(shipped, papers, published):
    outcomes = {
        line.id: line.published_outcome
        for line in evaluate(shipped.claims, Measured(papers, [], [], []), published)
    }
    by_outcome = {kind: {name for name, found in outcomes.items() if found is kind} for kind in Outcome}
    assert by_outcome[Outcome.FAILS] == CONTRADICTED
    assert by_outcome[Outcome.UNDECIDED] == TIES
    figures = {
        claim.id for claim in shipped.claims if "Figure" in claim.where and "Figures" not in claim.where
    }
    not_printed = by_outcome[Outcome.NOT_PRINTED]
    without_rows = {"diagonal-is-worst", "unseen-words-harder", "unseen-words-harder-than-seen"}
    ours = {"below-lstm-lm-without-test-sentences", "below-svae-without-test-sentences"}
    assert not_printed == figures - {"ptb-sentences-shortest"} | without_rows | ours


def test_published_numbers_as_results_have_the_published_outcomes(shipped, papers, published):
    """Measured and published numbers are judged by the same rule."""
    cells = published_as_measured(papers, published)
    lines = evaluate(shipped.claims, Measured(papers, cells, [], plan_of(cells)), published)
    for line in lines:
        if line.published_outcome in (Outcome.HOLDS, Outcome.FAILS):
            assert line.outcome is line.published_outcome, line.id
            assert line.effect == pytest.approx(line.published_effect), line.id
            assert line.comparison == line.published_comparison, line.id
        elif line.published_outcome is Outcome.NOT_PRINTED:
            assert line.outcome is Outcome.UNDECIDED
    assert {line.published_outcome for line in lines} == set(Outcome)


def test_claims_are_undecided_without_results(shipped, papers, published):
    cells = [cell for table in range(1, 9) for cell in build(table, papers, published, [], {})]
    lines = evaluate(shipped.claims, Measured(papers, cells, [], []), published)
    assert {(line.outcome, line.seeds, line.effect) for line in lines} == {(Outcome.UNDECIDED, 0, None)}
    assert {line.missing.partition(":")[0] for line in lines} == {"not in the plan"}


def test_line_of_a_decided_claim(check, measured):
    (line,) = check(measured({"TRIL": [12.0, 12.1, 11.9], "TRIL, K=5": [11.5, 11.6, 11.4]}))
    assert line.outcome is Outcome.HOLDS
    assert line.effect == pytest.approx(-0.5)
    half = 4.302652729749462 * (2 * 0.01 / 3) ** 0.5
    assert (line.low, line.high) == pytest.approx((-0.5 - half, -0.5 + half))
    assert (line.unit, line.seeds, line.missing) == ("nats/word", 3, "")
    assert (line.corpus, line.stand_in, line.dataset) == ("bookscorpus", False, "bookscorpus")
    assert line.comparison == "TRIL, K=5 − TRIL (ce_test)"
    assert (line.published_outcome, line.published_effect) == (Outcome.HOLDS, pytest.approx(-0.37))
    assert len(line.runs) == 6


TRIL = Place("words", 1, "bookscorpus", "TRIL", "h_gap")


@pytest.mark.parametrize(
    ("terms", "description"),
    [
        (((1, TRIL), (-1, 2.0)), "TRIL − 2 (h_gap)"),
        (((1, 0.0), (-1, TRIL)), "0 − TRIL (h_gap)"),
        (((1, replace(TRIL, log=True)), (-1, 2.0)), "ln(TRIL) − 2 (h_gap)"),
    ],
)
def test_description_of_a_comparison_with_a_constant(papers, terms, description):
    comparison = language.Comparison("less", terms, Side.BELOW, "nats")
    assert _described(comparison, papers["words"]) == description


def test_estimator_error_widens_the_interval(check, measured):
    wide = [Estimate(value, value - 1.96, value + 1.96, "nats/word") for value in (12.0, 12.1, 11.9)]
    (line,) = check(measured({"TRIL": wide, "TRIL, K=5": [11.5, 11.6, 11.4]}))
    assert line.outcome is Outcome.UNDECIDED
    assert line.missing == "the interval contains zero"
    # Three standard errors of 1 pool to 1 / sqrt 3.
    half = (4.302652729749462**2 * 2 * 0.01 / 3 + 1.96**2 / 3) ** 0.5
    assert line.high - line.low == pytest.approx(2 * half)


def test_missing_names_single_seeds(check, measured):
    (line,) = check(measured({"TRIL": [12.0], "TRIL, K=5": [11.5]}))
    assert (line.outcome, line.seeds, line.effect) == (Outcome.UNDECIDED, 1, -0.5)
    limit = 0.5 / (4.302652729749462 * (2 / 3) ** 0.5)
    assert line.missing == (
        "one seed: with 3 and the same effect, it holds if the standard deviation over seeds is below "
        f"{limit:.3f} nats/word"
    )
    (line,) = check(measured({"TRIL": [11.5], "TRIL, K=5": [12.0]}))
    assert line.missing.startswith("one seed: with 3 and the same effect, it fails if")


def test_single_seed_borrows_the_deviation_of_other_rows(check, measured, papers):
    """Both rows have one seed: their difference has the deviation sqrt 2 · 0.1, with 2 degrees of freedom."""
    rows = {"TRIL": [12.0], "TRIL, K=5": [11.2], "TRIL, K=2": [11.6, 11.7, 11.8]}
    (line,) = check(measured(rows))
    half = 4.302652729749462 * 0.1 * 2**0.5
    assert (line.outcome, line.seeds, line.missing) == (Outcome.HOLDS, 1, "")
    assert (line.effect, line.low, line.high) == pytest.approx((-0.8, -0.8 - half, -0.8 + half))
    assert line.borrowed_from == "TRIL, K=2, 3 seeds"
    text = as_markdown([line], papers)
    assert "**holds**<br>sd of TRIL, K=2, 3 seeds" in text
    assert "Decided with a borrowed standard deviation over seeds: 1." in text
    # An effect of 0.3 is within the noise.
    (line,) = check(measured(rows | {"TRIL, K=5": [11.7]}))
    assert (line.outcome, line.missing) == (Outcome.UNDECIDED, "the interval contains zero")


def test_seeds_of_a_claim_on_draws_are_draws(check, measured):
    rows = {"TRIL": [12.0, 12.1, 11.9], "TRIL, K=5": [11.5, 11.6, 11.4]}
    (line,) = check(measured(rows))
    assert (line.seeds, line.replicate) == (3, "seed")
    drawn = json.dumps({"draws": 3})
    cells = [replace(cell, provenance=replace(cell.provenance, settings=drawn)) for cell in measured(rows)]
    (line,) = check(cells)
    assert (line.outcome, line.seeds, line.replicate) == (Outcome.HOLDS, 3, "draw")


def test_each_corpus_has_its_own_line(check, measured):
    rows = {"TRIL": [12.0, 12.1, 11.9], "TRIL, K=5": [11.5, 11.6, 11.4]}
    other = {"TRIL": [11.0, 11.1, 10.9], "TRIL, K=5": [11.5, 11.6, 11.4]}
    cells = measured(rows) + measured(other, corpus="gutenberg", corpus_title="Gutenberg", stand_in=True)
    lines = check(cells)
    assert [(line.id, line.corpus, line.stand_in, line.outcome) for line in lines] == [
        ("mine/bookscorpus", "bookscorpus", False, Outcome.HOLDS),
        ("mine/gutenberg", "gutenberg", True, Outcome.FAILS),
    ]


def test_csv_has_stable_columns_and_unrounded_numbers(shipped, papers, published, tmp_path):
    cells = published_as_measured(papers, published)
    lines = evaluate(shipped.claims, Measured(papers, cells, [], plan_of(cells)), published)
    read = list(csv.DictReader(io.StringIO(as_csv(lines))))
    assert list(read[0])[: len(COLUMNS)] == COLUMNS
    assert len({row["id"] for row in read}) == len(read) == len(lines)
    for row, line in zip(read, lines, strict=True):
        assert (row["outcome"], row["stand_in"]) == (str(line.outcome), "false")
        assert row["effect"] == ("" if line.effect is None else repr(line.effect))
        assert json.loads(row["runs"]) == list(line.runs)
    file = tmp_path / "claims.csv"
    file.write_text(as_csv(lines), encoding="utf-8")
    assert read_csv(file) == lines


def test_markdown_has_counts_and_claims(check, measured, papers):
    cells = measured({"TRIL": [12.0, 12.1, 11.9], "TRIL, K=5": [11.5, 11.6, 11.4]})
    alone = measured({"TRIL": [12.0], "TRIL, K=2": [1.0]})
    lines = [
        *check(cells),
        *check(cells, id="other", kind="greater", claim="It is *higher*."),
        *check(alone, id="one", claim="One seed.", of=[["TRIL, K=2", "TRIL"]]),
        *check(cells, id="none", claim="No row.", of=[["TRIL, K=10", "TRIL"]]),
    ]
    text = as_markdown(lines, papers)
    assert text.splitlines()[2] == (
        "4 claims, 4 checks. Here 1 hold, 1 fail and 2 are undecided: 1 lack a number, "
        "1 rest on one seed or draw, 0 are within the noise. For the papers' own numbers 2 hold, 2 fail "
        "and 0 are undecided; 0 are about numbers that are not printed."
    )
    assert "## Schmidt & Hofmann (2018)" in text
    assert "## Livne" not in text
    assert "It is \\*higher\\*. (Section 5.1)" in text
    assert "`ce_test: TRIL, K=5 < TRIL`" in text
    assert "−0.500 [−0.851, −0.149] nats/word" in text
    assert "not in the plan: TRIL, K=10" in text
    assert "**holds**" in text
    assert "(stand-in)" not in text


def test_markdown_has_the_text_of_a_claim_once(shipped, papers, published):
    text = as_markdown(evaluate(shipped.claims, Measured(papers, [], [], []), published), papers)
    assert text.count("sMIM's perplexity falls with every increase of the latent size.") == 1
    assert "`ppl_melbo: sMIM (32) > sMIM (512) > sMIM (1024)`" in text
    # Only the first of many missing rows are named.
    assert "TRIL; TRIL, K=2; TRIL, K=5; TRIL, K=10; and 5 more" in text
    assert all(line.count("|") == 6 for line in text.splitlines() if line.startswith("|"))


def call(*words):
    return subprocess.run(
        [sys.executable, "-m", "textlvm.reporting.claims", *map(str, words)],
        cwd=ROOT / "workflow",
        capture_output=True,
        text=True,
        check=False,
    )


def test_command_line(papers, published, tmp_path):
    table = tmp_path / "table1.csv"
    write_tidy(table, build(1, papers, published, [], {}))
    forms = ("csv", "md", "html")
    out = [word for form in forms for word in (f"--{form}", tmp_path / f"claims.{form}")]
    common = ["--plan", '{"planned": []}', "--tables", table, *out]
    result = call("--papers", *PAPERS.iterdir(), *common)
    assert result.returncode == 0, result.stderr
    lines = list(csv.DictReader((tmp_path / "claims.csv").open(encoding="utf-8")))
    assert {line["published_outcome"] for line in lines} == set(Outcome)
    assert (tmp_path / "claims.md").read_text(encoding="utf-8").startswith("# Claims of the papers\n")
    assert "<h1>Claims of the papers</h1>" in (tmp_path / "claims.html").read_text(encoding="utf-8")
    wrong = shutil.copytree(PAPERS / "words", tmp_path / "words")
    text = (wrong / "claims.yaml").read_text(encoding="utf-8")
    (wrong / "claims.yaml").write_text(text.replace("kind: falling", "kind: sinking", 1), encoding="utf-8")
    result = call("--papers", wrong, PAPERS / "sentences", *common)
    assert result.returncode == 2
    assert "claim 'entropy-gap-decreases'" in result.stderr
    assert "Traceback" not in result.stderr
    assert (tmp_path / "claims.csv").exists()
