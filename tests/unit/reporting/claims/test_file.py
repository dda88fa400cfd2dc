"""The papers' claims.yaml, its language and its error messages."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from plans import planned
from textlvm.experiment.experiment import load_files
from textlvm.reporting.claims.file import load
from textlvm.reporting.claims.language import Place, Side
from textlvm.runtime.errors import UserError

ROOT = Path(__file__).parents[4]


def signed_rows(claim):
    """The terms of every comparison: sign and row."""
    return [
        " ".join(
            f"{'+' if sign > 0 else '-'}{operand.row if isinstance(operand, Place) else operand}"
            for sign, operand in c.terms
        )
        for c in claim.comparisons
    ]


def load_one(papers, published):
    (claim,) = load(papers, published).claims
    return claim


def test_shipped_claims_are_loaded_completely(papers, shipped):
    texts = {paper.claims.read_text(encoding="utf-8") for paper in papers.values()}
    entries = [entry for text in texts for entry in yaml.safe_load(text)["claims"]]
    assert len(entries) >= 35
    assert {claim.paper for claim in shipped.claims} == {"words", "sentences"}
    assert len(shipped.claims) == sum(len(entry["tables"]) for entry in entries)
    assert len({claim.id for claim in shipped.claims}) == len(shipped.claims)


def test_claims_name_their_place_in_the_paper(shipped):
    assert all(re.match(r"(Section|Appendix|Table|caption)", claim.where) for claim in shipped.claims)


def test_claimed_rows_are_printed_or_planned(monkeypatch, shipped, published):
    """A misspelt row under `unprinted` would not be found otherwise."""
    monkeypatch.chdir(ROOT)
    measured = load_files(["config.yaml"]).planned
    planned = {(entry.paper, row.table, row.label) for entry in measured for row in entry.rows}
    printed = {(p.paper, p.table, p.row) for p in published}
    claimed = {(p.paper, p.table, p.row) for claim in shipped.claims for p in claim.places}
    assert claimed <= printed | planned
    # Claims about other rows could never be decided. Quoted rows are printed but not planned.
    assert {row for *_, row in claimed - planned} == {
        p.row for p in published if p.kind == "quoted" and (p.paper, p.table, p.row) in claimed - planned
    }


def test_figure_files_belong_to_claimed_rows(shipped):
    assert {place.row for place in shipped.figures if place.paper == "words"} == {"2×TRIL, K=10"}
    folder = "words/mine/standard/run/seed3"
    run = planned("2×TRIL, K=10", name="run", corpus="mine")
    assert shipped.files(run, 3) == [f"{folder}/curve.jsonl", f"{folder}/entropy.csv"]
    assert not shipped.files(planned("2×TRIL, K=5"), 0)
    other = planned("2×TRIL, K=5", name="run", corpus="mine")
    assert shipped.files(other, 3, of_tables=True) == [f"{folder}/curve.jsonl", f"{folder}/entropy.csv"]
    # The same label in another table and of another data set.
    assert not shipped.files(planned("2×TRIL, K=10", table=2), 0)
    assert not shipped.files(planned("2×TRIL, K=10", original="other"), 0)


def test_finished_files_exist_and_belong_to_evaluated_seeds(shipped, tmp_path):
    run = planned("2×TRIL, K=10", seeds=(0, 1, 2))
    written = {0: ("spec.json", "metrics.json", "curve.jsonl"), 1: ("spec.json", "curve.jsonl")}
    content = {"spec.json": '{"model": {}, "training": {}}', "metrics.json": '{"settings": {"a": null}}'}
    for seed, names in written.items():
        folder = tmp_path / run.path / f"seed{seed}"
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).write_text(content.get(name, ""))
    curve = tmp_path / run.path / "seed0" / "curve.jsonl"
    assert shipped.finished_files([run], tmp_path) == [curve]
    # Without a checkpoint, times have no meaning; with one, the curve is that of a previous training.
    os.utime(curve, (1, 1))
    assert shipped.finished_files([run], tmp_path) == [curve]
    (curve.parent / "checkpoint").mkdir()
    assert shipped.finished_files([run], tmp_path) == []


def test_each_pair_and_metric_has_one_comparison(write, published):
    claim = load_one(
        write(metrics=["ce_train", "ce_test"], of=[["TRIL, K=5", "TRIL"], ["2×TRIL, K=5", "2×TRIL"]]),
        published,
    )
    assert signed_rows(claim) == ["+TRIL, K=5 -TRIL"] * 2 + ["+2×TRIL, K=5 -2×TRIL"] * 2
    assert [comparison.places[0].metric for comparison in claim.comparisons] == ["ce_train", "ce_test"] * 2
    assert {comparison.side for comparison in claim.comparisons} == {Side.BELOW}
    assert {comparison.unit for comparison in claim.comparisons} == {"nats/word"}
    assert claim.predicate == "ce_train, ce_test: TRIL, K=5 < TRIL; 2×TRIL, K=5 < 2×TRIL"


def test_chain_has_one_comparison_per_step_and_bounds_at_its_ends(write, published):
    rising = load_one(write(kind="rising", of=[[0, "TRIL", "TRIL, K=5", 20.5]]), published)
    assert signed_rows(rising) == ["+0.0 -TRIL", "+TRIL -TRIL, K=5", "+TRIL, K=5 -20.5"]
    assert {comparison.side for comparison in rising.comparisons} == {Side.BELOW}
    assert rising.predicate == "ce_test: 0 < TRIL < TRIL, K=5 < 20.5"
    falling = load_one(write(kind="falling", of=[["TRIL", "TRIL, K=5"]]), published)
    assert {comparison.side for comparison in falling.comparisons} == {Side.ABOVE}


def test_difference_of_differences(write, published):
    claim = load_one(
        write(kind="difference", of=[[["TRIL", "TRIL, K=5"], ["TRIL, K=5", "TRIL, K=10"]]]), published
    )
    assert signed_rows(claim) == ["+TRIL -TRIL, K=5 -TRIL, K=5 +TRIL, K=10"]
    assert claim.comparisons[0].side is Side.ABOVE
    assert claim.predicate == "ce_test: TRIL − TRIL, K=5 > TRIL, K=5 − TRIL, K=10"


def test_absolute_and_relative_margins(write, published):
    absolute = load_one(write(kind="near", margin=0.5), published)
    assert (absolute.comparisons[0].margin, absolute.comparisons[0].share_of) == (0.5, None)
    assert absolute.predicate == "ce_test: TRIL, K=5 ≈ TRIL, within 0.5"
    share = load_one(write(margin="2.5%"), published)
    assert share.comparisons[0].margin == 0.025
    assert share.comparisons[0].share_of.row == "TRIL"
    assert share.predicate == "ce_test: TRIL, K=5 < TRIL, by more than 2.5%"


def test_name_for_several_rows_is_not_compared_with_the_row_itself(write, published):
    top = {"rows": {"all": ["TRIL", "TRIL, K=2", "TRIL, K=5"]}}
    claim = load_one(write(top, of=[["TRIL, K=5", "all"]]), published)
    assert signed_rows(claim) == ["+TRIL, K=5 -TRIL", "+TRIL, K=5 -TRIL, K=2"]
    assert claim.predicate == "ce_test: TRIL, K=5 < all"


def test_name_means_the_same_row_within_a_comparison(write, published):
    top = {"rows": {"each": {"ptb": ["sVAE (16)", "sVAE (128)"], "yahoo": "sVAE (32) + kl"}}}
    claims = load(
        write(
            top,
            paper="sentences",
            tables={"ptb": 2, "yahoo": 4},
            metrics=None,
            of=[[{"row": "each", "metric": "nll_elbo"}, {"row": "each", "metric": "nll_melbo"}]],
        ),
        published,
    ).claims
    assert [claim.id for claim in claims] == ["mine/ptb", "mine/yahoo"]
    assert [signed_rows(claim) for claim in claims] == [
        ["+sVAE (16) -sVAE (16)", "+sVAE (128) -sVAE (128)"],
        ["+sVAE (32) + kl -sVAE (32) + kl"],
    ]
    assert claims[1].predicate == "sVAE (32) + kl: nll_elbo < nll_melbo"
    assert {place.table for claim in claims for place in claim.places} == {2, 4}


def test_cell_overrides_table_and_metric_of_the_claim(write, published):
    claim = load_one(
        write(
            tables={"bookscorpus": 2},
            of=[["2×TRIL, K=5", {"row": "2×TRIL, K=5", "table": 1, "metric": "ce_train"}]],
        ),
        published,
    )
    assert [(p.table, p.metric) for p in claim.comparisons[0].places] == [(2, "ce_test"), (1, "ce_train")]
    assert claim.predicate == "ce_test: 2×TRIL, K=5 < ce_train of 2×TRIL, K=5 in Table 1"


def test_planned_and_unprinted_rows_are_accepted(write, published):
    changes = {"of": [["TRIL, K=3", "TRIL"]]}
    with pytest.raises(UserError, match="has no row 'TRIL, K=3'"):
        load(write(**changes), published)
    assert load(write(**changes), published, [planned("TRIL, K=3")]).claims
    with pytest.raises(UserError, match="has no row 'TRIL, K=3'"):
        load(write(**changes), published, [planned("TRIL, K=3", table=2)])
    assert load(write({"unprinted": ["TRIL, K=3"]}, **changes), published).claims


SENTENCES = {"paper": "sentences", "tables": {"ptb": 2}, "metrics": None}
WRONG = [
    ({"kind": "smaller"}, 'kind cannot be "smaller"; valid: '),
    ({"kind": "lesser"}, "kind cannot be \"lesser\"; did you mean 'less'?"),
    ({"metric": "ce_test"}, "unknown key 'metric' in claim 'mine'; did you mean 'metrics'"),
    ({"of": None}, "of is missing"),
    ({"tables": {}}, "tables: "),
    ({"margin": "five"}, 'margin must be a number, or a percentage such as 5%, not "five"'),
    ({"of": [["TRIL, K=55", "TRIL"]]}, "has no row 'TRIL, K=55' on 'bookscorpus'; did you mean 'TRIL, K=5'"),
    ({"metrics": ["ce_tset"]}, "has no metric 'ce_tset'; did you mean 'ce_test'"),
    ({"metrics": None}, "the row 'TRIL, K=5' has no metric"),
    ({"tables": {"bookscorpus": 3}}, "Table 3 of the words paper has no data set 'bookscorpus'"),
    ({"tables": {"ptb": 1}}, "Table 1 of the words paper has no data set 'ptb'; valid: 'bookscorpus'"),
    ({"of": [["TRIL", "TRIL, K=2", "TRIL, K=5"]]}, "kind less compares 2 things, not 3"),
    ({"of": [[["TRIL", "TRIL, K=2"], ["TRIL", "TRIL, K=5"]]]}, "kind less compares rows, not lists of rows"),
    ({"kind": "difference"}, "kind difference compares two lists of rows"),
    (
        {"kind": "difference", "of": [[["TRIL"], ["TRIL", "TRIL, K=5"]]]},
        "kind difference compares two pairs of rows",
    ),
    ({"kind": "near"}, "kind near needs a margin"),
    ({"kind": "rising", "margin": 1}, "kind rising takes no margin"),
    ({"of": [["TRIL", "TRIL"]]}, "it compares a row only with itself"),
    ({"of": [[1, 2]]}, "a comparison of numbers needs at least one row"),
    (
        {"of": [["TRIL", {"row": "TRIL", "metric": "unique"}]]},
        "ce_test and unique differ in unit: nats/word and share",
    ),
    (
        {"of": [["TRIL", {"row": "TRIL", "metrics": "unique"}]]},
        "unknown key 'metrics' in claim 'mine': of.0.1; did you mean 'metric'",
    ),
    (
        SENTENCES | {"of": [[{"row": "some", "metric": "kld"}, 1]], "tables": {"yelp15": 3}},
        "the name 'some' has no row on 'yelp15'; valid: 'ptb'",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), WRONG, ids=[str(i) for i in range(len(WRONG))])
def test_error_message_names_the_claim(write, papers, published, changes, sentence):
    papers = write({"rows": {"some": {"ptb": "sVAE (16)"}}}, **changes)
    with pytest.raises(UserError) as error:
        load(papers, published)
    text = str(error.value)
    (paper,) = papers.values()
    assert text.startswith(f"{paper.claims}: ")
    assert "claim 'mine'" in text
    assert sentence in text
    assert "\n" not in text


def test_ids_are_unique(write, published):
    (entry,) = yaml.safe_load(write()["words"].claims.read_text(encoding="utf-8"))["claims"]
    with pytest.raises(UserError, match="claim 'mine' occurs twice"):
        load(write({"claims": [entry, entry]}), published)


def test_claim_without_id_is_named_by_its_number(write, published):
    with pytest.raises(UserError, match="claim number 1: id is missing"):
        load(write(id=None), published)


def test_missing_or_invalid_file_is_rejected(papers, published, tmp_path):
    path, words = tmp_path / "claims.yaml", {"words": replace(papers["words"], folder=tmp_path)}
    with pytest.raises(UserError, match=r"cannot read .*claims\.yaml"):
        load(words, published)
    path.write_text("claims:\n  - {id: a\n  - b: c\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"claims.yaml, line \d is neither YAML nor JSON"):
        load(words, published)
    path.write_text("", encoding="utf-8")
    with pytest.raises(UserError, match=r"claims.yaml has no keys with values"):
        load(words, published)


def test_declared_column_without_printed_numbers_is_accepted(write, published):
    changes = {"metrics": ["distinct"]}
    with pytest.raises(UserError, match="has no metric 'distinct'"):
        load(write(**changes), published)
    words = write(**changes)["words"]
    table = replace(words.tables[1], columns=(*words.tables[1].columns, "distinct"))
    (claim,) = load({"words": replace(words, tables={1: table})}, published).claims
    assert claim.comparisons[0].unit == "share"
