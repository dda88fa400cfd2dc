"""Claims from cells to files: what is compared, what is missing, and what the published numbers say."""

import csv
import io
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from plans import planned
from textlvm.estimate import Estimate, exact
from textlvm.experiment.paper import PAPERS
from textlvm.reporting.assembly import build
from textlvm.reporting.cells import DATA, Measurement
from textlvm.reporting.claims.file import load
from textlvm.reporting.claims.judge import Outcome
from textlvm.reporting.claims.numbers import Measured
from textlvm.reporting.claims.report import as_csv, as_markdown, evaluate
from textlvm.reporting.runs import Result
from textlvm.reporting.tidy import write_tidy
from textlvm.reporting.verdict import Comparison, Verdict

ROOT = Path(__file__).parents[4]
COLUMNS = [
    *("id", "paper", "section", "claim", "predicate", "outcome", "effect", "low", "high", "unit", "seeds"),
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
"""What the papers' own numbers refute, checked by hand."""
TIES = {"answers-precision-above-hyperqa", "svae-reconstruction-loses-from-latent-size/yelp15"}
"""What their last printed digit leaves open: 0.683 and 0.683; 0.18 and 0.176."""


@pytest.fixture(scope="module")
def shipped(papers, published):
    return load(papers, published)


@pytest.fixture
def check(tmp_path, papers, published):
    """Evaluates one claim of the words paper, `TRIL, K=5 < TRIL` unless keywords say otherwise."""

    def lines(cells, figures=(), untrained=(), paper="words", **changes):
        entry = {
            "id": "mine",
            "where": "Section 5.1",
            "claim": "It is lower.",
            "tables": {"bookscorpus": 1},
            "metrics": ["ce_test"],
            "kind": "less",
            "of": [["TRIL, K=5", "TRIL"]],
        } | changes
        entry = {key: value for key, value in entry.items() if value is not None}
        path = tmp_path / "claims.yaml"
        path.write_text(yaml.safe_dump({"claims": [entry]}), encoding="utf-8")
        own = {paper: replace(papers[paper], folder=tmp_path)}
        plan = plan_of(cells, untrained)
        claims = load(own, published, plan).claims
        return evaluate(claims, Measured(own, cells, figures, plan), published)

    return lines


@pytest.fixture
def measured(papers, published):
    """Cells of tables in which rows have values by seed; a row without values is planned and has not run."""

    def cells(rows, table=1, metric="ce_test", unit="nats/word", **changes):
        plan, results = [], {}
        for row, values in rows.items():
            fields = {
                "paper": "words",
                "corpus": "bookscorpus",
                "corpus_title": "BooksCorpus",
                "split": "standard",
                "stand_in": False,
            } | changes
            entry = planned(row, table=table, **fields)
            plan.append(entry)
            key = {name: fields[name] for name in ("paper", "corpus", "split")}
            results[entry.key] = [
                Result(
                    **key,
                    run=row,
                    seed=seed,
                    path=f"results/{entry.corpus}/{row}/seed{seed}/metrics.json",
                    dataset=entry.dataset,
                    metrics={metric: value if isinstance(value, Estimate) else exact(value, unit)},
                )
                for seed, value in enumerate(values)
            ]
        return build(table, papers, published, plan, results)

    return cells


def plan_of(cells, untrained=()):
    """The plan that cells are of; rows that are not `untrained` are trained, but for data sets."""
    rows = {(c.part, c.row): c for c in cells if c.provenance.run}
    return [
        planned(
            cell.row,
            table=cell.part.table,
            paper=cell.part.paper,
            corpus=cell.part.corpus,
            original=cell.part.dataset,
            name=cell.provenance.run,
            is_trained=cell.provenance.run != DATA and cell.row not in untrained,
        )
        for cell in rows.values()
    ]


def as_if_measured(papers, published):
    """Cells in which every published number came out of three agreeing seeds on the paper's own corpora."""
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


def test_what_the_printed_numbers_say(shipped, papers, published):
    outcomes = {
        line.id: line.published_outcome
        for line in evaluate(shipped.claims, Measured(papers, [], [], []), published)
    }
    by_outcome = {own: {name for name, found in outcomes.items() if found is own} for own in Outcome}
    assert by_outcome[Outcome.FAILS] == CONTRADICTED
    assert by_outcome[Outcome.UNDECIDED] == TIES
    figures = {
        claim.id for claim in shipped.claims if "Figure" in claim.where and "Figures" not in claim.where
    }
    not_printed = by_outcome[Outcome.NOT_PRINTED]
    without_rows = {"diagonal-is-worst", "unseen-words-harder", "unseen-words-harder-than-seen"}
    assert not_printed == figures - {"ptb-sentences-shortest"} | without_rows


def test_published_numbers_as_results_give_the_published_outcomes(shipped, papers, published):
    """The measured side and the published one are one rule."""
    cells = as_if_measured(papers, published)
    lines = evaluate(shipped.claims, Measured(papers, cells, [], plan_of(cells)), published)
    for line in lines:
        if line.published_outcome in (Outcome.HOLDS, Outcome.FAILS):
            assert line.outcome is line.published_outcome, line.id
            assert line.effect == pytest.approx(line.published_effect), line.id
            assert line.comparison == line.published_comparison, line.id
        elif line.published_outcome is Outcome.NOT_PRINTED:
            assert line.outcome is Outcome.UNDECIDED
    assert {line.published_outcome for line in lines} == set(Outcome)


def test_without_results_everything_is_undecided(shipped, papers, published):
    cells = [cell for table in range(1, 9) for cell in build(table, papers, published, [], {})]
    lines = evaluate(shipped.claims, Measured(papers, cells, [], []), published)
    assert {(line.outcome, line.seeds, line.effect) for line in lines} == {(Outcome.UNDECIDED, 0, None)}
    assert {line.missing.partition(":")[0] for line in lines} == {"not in the plan"}


def test_seeds_decide(check, measured):
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


def test_the_estimators_interval_counts(check, measured):
    wide = [Estimate(value, value - 1.96, value + 1.96, "nats/word") for value in (12.0, 12.1, 11.9)]
    (line,) = check(measured({"TRIL": wide, "TRIL, K=5": [11.5, 11.6, 11.4]}))
    assert line.outcome is Outcome.UNDECIDED
    assert line.missing == "the interval reaches across zero"
    # Three intervals of one standard error pool to 1 / sqrt 3.
    half = (4.302652729749462**2 * 2 * 0.01 / 3 + 1.96**2 / 3) ** 0.5
    assert line.high - line.low == pytest.approx(2 * half)


def test_one_seed_is_said_to_be_one(check, measured):
    (line,) = check(measured({"TRIL": [12.0], "TRIL, K=5": [11.5]}))
    assert (line.outcome, line.seeds, line.effect) == (Outcome.UNDECIDED, 1, -0.5)
    limit = 0.5 / (1.959963984540054 * 2**0.5)
    assert line.missing == (
        f"one seed: holds if the standard deviation between trainings is below {limit:.3f} nats/word"
    )
    (line,) = check(measured({"TRIL": [11.5], "TRIL, K=5": [12.0]}))
    assert line.missing.startswith("one seed: fails if")


def test_one_seed_borrows_what_the_other_rows_of_the_table_vary_by(check, measured, papers):
    """Both rows have one seed: the difference varies by sqrt 2 of the sd 0.1, with 2 degrees of freedom."""
    rows = {"TRIL": [12.0], "TRIL, K=5": [11.2], "TRIL, K=2": [11.6, 11.7, 11.8]}
    (line,) = check(measured(rows))
    half = 4.302652729749462 * 0.1 * 2**0.5
    assert (line.outcome, line.seeds, line.missing) == (Outcome.HOLDS, 1, "")
    assert (line.effect, line.low, line.high) == pytest.approx((-0.8, -0.8 - half, -0.8 + half))
    assert line.borrowed_from == "TRIL, K=2, 3 seeds"
    text = as_markdown([line], papers)
    assert "**holds**<br>sd of TRIL, K=2, 3 seeds" in text
    assert "Decided with a borrowed standard deviation over seeds: 1." in text
    assert next(csv.DictReader(io.StringIO(as_csv([line]))))["borrowed_from"] == line.borrowed_from
    # Half a nat less is within the noise.
    (line,) = check(measured(rows | {"TRIL, K=5": [11.7]}))
    assert (line.outcome, line.missing) == (Outcome.UNDECIDED, "the interval reaches across zero")


def test_what_no_training_made_needs_one_seed(check, measured):
    cells = measured({"ORACLE": [7.0]})
    changes = {"of": [["ORACLE", 8.0]]}
    assert check(cells, **changes)[0].outcome is Outcome.UNDECIDED
    assert check(cells, untrained=["ORACLE"], **changes)[0].outcome is Outcome.HOLDS


def test_a_data_set_is_not_trained(check, measured):
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


def test_one_comparison_refutes_a_claim_whatever_is_missing(check, measured):
    cells = measured({"TRIL": [11.0, 11.1, 10.9], "TRIL, K=5": [12.0, 12.1, 11.9]})
    (line,) = check(cells, of=[["TRIL, K=5", "TRIL"], ["TRIL, K=10", "TRIL"]])
    assert (line.outcome, line.effect) == (Outcome.FAILS, pytest.approx(1.0))
    assert line.missing == "not in the plan: TRIL, K=10"


def test_a_metric_that_was_not_measured(check, measured):
    cells = measured({"TRIL": [12.0], "TRIL, K=5": [11.5]}, metric="h_gap", unit="nats")
    assert check(cells)[0].missing == "the evaluation gives no 'ce_test': TRIL, K=5; TRIL"


def read_as(cell, reading):
    return replace(cell, measured=replace(cell.measured, reading=reading))


def test_numbers_of_two_readings_are_not_compared(check, measured):
    rows = {"TRIL": [12.0, 12.1, 11.9], "TRIL, K=5": [11.5, 11.6, 11.4]}
    old = [read_as(cell, "ce") if cell.measured else cell for cell in measured(rows)]
    assert check(old)[0].outcome is Outcome.HOLDS
    mixed = [read_as(cell, "ce_eos") if cell.row == "TRIL" and cell.measured else cell for cell in old]
    (line,) = check(mixed)
    assert (line.outcome, line.effect) == (Outcome.UNDECIDED, None)
    assert line.missing == (
        "measured as 'ce', which the others are not: TRIL, K=5. "
        "measured as 'ce_eos', which the others are not: TRIL"
    )


def test_each_corpus_has_a_line(check, measured):
    rows = {"TRIL": [12.0, 12.1, 11.9], "TRIL, K=5": [11.5, 11.6, 11.4]}
    other = {"TRIL": [11.0, 11.1, 10.9], "TRIL, K=5": [11.5, 11.6, 11.4]}
    cells = measured(rows) + measured(other, corpus="gutenberg", corpus_title="Gutenberg", stand_in=True)
    lines = check(cells)
    assert [(line.id, line.corpus, line.stand_in, line.outcome) for line in lines] == [
        ("mine/bookscorpus", "bookscorpus", False, Outcome.HOLDS),
        ("mine/gutenberg", "gutenberg", True, Outcome.FAILS),
    ]


QUOTED = {
    "paper": "sentences",
    "tables": {"ptb": 2},
    "metrics": None,
    "of": [[{"row": "sMIM (512)", "metric": "ppl_melbo"}, {"row": "GPT-2 full†", "metric": "ppl"}]],
}


@pytest.mark.parametrize("stand_in", [False, True])
def test_a_quoted_number_stands_for_itself_on_its_own_corpus(check, measured, stand_in):
    fields = {"paper": "sentences", "corpus": "mine", "dataset": "ptb", "stand_in": stand_in}
    cells = measured({"sMIM (512)": [19, 20, 21]}, 2, "ppl_melbo", "per word", **fields)
    (line,) = check(cells, **QUOTED)
    if stand_in:
        assert line.missing == "quoted, and not of this corpus: GPT-2 full†"
        assert line.outcome is Outcome.UNDECIDED
    else:
        assert line.outcome is Outcome.HOLDS
        assert line.effect == pytest.approx(20 - 35.76)
        assert line.high - line.low == pytest.approx(2 * (4.302652729749462 / 3**0.5 + 0.005))


@pytest.mark.parametrize("verdict", [Verdict.NOT_RUN, Verdict.FAILED])
def test_a_quoted_row_that_is_planned_stands_for_itself_until_it_has_a_number(check, measured, verdict):
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


def test_a_quoted_row_that_is_trained_here_is_what_came_out(check, measured):
    fields = {"paper": "sentences", "corpus": "ptb", "dataset": "ptb"}
    values = [30, 31, 32]
    cells = measured({"sMIM (512)": values}, 2, "ppl_melbo", "per word", **fields)
    other = measured({"VAE-LSTM (13)": [20, 21, 22]}, 2, "ppl", "per word", **fields)
    cells = [c for c in cells if c.row != "VAE-LSTM (13)"] + [c for c in other if c.row == "VAE-LSTM (13)"]
    of = [[{"row": "sMIM (512)", "metric": "ppl_melbo"}, {"row": "VAE-LSTM (13)", "metric": "ppl"}]]
    (line,) = check(cells, **QUOTED | {"of": of})
    assert (line.outcome, line.effect) == (Outcome.FAILS, pytest.approx(10))


def made_from(cell, runs):
    return replace(cell, provenance=replace(cell.provenance, runs=runs))


def test_numbers_of_a_figure_come_from_the_files_beside_the_metrics(check, measured, tmp_path):
    cells = measured({"TRIL": [12.0, 12.1, 11.9]})
    files = []
    for seed in range(3):
        path = tmp_path / f"seed{seed}" / "curve.jsonl"
        path.parent.mkdir()
        entropies = [{"h_gap": 0.1 * seed, "h_expected": 2.0}, {"h_gap": 0.1 * seed + 1, "h_expected": 1.0}]
        path.write_text("".join(f"{json.dumps(line)}\n" for line in entropies), encoding="utf-8")
        files.append(path)
    runs = tuple(str(path.with_name("metrics.json")) for path in files)
    cells = [made_from(cell, runs) if cell.row == "TRIL" and cell.part.corpus else cell for cell in cells]
    changes = {
        "metrics": None,
        "kind": "greater",
        "of": [[{"row": "TRIL", "metric": "h_gap_end"}, {"row": "TRIL", "metric": "h_gap_start"}]],
    }
    (line,) = check(cells, files, **changes)
    # Between trainings the gap varies, its growth does not.
    assert (line.outcome, line.seeds) == (Outcome.HOLDS, 3)
    assert (line.effect, line.low, line.high) == pytest.approx((1, 1, 1))
    assert line.comparison == "h_gap_end − h_gap_start (TRIL)"
    assert line.published_outcome is Outcome.NOT_PRINTED
    # A row with one seed borrows the others' standard deviation: of the gap's end it is 0.1.
    one = measured({"TRIL": [12.0, 12.1, 11.9], "TRIL, K=5": [11.0]})
    curve = tmp_path / "other" / "curve.jsonl"
    curve.parent.mkdir()
    curve.write_text('{"h_gap": 0.5}\n{"h_gap": 3.0}\n', encoding="utf-8")
    paths = {"TRIL": runs, "TRIL, K=5": (str(curve.with_name("metrics.json")),)}
    one = [made_from(cell, paths.get(cell.row, ())) if cell.part.corpus else cell for cell in one]
    of_one = {"of": [[{"row": "TRIL, K=5", "metric": "h_gap_end"}, 2.0]]}
    (line,) = check(one, [*files, curve], **changes | of_one)
    assert (line.outcome, line.borrowed_from) == (Outcome.HOLDS, "TRIL, 3 seeds")
    assert line.high - line.low == pytest.approx(2 * 4.302652729749462 * 0.1)
    # A file that the command line does not name may be of other settings.
    assert check(cells, **changes)[0].missing == "without 'h_gap_end': TRIL. without 'h_gap_start': TRIL"


def test_a_logarithm_of_nothing(check, measured):
    cells = measured({"TRIL": [0.0, 0.0, 0.0]})
    (line,) = check(cells, of=[[{"row": "TRIL", "log": True}, 1]])
    assert line.missing == "not positive, so without a logarithm: TRIL"


def test_the_csv_has_stable_columns_and_full_numbers(shipped, papers, published):
    cells = as_if_measured(papers, published)
    lines = evaluate(shipped.claims, Measured(papers, cells, [], plan_of(cells)), published)
    read = list(csv.DictReader(io.StringIO(as_csv(lines))))
    assert list(read[0])[: len(COLUMNS)] == COLUMNS
    assert len({row["id"] for row in read}) == len(read) == len(lines)
    for row, line in zip(read, lines, strict=True):
        assert (row["outcome"], row["stand_in"]) == (str(line.outcome), "false")
        assert row["effect"] == ("" if line.effect is None else repr(line.effect))
        assert json.loads(row["runs"]) == list(line.runs)


def test_the_markdown_counts_and_names_everything(check, measured, papers):
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
        "4 claims, 4 checks. Here 1 hold, 1 fail and 2 are undecided: 1 lack a row, 1 rest on one seed, "
        "0 are within the noise. By the papers' own numbers 2 hold, 2 fail and 0 are undecided; "
        "0 are about numbers that are not printed."
    )
    assert "## Schmidt & Hofmann (2018)" in text
    assert "## Livne" not in text
    assert "It is \\*higher\\*. (Section 5.1)" in text
    assert "`ce_test: TRIL, K=5 < TRIL`" in text
    assert "−0.500 [−0.851, −0.149] nats/word" in text
    assert "not in the plan: TRIL, K=10" in text
    assert "**holds**" in text
    assert "(stand-in)" not in text


def test_data_sets_of_a_claim_share_its_text(shipped, papers, published):
    text = as_markdown(evaluate(shipped.claims, Measured(papers, [], [], []), published), papers)
    assert text.count("sMIM's perplexity falls with every step of the latent size.") == 1
    assert "`ppl_melbo: sMIM (32) > sMIM (512) > sMIM (1024)`" in text
    # Of many missing rows the first are named.
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


def test_the_command_line(papers, published, tmp_path):
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
