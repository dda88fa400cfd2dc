"""The page of all recorded experiments, and whether the committed page is up to date."""

import base64
import hashlib
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from textlvm.reporting.fits import Fit, Interval
from textlvm.reporting.recorded.document import render

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "index.html"


@pytest.fixture(scope="module")
def page(records):
    return render(records)


def test_committed_page_is_up_to_date(page):
    committed = PAGE.read_text(encoding="utf-8")
    assert with_digests(committed) == with_digests(page), "regenerate it: make recorded"


def with_digests(page):
    """The page with digests of pixels in place of its images: their bytes depend on the version of zlib."""

    def digest(match):
        return hashlib.sha256(Image.open(io.BytesIO(base64.b64decode(match[1]))).tobytes()).hexdigest()

    return re.sub("data:image/png;base64,([A-Za-z0-9+/=]+)", digest, page)


def test_page_is_smaller_than_3_megabytes(page):
    assert len(page.encode()) < 3e6


def test_anchors_are_unique_and_links_have_targets(page):
    anchors = re.findall(r'\bid="([^"]+)"', page)
    assert len(anchors) == len(set(anchors))
    data = json.loads(re.search(r'id="data-cards">(.*?)</script>', page)[1])
    targets = {data["texts"][card[2]] for card in data["cards"]} - {""}
    assert {*re.findall(r'href="#([^"]+)"', page), *targets} <= set(anchors)


def test_page_does_not_contain_local_paths_or_commits(page, clone):
    for text in (str(ROOT), str(clone), "file:", "commit "):
        assert text not in page
    assert re.findall(r'<[^>]* (?:src|href)="(?!#|data:)[^"]*"', page) == []


def test_answer_depends_on_the_records(page, records):
    """The first record alone gives different numbers."""
    answer = re.compile(r'<section id="answer".*?</section>', re.DOTALL)
    alone = render(records[:1])
    assert answer.search(alone)[0] != answer.search(page)[0]
    compared = {
        (cell.part.table, cell.part.split, cell.row, cell.metric)
        for cell in records[0].cells
        if cell.measured and cell.printed
    }
    assert f"printed numbers {len(compared)} were compared." in " ".join(answer.search(alone)[0].split())


def test_page_has_commands_of_all_runs_and_all_figures(page, records):
    runs = sum(len(record.plan.planned) for record in records)
    assert page.count('class="command">snakemake --cores 1 --force') == runs
    figures = sum(len(record.plan.figures) for record in records)
    assert page.count('src="data:image/png;base64,') == figures > 0


def test_claims_on_several_draws_have_their_number(page, records):
    checks = [check for record in records for claim in record.claims for check in claim.checks]
    lines = [check.line for check in checks if check.effect]
    drawn = {line.seeds for line in lines if line.replicate == "draw"} - {1}
    assert drawn
    assert all(f", {count} draws <small>" in page for count in drawn)


def test_readings_are_shown_only_if_recorded(page, records):
    assert ("<h3>Readings</h3>" in page) == any(record.readings for record in records)
    line = Fit(
        **{"paper": "words", "table": 1, "dataset": "bookscorpus", "corpus": "mine"},
        **{"corpus_title": "My books", "split": "standard", "column": "h_gap"},
        **{"reading": "a <b>", "compared": True, "computes": "a sum", "why": "the text", "rows": 9},
        **{"seeds": 3, "rms": Interval(0.25, 0.2, 0.31), "bias": Interval(0.1), "rank": Interval(-0.5)},
    )
    other = replace(line, reading="other", compared=False, rank=None)
    text = render([replace(records[0], readings=(line, other))])
    shown = " ".join(re.sub("<[^>]+>", " ", text[text.index("<h3>Readings</h3>") :]).split())
    assert "H gap , Table 1 of Schmidt &amp; Hofmann (2018), My books in place of BooksCorpus" in shown
    assert "a &lt;b&gt; compared 0.25 [0.2, 0.31] 0.1 −0.5 9 3 a sum the text" in shown
    assert "other 0.25 [0.2, 0.31] 0.1 –" in shown
