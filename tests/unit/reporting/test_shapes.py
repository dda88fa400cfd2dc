import csv
import io
import math
import re
from dataclasses import replace
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plans
from hostile import HOSTILE
from textlvm.estimate import exact
from textlvm.experiment.declarations import Table
from textlvm.reporting import html, shapes
from textlvm.reporting.assembly import build
from textlvm.reporting.markup import latex
from textlvm.reporting.runs import Result
from textlvm.reporting.verdict import Measurement
from textlvm.runtime.errors import UserError

UNITS = {"distinct": "share", "ce_train": "nats/word", "h_gap": "nats", "undeclared": "nats"}


def planned(row="TRIL", **changes):
    return plans.planned(row, **{"corpus": "gutenberg", "corpus_title": "Gutenberg & friends"} | changes)


def results(row, *seeds, **settings):
    """One result per seed, with the values of the seed by metric."""
    return {
        row.key: [
            Result(
                *(row.paper, row.corpus, row.split, row.name, seed, f"{row.name}/{seed}.json"),
                metrics={m: exact(v, UNITS[m]) for m, v in values.items()},
                settings=settings,
            )
            for seed, values in enumerate(seeds)
        ]
    }


def shaped(papers, published, plan, found, table=1, paper="words", corpus="gutenberg"):
    return shapes.shape(build(table, papers, published, plan, found), papers[paper], table, corpus)


def markdown_rows(text):
    """Rows of all Markdown tables by their first cell; of equal first cells, the first row."""
    rows = {}
    for line in text.splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if cells[0].startswith(":-"):
                continue
            rows.setdefault(cells[0], cells[1:])
    return rows


def test_row_shows_reproduced_and_published_values(papers, published):
    row = planned()
    three = results(row, *[{"ce_train": value} for value in (11.8, 11.9, 12.0)])
    rows = markdown_rows(shapes.as_markdown(shaped(papers, published, [row], three)))
    assert rows["TRIL"][:6] == ["11.90 ± 0.10 ✓", "11.88", "not run", "11.93", "not run", "0.11"]
    assert rows["Model"][:2] == ["H[P_train, P̂] (nats/word)", "paper"]
    assert rows["BASELINE-8D"][-2:] == ["–", "–"]
    assert len(rows) == 12 + 1


def test_verdict_marks_and_their_legend(papers, published):
    row = planned()
    one = shaped(papers, published, [row], results(row, {"ce_train": 99.0}))
    assert markdown_rows(shapes.as_markdown(one))["TRIL"][0] == "99.00 ?"
    assert "from one seed" in shapes.as_markdown(one)
    three = shaped(papers, published, [row], results(row, *[{"ce_train": v} for v in (98.9, 99.0, 99.1)]))
    assert markdown_rows(shapes.as_markdown(three))["TRIL"][0] == "99.00 ± 0.10 ✗"
    assert "undecided" in shapes.as_markdown(three)


def test_stand_in_is_named_in_the_title_and_has_no_marks(papers, published):
    row = planned(stand_in=True)
    text = shapes.as_markdown(shaped(papers, published, [row], results(row, {"ce_train": 11.88})))
    assert text.startswith(
        "# Table 1 of Schmidt & Hofmann (2018), standard split, "
        "on Gutenberg & friends, a stand-in for BooksCorpus\n"
    )
    assert markdown_rows(text)["TRIL"][0] == "11.88"
    assert not re.search("[✓✗]", text)
    assert "without a verdict" in text


def test_notes_contain_evaluation_settings(papers, published):
    row, other = planned(), planned("DIAG")
    found = results(row, {"ce_train": 12.0}, trajectories=65536, samples=10000, threads=1)
    text = shapes.as_markdown(shaped(papers, published, [row, other], found))
    assert "K = 65,536 trajectories" in text
    assert "N = 10,000 sampled words" in text
    assert "threads" not in text
    found |= results(other, {"ce_train": 12.0}, trajectories=64)
    text = shapes.as_markdown(shaped(papers, published, [row, other], found))
    assert "K = 64 trajectories for the cross entropies (DIAG)" in text


