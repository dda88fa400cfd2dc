"""The published numbers, checked by counts and by the identities between them."""

import math
import re
from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from textlvm.reporting import published as printed
from textlvm.runtime.errors import UserError

TEST_SENTENCES = {"ptb": 3761, "yelp15": 10_000, "yahoo": 10_000, "wikitext-103": 2185}
SIZES = {"ptb": (16, 128, 512), "yelp15": (32, 512, 1024), "yahoo": (32, 512, 1024)}


@pytest.fixture
def of_papers(published):
    return [p for p in published if p.source == "paper"]


@pytest.fixture
def sentences(of_papers):
    """Values of the sentences paper by (table, data set, row) and metric."""
    return by_row(p for p in of_papers if p.paper == "sentences")


@pytest.fixture
def demo(published):
    """Values of the demo of the same authors, by the same keys."""
    return by_row(p for p in published if p.source == "demo")


def by_row(values):
    found = defaultdict(dict)
    for p in values:
        found[p.table, p.dataset, p.row][p.metric] = p
    return found


def numbered(words, sentences):
    """Counts by paper and number of the table."""
    counts = {"words": words, "sentences": sentences}
    return {(paper, i): count for paper in counts for i, count in enumerate(counts[paper], 1)}


def test_number_of_rows_by_table(published):
    rows = {(p.paper, p.table, p.dataset, p.row) for p in published}
    counts = Counter((paper, table) for paper, table, *_ in rows)
    assert counts == numbered([12, 2], [5, 11, 8, 8, 6, 18, 18, 6])


def test_number_of_values_by_table(papers, of_papers):
    # Counted by hand: cells with a number; a value with its standard deviation or bound is one.
    columns = Counter(
        (p.paper, p.table) for p in of_papers if p.metric in papers[p.paper].tables[p.table].columns
    )
    assert columns == numbered([57, 8], [30, 48, 38, 38, 21, 18, 18, 12])
    printed_metrics = {(p.paper, p.table, p.metric) for p in of_papers}
    beside = {key for key in printed_metrics if key[2] not in papers[key[0]].tables[key[1]].columns}
    matching = {("sentences", table, "matching_samples") for table in (2, 3, 4)}
    assert beside == {("words", 1, "entropy_test")} | matching


def test_keys_are_unique(published):
    assert len({(p.source, p.key) for p in published}) == len(published)


def test_values_have_no_more_than_the_printed_digits(published):
    for p in published:
        assert round(p.value, p.digits) == pytest.approx(p.value, rel=1e-12), p


def test_every_column_has_printed_numbers_and_a_heading(papers, of_papers):
    for paper in papers.values():
        for table in paper.tables.values():
            columns = {p.metric for p in of_papers if (p.paper, p.table) == (paper.name, table.number)}
            assert set(table.columns) <= columns
            assert all(paper.metric(name).heading for name in table.columns)


def test_published_values_cover_all_data_sets(papers, published):
    for paper in papers.values():
        assert {p.dataset for p in published if p.paper == paper.name} == set(paper.datasets)


def test_metrics_with_a_printed_spread(of_papers):
    with_spread = {p.metric for p in of_papers if p.spread is not None}
    assert with_spread == {"ppl_elbo", "ppl_melbo", "p_at_1", "mrr"}
    own_ppl = [p for p in of_papers if p.metric in ("ppl_elbo", "ppl_melbo")]
    assert all(p.spread is not None and p.bound == "upper" and p.kind == "own" for p in own_ppl)


def test_elbo_and_melbo_differ_by_kld_and_log_n(sentences):
    """NLL_ELBO - NLL_MELBO = KLD - log N, by (11) and (16); it shows which of two lines has the star."""
    checked = 0
    for (_, dataset, row), values in sentences.items():
        if {"nll_elbo", "nll_melbo", "kld"} <= values.keys():
            left = values["nll_elbo"].value - values["nll_melbo"].value
            right = values["kld"].value - math.log(TEST_SENTENCES[dataset])
            # Three numbers with two decimals; KLD is a separate estimate.
            assert abs(left - right) < 0.0205, (dataset, row)
            checked += 1
    assert checked == 10


def test_nll_over_log_perplexity_is_constant_per_data_set(sentences):
    """NLL / ln PPL is the number of counted tokens per sentence, a constant of the data set."""
    constants = defaultdict(list)
    for (_, dataset, _), values in sentences.items():
        for bound in ("elbo", "melbo"):
            if f"ppl_{bound}" in values:
                nats = values[f"nll_{bound}"].value
                constants[dataset].append(nats / math.log(values[f"ppl_{bound}"].value))
    expected = {"ptb": 22.70, "yelp15": 99.35, "yahoo": 74.15, "wikitext-103": 109.3}
    assert constants.keys() == expected.keys()
    for dataset, found in constants.items():
        assert found == pytest.approx([expected[dataset]] * len(found), rel=2e-3), dataset
    assert sum(map(len, constants.values())) == 34


def test_bleu_in_table_7_equals_tables_2_to_4(sentences):
    for table, dataset in ((2, "ptb"), (3, "yelp15"), (4, "yahoo")):
        for size, dim in zip("SML", SIZES[dataset], strict=True):
            table_7 = sentences[7, dataset, f"sMIM ({size})"]["bleu1"]
            assert table_7.value == sentences[table, dataset, f"sMIM ({dim})"]["bleu1"].value


def test_entropy_of_standard_normal(sentences):
    """N(S) and N(M) are d/2 (1 + log 2 pi), truncated (not rounded) to two decimals."""
    for dataset, dims in SIZES.items():
        for size, dim in zip("SM", dims, strict=False):
            exact = dim / 2 * (1 + math.log(2 * math.pi))
            value = sentences[6, dataset, f"N({size})"]["latent_entropy"].value
            assert value == pytest.approx(math.floor(100 * exact) / 100)


