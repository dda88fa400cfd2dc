"""The page of the whole experiment of config.yaml, with three seeds of both papers."""

import itertools
import json
import re
import shlex
from collections import Counter

import pytest

import paper_scale

DRAWS = 10
"""Draws of the unseen words, each with four runs."""
SEEDS = "sentences: {seeds: [0, 1, 2]}"
STEP = re.compile(r"^ +(python -m textlvm\.reporting\.(tables tidy|claims|page) .*)$", flags=re.MULTILINE)


@pytest.fixture(scope="module")
def page(new_project):
    """The page of invented results, made by the commands of the rules."""
    project = new_project()
    (project.root / "seeds.yaml").write_text(SEEDS, encoding="utf-8")
    line = "snakemake --cores 1 --configfile seeds.yaml --dry-run --printshellcmds -- results/index.html"
    *tables, claims, page = (command for command, _ in STEP.findall(project.run(line)))
    plan = shlex.split(page.partition("<<<")[2])[0]
    paper_scale.write(project.root / "results", json.loads(plan))
    # Without --figures: claims about figures need further files; here they are undecided.
    for command in (*tables, re.sub("--figures .*?(?=--csv)", "", claims), page):
        project.run(command)
    return project.root / "results" / "index.html"


def test_page_is_complete(page):
    text = page.read_text(encoding="utf-8")
    states = re.findall(r'class="state s-\w+">([^<]+)<', text)
    # Data sets and runs of the sentences paper, and runs of the words paper.
    assert states == ["done"] * (5 + 48 + 18 + 4 * DRAWS)
    assert text.count('<figure id="figure/') == 2 + 6
    assert text.count('<section id="text/') == 14
    assert len(re.findall(r'<section id="table/', text)) == 2 + 8
    curves = json.loads(re.search(r'id="data-curves">(.*?)</script>', text)[1])
    # Runs with a training.
    assert len(curves) == 46 + 15 + 2 * DRAWS
    # Three seeds each, but one on the last draws of the unseen words.
    assert Counter(len(run["seeds"]) for run in curves.values()) == {3: 46 + 15 + 2 * 3, 1: 2 * (DRAWS - 3)}


def test_page_is_smaller_than_15_mb(page):
    assert page.stat().st_size < 15e6


def test_anchors_scroll_to_their_elements(page, browser):
    anchors = (
        "table/sentences/8",
        "text/sentences/table21",
        "claims",
        "compare",
        "runs",
        "run/sentences/yahoo/smim-1024",
    )
    for anchor, opened in itertools.product(anchors, (True, False)):
        browser.open(f"{page.as_uri()}#{anchor}" if opened else page.as_uri())
        browser.js(f"location.hash = '#{anchor}'")
        # Content above the element may still grow.
        browser.js("new Promise(done => setTimeout(done, 300))")
        top = browser.js(f"document.getElementById('{anchor}').getBoundingClientRect().top")
        assert 0 <= top < 200, (anchor, opened)


def test_browser_renders_only_visible_parts(page, browser):
    browser.open(page.as_uri())
    claims = "document.querySelector('.claims').checkVisibility({contentVisibilityAuto: true})"
    assert not browser.js(claims)
    browser.js("location.hash = '#claims'")
    browser.until(claims)
    assert browser.js("document.querySelectorAll('canvas').length") == 0
    assert browser.js("document.querySelectorAll('.run').length") == 5 + 48 + 18 + 4 * DRAWS
    browser.js("location.hash = '#run/sentences/yahoo/smim-1024'")
    browser.until("document.querySelector('.run[open] canvas')")
    assert browser.js("document.querySelectorAll('canvas').length") == 1
    assert browser.complaints() == []