def test_rows_with_the_same_reason_share_a_note(papers, published):
    notes = shaped(papers, published, [planned(), planned("ORACLE")], {}).notes
    rest = [row for row in shaped(papers, published, [planned()], {}).rows if row not in ("TRIL", "ORACLE")]
    assert notes == (f"{', '.join(rest)}: not in the plan",)


def test_extra_rows_and_metrics_are_shown(papers, published):
    row = planned("DIAG|x")
    nothing = shaped(papers, published, [row], {})
    assert markdown_rows(shapes.as_markdown(nothing))["DIAG\\|x"][:2] == ["not run", "–"]
    values = {"ce_train": 13.0, "distinct": 0.5, "undeclared": 1.0}
    table = shaped(papers, published, [row], results(row, values))
    assert table.extras == ("entropy_test", "distinct")
    # A metric that paper.yaml does not declare is only in metrics.json and in the tidy table.
    text = shapes.as_markdown(table)
    assert "undeclared" not in text
    assert markdown_rows(text)["DIAG\\|x"][0] == "13.00"
    second = text.split("Further numbers")[1]
    assert set(markdown_rows(second)) == {"Model", "ORACLE", "DIAG\\|x"}


def test_bounds_spreads_and_quoted_rows_are_shown(papers, published):
    row = planned("sMIM (512)", paper="sentences", table=2, corpus="ptb", dataset="ptb")
    table = shaped(papers, published, [row], {}, 2, "sentences", "ptb")
    assert table.columns == (
        "ppl_elbo", "ppl_melbo", "nll_elbo", "nll_melbo", "kld", "bleu1", "parameters", "ppl", "nll",
    )  # fmt: skip
    rows = markdown_rows(shapes.as_markdown(table))
    assert rows["Model"][:3] == ["PPL\\* (per word)", "paper", "demo"]
    assert rows["sVAE (16)"][:5] == ["not run", "≤ 110.72 ± 0.12", "≤ 113.14", "not run", "≤ 148.18 ± 0.11"]
    assert rows["GPT-2 full†"][-6:-2] == ["–", "1542", "–", "35.76"]
    assert "2.0e+09" in shapes.as_markdown(table)


def test_unknown_corpus_or_table_is_rejected(papers, published):
    cells = build(1, papers, published, [planned()], {})
    with pytest.raises(UserError, match="no words table 1 on corpus 'gutenburg'; did you mean 'gutenberg'"):
        shapes.shape(cells, papers["words"], 1, "gutenburg")
    with pytest.raises(UserError, match="no sentences table 1 on corpus 'ptb'; the plan has it on no corpus"):
        shapes.shape(cells, papers["sentences"], 1, "ptb")


@pytest.mark.parametrize(
    ("spreads", "decimals"),
    [([0.1], 2), ([0.004], 3), ([1e-7], 4), ([1e-15], 2), ([3.0], 2), ([0.004, 0.1, 0.2], 2)],
)
def test_decimals_depend_on_printed_digits_and_spread(papers, published, spreads, decimals):
    names = ["TRIL", "TRIL, K=2", "TRIL, K=5"]
    plan = [planned(name) for name in names[: len(spreads)]]
    cells = build(1, papers, published, plan, {})
    spread_of = dict(zip(names, spreads, strict=False))
    cells = [
        replace(c, measured=Measurement(11.0, None, None, spread_of.get(c.row), None, ((0, 11.0),)))
        for c in cells
    ]
    assert shapes.shape(cells, papers["words"], 1, "gutenberg").decimals("ce_train") == decimals


