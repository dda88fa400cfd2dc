import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from plans import planned
from textlvm.experiment.serialization import from_json
from textlvm.reporting.fits import Fit, Interval
from textlvm.reporting.page import document, frame
from textlvm.reporting.page.plan import read_page_plan
from textlvm.runtime.errors import UserError

HOSTILE = "<script>document.title"
VOID = {"meta", "link", "img", "input", "br"}


class Parsed(HTMLParser):
    """Elements of a page with their attributes, and its text outside scripts and styles."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.words, self.scripts, self.open = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        (self.scripts if self.open[-1:] == ["script"] else self.words).append(data)

    def values(self, attribute):
        return [attributes[attribute] for _, attributes in self.elements if attribute in attributes]


@pytest.fixture
def parsed(experiment):
    return Parsed(experiment.page())


def test_elements_are_closed_and_anchors_are_unique(parsed):
    assert not parsed.open
    anchors = parsed.values("id")
    assert len(anchors) == len(set(anchors))
    links = {href.removeprefix("#") for href in parsed.values("href") if href.startswith("#")}
    assert links <= set(anchors)
    assert {"run/words/mine/standard/tril", "run/sentences/ptb/data", "table/sentences/2"} <= links


def test_cards_link_to_sections_of_runs(experiment, parsed):
    data = json.loads(re.search(r'id="data-cards">(.*?)</script>', experiment.page())[1])
    assert len(data["texts"]) == len(set(data["texts"]))
    anchors = {data["texts"][card[2]] for card in data["cards"]}
    assert "run/words/mine/standard/diag" in anchors
    assert anchors - {""} <= set(parsed.values("id"))
    assert {int(number) for number in parsed.values("data-card")} == set(range(len(data["cards"])))


def test_quantities_of_curves_have_the_labels_and_units_of_their_paper(experiment):
    page = experiment.page()
    quantities, curves = (
        json.loads(re.search(rf'id="data-{name}">(.*?)</script>', page)[1])
        for name in ("quantities", "curves")
    )
    assert quantities["words"]["h_gap"] == {"label": "entropy gap", "unit": "nats per symbol"}
    units = {
        anchor: quantities[run["paper"]]["loss"]["unit"]
        for anchor, run in curves.items()
        if anchor.endswith(("/tril", "/smim-512"))
    }
    assert units == {
        "run/words/mine/standard/tril": "nats per word",
        "run/sentences/ptb/smim-512": "nats per sentence",
    }


def test_page_has_no_external_references(parsed):
    places = [*parsed.values("src"), *parsed.values("href"), *parsed.values("srcset")]
    assert all(place.startswith(("#", "data:")) for place in places)
    assert not {"iframe", "object", "embed", "base"} & {tag for tag, _ in parsed.elements}
    assert not parsed.values("action")
    style = " ".join(parsed.words)
    assert not re.search(r"url\(|@import", style)


def test_security_policy_allows_only_the_scripts_of_the_page(parsed):
    policy = next(attributes["content"] for _, attributes in parsed.elements if "http-equiv" in attributes)
    assert "default-src 'none'" in policy
    scripts = [text for text in parsed.scripts if not text.startswith(("[", "{"))]
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes
    assert not [name for _, attributes in parsed.elements for name in attributes if name.startswith("on")]


def test_user_texts_are_escaped(experiment):
    page = experiment.page()
    assert "&lt;script&gt;document.title" in page
    assert HOSTILE not in page
    assert "<img src=x" not in page
    assert "MINE &lt;b&gt;" in page
    assert "the &lt;unk&gt; cat" in page
    assert "the loss became nan &lt;&amp;&gt;" in page
    for text in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page):
        assert not re.search("[<>&]", text)
        json.loads(text)


def test_page_is_deterministic(experiment):
    assert experiment.page() == experiment.page()


def test_stand_ins_and_unfinished_experiments_have_notices(experiment):
    text = " ".join(" ".join(Parsed(experiment.page()).words).split())
    assert (
        "Some numbers on this page are from stand-in corpora: other text replaces BooksCorpus. These" in text
    )
    assert "These cells (◇) show the reproduced and the printed number" in text
    assert "Unfinished." not in text
    experiment.plan["partial"] = True
    page = experiment.page()
    assert "Unfinished." in page
    assert "<code>snakemake --cores all</code> runs the missing jobs" in page


def test_notice_names_a_data_set_with_two_stand_ins_once(experiment):
    other = experiment.add(planned("TRIL", corpus="other", corpus_title="Other", stand_in=True))
    experiment.finish(other, {"ce_train": (11.9, "nats/word")})
    text = " ".join(experiment.page().split())
    assert "<strong>Stand-in corpora.</strong>" in text
    assert "other text replaces BooksCorpus. These" in text


def test_overview_names_papers_and_corpora(experiment):
    text = " ".join(" ".join(Parsed(experiment.page()).words).split())
    lead, _, rest = text.partition("Every printed number is shown with the reproduced one")
    assert "Deep State Space Models for Unconditional Word Generation , Schmidt & Hofmann (2018) and" in lead
    assert "SentenceMIM: A Latent Variable Language Model , Livne, Swersky & Fleet (2020):" in lead
    assert "The paper's data set Run on Schmidt & Hofmann (2018) BooksCorpus <script>" in rest
    assert "Livne, Swersky & Fleet (2020) Penn Treebank Penn Treebank" in rest


def test_claim_has_the_number_of_its_seeds_or_draws(experiment):
    assert "nats/word, 3 seeds<code>" in experiment.page()
    file = experiment.folder / "claims.csv"
    experiment.write("claims.csv", file.read_text(encoding="utf-8").replace(",seed,", ",draw,"))
    assert "nats/word, 3 draws<code>" in experiment.page()


def test_metrics_of_a_run_have_the_papers_headings(experiment):
    page = experiment.page()
    assert '<th scope="row">ce_train <small>H[P<sub>train</sub>, P̂]</small></th>' in page
    assert '<th scope="row">distinct</th>' in page


def test_page_without_results(empty):
    empty.add(planned("TRIL", corpus="mine"))
    page = empty.page()
    assert "Nothing has been trained yet." in page
    assert "Compare two runs" not in page
    assert "Claims" not in page


def test_figures_are_embedded_in_the_smaller_format(experiment):
    assert experiment.page().count("data:image/png;base64,") == 2
    experiment.write("sentences/figure4.svg", "<svg/>")
    page = experiment.page()
    assert page.count("data:image/png;base64,") == page.count("data:image/svg+xml;base64,PHN2Zy8+") == 1
    assert page.count('width="19" height="10"') == 2


def test_chart_library_is_the_published_version_with_its_licence(experiment):
    """uPlot 1.6.32 as published in its registry; a new version needs new digests and its licence."""
    digests = {
        "uplot.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
        "uplot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    }
    for name, digest in digests.items():
        assert hashlib.sha256((frame.ASSETS / name).read_bytes()).hexdigest() == digest
    assert "The MIT License (MIT)" in experiment.page()
    assert "Copyright (c) 2022 Leon Sorokin" in experiment.page()


def test_damaged_figure_or_text_is_rejected(experiment):
    experiment.write("sentences/table12.json", '{"table": 12}')
    with pytest.raises(UserError, match=r"table12.json has no 'title': .*--force .*json`"):
        experiment.page()
    experiment.write("words/mine/figure1.png", b"")
    with pytest.raises(UserError, match=r"cannot read the figure .*figure1\.png or \.svg"):
        experiment.page()


def test_page_with_many_runs_is_small(experiment, papers):
    cells, finished = experiment.cells(), from_json(experiment.entry("tril"))
    for number in range(30):
        copy = experiment.add(replace(finished, name=f"run{number}", rows=()))
        experiment.finish(copy, {"ce_train": (11.9, "nats/word")}, steps=900)
    assert len(document.render(papers, read_page_plan(experiment.plan), cells, [])) < 2e6


def test_headings_have_subscripts_and_are_escaped():
    assert frame.subscripts("H[P_train, <P>]") == "H[P<sub>train</sub>, &lt;P&gt;]"
    assert frame.subscripts("P_3-gram(w)") == "P<sub>3-gram</sub>(w)"


def test_texts_are_grouped_by_model(experiment):
    words = " ".join(" ".join(Parsed(experiment.page()).words).split())
    assert "the <unk> cat sMIM (512) mean m sample s perturbed p sMIM (1024)† mean m" in words
    assert "AE (512) mean m" in words
    assert "AE (512) mean m sample" not in words
    assert "from a to b sMIM (512) one two <i> sMIM (1024)† one two <i>" in words
    assert "why ? sMIM (512) short s medium m long l" in words


def test_readings_are_shown_only_if_given(papers, experiment):
    numbers = {"rms": Interval(0.25, 0.2, 0.31), "bias": Interval(-0.1), "rank": None}
    place = {"paper": "words", "table": 1, "dataset": "bookscorpus", "corpus": "mine", "column": "h_gap"}
    place |= {"corpus_title": "My books", "split": "standard"}
    texts = {"reading": "h_gap_bits", "compared": False, "computes": "in <bits>", "why": "the text says bits"}
    reading = Fit(**place, **texts, **numbers, rows=9, seeds=3)
    plan = read_page_plan(experiment.plan)
    page = document.render(papers, plan, experiment.cells(), [], [reading])
    assert '<a href="#readings">' in page
    section = page[page.index('id="readings"') :]
    assert all(text in section for text in ("h_gap_bits", "in &lt;bits&gt;", "0.25 [0.2, 0.31]", "−0.1"))
    assert 'id="readings"' not in document.render(papers, plan, experiment.cells(), [])