def test_data_set_sizes_of_table_1(sentences):
    sizes = {
        dataset: {m: p.value for m, p in v.items()} for (t, dataset, _), v in sentences.items() if t == 1
    }
    assert {dataset: v["vocabulary"] for dataset, v in sizes.items()} == {
        "ptb": 9877,
        "yahoo": 37165,
        "yelp15": 19730,
        "wikitext-103": 89247,
        "everything": 105965,
    }
    assert {dataset: sizes[dataset]["test"] for dataset in TEST_SENTENCES} == TEST_SENTENCES
    parts = [sizes[d] for d in TEST_SENTENCES]
    # The printed union is one sentence smaller than the sum of its parts; its test set (25,946) does not fit.
    assert sum(p["train"] for p in parts) - sizes["everything"]["train"] == 1
    assert sum(p["valid"] for p in parts) - sizes["everything"]["valid"] == 1
    assert max(p["vocabulary"] for p in parts) < sizes["everything"]["vocabulary"]


def test_words_table_1_is_consistent(published):
    values = {(p.row, p.metric): p.value for p in published if (p.paper, p.table) == ("words", 1)}
    rows = {row for row, _ in values}
    # A cross entropy is at least the entropy of the same words.
    assert all(values[row, "ce_train"] >= values["ORACLE", "ce_train"] for row in rows)
    assert all(values[row, "ce_test"] >= values["ORACLE", "entropy_test"] for row in rows)
    below = [row for row in rows if values[row, "ce_test"] < values[row, "ce_train"]]
    assert below == ["2×TRIL, K=10, BIDI"]
    assert {row for row in rows if (row, "h_gap") not in values} == {"BASELINE-8D", "BASELINE-16D", "ORACLE"}


def test_rows_of_the_demo(demo, sentences):
    assert {(table, row) for table, _, row in demo} == {
        *((2, f"{model} ({dim})") for model in ("sVAE", "sMIM") for dim in SIZES["ptb"]),
        *((7, f"{model} ({size})") for model in ("sMIM", "AE") for size in "SML"),
    }
    assert {dataset for _, dataset, _ in demo} == {"ptb"}
    for key, values in demo.items():
        assert all(value.bound == sentences[key][metric].bound for metric, value in values.items())
    for size, dim in zip("SML", SIZES["ptb"], strict=True):
        collected, of_run = demo[7, "ptb", f"sMIM ({size})"], demo[2, "ptb", f"sMIM ({dim})"]
        assert collected["bleu1"].value == of_run["bleu1"].value


def test_nll_over_log_perplexity_of_demo_equals_the_paper(demo):
    """Both count 22.70 tokens per sentence, the words and one more: they share an evaluation."""
    bounds = [
        (v[f"nll_{b}"], v[f"ppl_{b}"]) for v in demo.values() for b in ("elbo", "melbo") if f"nll_{b}" in v
    ]
    found = [nll.value / math.log(ppl.value) for nll, ppl in bounds]
    assert found == pytest.approx([22.70] * 6, rel=1e-3)


def test_half_unit(published):
    half = {p.key: p.half_unit for p in published if p.source == "paper"}
    assert half["words", 1, "bookscorpus", "standard", "TRIL", "ce_train"] == pytest.approx(0.005)
    assert half["words", 1, "bookscorpus", "standard", "ORACLE", "ce_train"] == pytest.approx(0.05)
    assert half["sentences", 1, "yahoo", "standard", "Yahoo", "valid"] == pytest.approx(500)


HEADER = ",".join(printed.COLUMNS)
LINE = "1,TRIL,own,bookscorpus,standard,ce_train,11.88,2,,,paper,Table 1,"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["table,row", LINE], "line 1: the columns must be"),
        ([HEADER, LINE.replace("11.88", "11,88")], "line 2: 14 fields"),
        ([HEADER, LINE.replace("11.88", "eleven")], "line 2: .*'eleven'"),
        ([HEADER, LINE.replace("own", "ours")], "line 2: kind cannot be 'ours'; valid: 'own', 'quoted'"),
        ([HEADER, LINE.replace("1,TRIL", "9,TRIL")], "table cannot be '9'; valid: '1', '2'"),
        ([HEADER, LINE.replace("ce_train", "ce_tran")], "metric cannot be 'ce_tran'; did you mean 'ce_tr"),
        ([HEADER, LINE.replace("bookscorpus", "books")], "dataset cannot be 'books'; did you mean 'books"),
        ([HEADER, LINE.replace(",paper", ",blog")], "source cannot be 'blog'"),
        ([HEADER, LINE, LINE], "ce_train occurs 2 times"),
        ([HEADER, LINE.replace(",paper", ",demo")], "ce_train has only the demo's value; add a line"),
    ],
)
def test_malformed_file_is_rejected(papers, tmp_path, lines, message):
    (tmp_path / "published.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(UserError, match=message):
        printed.read({"words": replace(papers["words"], folder=tmp_path)})


@pytest.mark.parametrize("content", ["ü".encode("latin-1"), b'"' + b"a" * 200_000])
def test_error_names_the_file_that_is_not_csv_in_utf_8(papers, tmp_path, content):
    path = tmp_path / "published.csv"
    path.write_bytes(HEADER.encode() + b"\n" + content)
    with pytest.raises(UserError, match=rf"^{re.escape(str(path))} is not a CSV file in UTF-8 \("):
        printed.read({"words": replace(papers["words"], folder=tmp_path)})


def test_error_names_the_missing_file(papers, tmp_path):
    with pytest.raises(UserError, match=r"nowhere/published\.csv"):
        printed.read({"words": replace(papers["words"], folder=tmp_path / "nowhere")})