def test_latex_is_balanced_and_escaped(papers, published):
    plan = [planned(), planned("A_1 & 50% #2 {x} ~^\\")]
    table = shaped(papers, published, plan, results(plan[0], {"ce_train": 11.8}, {"ce_train": 12.0}))
    text = shapes.as_latex(table)
    assert r"A\_1 \& 50\% \#2 \{x\} \textasciitilde{}\textasciicircum{}\textbackslash{}" in text
    assert r"2$\times$TRIL" in text
    assert r"\caption{Table 1 of Schmidt \& Hofmann (2018)" in text
    bare = re.sub(r"\\[&%$#_{}\\]", "", text)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert not re.search(r"[×±≤†–✓✗²]", text)
    assert re.findall(r"\\(?:begin|end)\{(\w+)\}", text) == ["table", "tabular", "tabular", "table"]
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0]
    lines = [line for line in body.splitlines() if line.strip()]
    assert len(lines) == 13
    for line in lines:
        assert len(re.findall(r"(?<!\\)&", line)) == 10
    # Only commands of booktabs and amsmath are used.
    assert r"\toprule" in text
    assert r"\checkmark" not in text


def test_labels_and_titles_are_shown_literally(papers, published):
    plan = [planned(label, corpus_title=HOSTILE[0]) for label in HOSTILE]
    table = shaped(papers, published, plan, results(plan[0], {"ce_train": 11.8}))
    page = html.page(shapes.as_markdown(table))
    body = page.partition("<body>")[2]
    cells = [re.sub("<[^>]+>", "", cell) for cell in re.findall("<td.*?</td>", body)]
    assert {unescape(cell) for cell in cells} >= set(HOSTILE)
    assert f", on {HOSTILE[0]}</h1>" in body
    text = shapes.as_latex(table)
    assert text.isascii()
    for label in HOSTILE:
        assert f"\n{latex(label)} & " in text


def test_unpublished_metric_can_be_a_column(papers, published):
    words = papers["words"]
    columns = (*words.tables[1].columns, "distinct")
    metric = replace(words.metrics["distinct"], heading="distinct words", latex="$d$", digits=3)
    tables, metrics = {1: Table(1, "corpus", columns)}, {**words.metrics, "distinct": metric}
    other = replace(words, tables=tables, metrics=metrics)
    row = planned()
    cells = build(1, papers, published, [row], results(row, {"ce_train": 11.8, "distinct": 0.51234}))
    table = shapes.shape(cells, other, 1, "gutenberg")
    assert table.columns == columns
    assert "distinct" not in table.extras
    text = shapes.as_markdown(table)
    assert "distinct words (share)" in text
    assert "0.512" in markdown_rows(text)["TRIL"]
    assert r"\multicolumn{2}{c}{$d$}" in shapes.as_latex(table)
    assert shapes.shape(cells, words, 1, "gutenberg").extras == ("entropy_test", "distinct")


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(0.001, 1e4), min_size=1, max_size=3),
    st.sampled_from(["ce_train", "h_gap", "distinct"]),
)
def test_csv_is_exact_and_markdown_is_rounded(papers, published, values, metric):
    """CSV contains the exact numbers, Markdown those rounded to the column's decimals."""
    row = planned()
    table = shaped(papers, published, [row], results(row, *[{metric: v} for v in values]))
    mean = math.fsum(values) / len(values)
    line = next(line for line in csv.DictReader(io.StringIO(shapes.as_csv(table))) if line["row"] == "TRIL")
    assert float(line[metric]) == mean
    assert (line[f"{metric}_spread"] == "") == (len(values) == 1)
    published_value = {"ce_train": 11.88, "h_gap": 1.07}.get(metric)
    if published_value:
        assert float(line[f"{metric}_published"]) == published_value
        assert float(line[f"{metric}_difference"]) == mean - published_value
    section = shapes.as_markdown(table).split("Further numbers")[metric == "distinct"]
    index = 2 if metric == "distinct" else 2 * table.columns.index(metric)
    text = markdown_rows(section)["TRIL"][index]
    decimals = table.decimals(metric)
    assert abs(float(text.split()[0]) - mean) <= 0.5001 * 10.0**-decimals


def test_csv_has_one_line_per_row(papers, published):
    table = shaped(papers, published, [planned(), planned("DIAG")], {})
    lines = list(csv.DictReader(io.StringIO(shapes.as_csv(table))))
    assert [line["row"] for line in lines] == list(table.rows)
    assert {line["ce_train_verdict"] for line in lines} == {"not run", ""}


def sentences_table(papers, published, table, rows):
    """A table of the sentences paper without results; `rows` are pairs of data set and label."""
    common = {"paper": "sentences", "table": table, "seeds": (0,)}
    plan = [
        plans.planned(row, **common, dataset=name, corpus=name, corpus_title=name.upper())
        for name, row in rows
    ]
    return shapes.shape(build(table, papers, published, plan, {}), papers["sentences"], table)


def test_data_sets_with_common_rows_become_rows(papers, published):
    table = sentences_table(papers, published, 7, [("ptb", "sMIM (S)"), ("yahoo", "AE (L)")])
    assert table.rows == ("Penn Treebank", "Yelp15", "Yahoo Answers")
    assert table.columns == ("sMIM (S)", "sMIM (M)", "sMIM (L)", "AE (S)", "AE (M)", "AE (L)")
    assert table.cell("Yahoo Answers", "AE (L)").printed.value == 0.394
    text = shapes.as_markdown(table)
    assert text.startswith("# Table 7 of Livne, Swersky & Fleet (2020)\n")
    assert "| Data " in text
    assert "- Penn Treebank: PTB" in text
    assert "tab:sentences-7}" in shapes.as_latex(table)


def test_table_of_data_set_sizes_keeps_its_columns(papers, published):
    table = sentences_table(papers, published, 1, [("ptb", "PTB"), ("everything", "Everything")])
    assert table.rows == ("PTB", "Yahoo", "Yelp15", "WikiText-103", "Everything")
    assert table.columns == ("train", "valid", "test", "vocabulary", "words_mean", "words_sd")


def test_title_names_the_corpus_of_a_table_with_one_data_set(papers, published):
    table = sentences_table(papers, published, 2, [("ptb", "sMIM (16)")])
    assert table.title == "Table 2 of Livne, Swersky & Fleet (2020), on PTB"
    assert table.stub == "Model"


def test_metrics_with_demo_values_have_a_demo_column(papers, published):
    table = sentences_table(papers, published, 2, [("ptb", "sMIM (512)")])
    with_demo = {"ppl_elbo", "ppl_melbo", "nll_elbo", "nll_melbo", "bleu1"}
    assert {metric for metric in table.columns if table.has_demo(metric)} == with_demo
    lines = {line["row"]: line for line in csv.DictReader(io.StringIO(shapes.as_csv(table)))}
    assert {name.removesuffix("_demo") for name in lines["sMIM (512)"] if name.endswith("_demo")} == with_demo
    assert (lines["sMIM (512)"]["nll_melbo_demo"], lines["sMIM (512)"]["nll_elbo_demo"]) == ("66.9", "")
    text = shapes.as_markdown(table)
    assert markdown_rows(text)["sMIM (512)"].count("≤ 66.9") == 1
    assert markdown_rows(text)["Model"].count("demo") == len(with_demo)
    latex = shapes.as_latex(table)
    assert rf"\begin{{tabular}}{{l{'r' * (2 * len(table.columns) + len(with_demo))}}}" in latex
    assert r"$\le$ 66.9" in latex


def test_table_of_one_metric_has_a_demo_column(papers, published):
    table = sentences_table(papers, published, 7, [("ptb", "AE (L)")])
    assert markdown_rows(shapes.as_markdown(table))["Penn Treebank"][-3:] == ["not run", "0.637", "0.5745"]
    # The demo has no number of Table 6.
    assert "demo" not in shapes.as_markdown(sentences_table(papers, published, 6, [("ptb", "AE (S)")]))
