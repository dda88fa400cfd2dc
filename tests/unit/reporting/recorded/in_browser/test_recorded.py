"""What a reader does with the committed page of all records, done in a real browser, if there is one."""

import json
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[5] / "docs" / "index.html"
SHOWN = (
    "[...document.querySelectorAll('.experiment')].filter(own => own.checkVisibility()).map(own => own.id)"
)
NAMES = "[...document.querySelectorAll('[role=tab]')].map(own => own.textContent)"
SELECTED = "[...document.querySelectorAll('[aria-selected=true]')].map(own => own.textContent)"


@pytest.fixture
def page(browser):
    """The page, opened; at the end it must have said and asked for nothing."""
    browser.open(PAGE.as_uri())
    yield browser
    assert browser.complaints() == []


def test_one_experiment_is_shown_at_a_time(page):
    names = page.js(NAMES)
    assert len(names) > 1
    assert page.js(SHOWN) == page.js(SELECTED) == names[:1]
    for name in names:
        page.click(f"[id='tab/{name}']")
        assert page.js(SHOWN) == page.js(SELECTED) == [name]


def test_the_switch_works_with_the_keyboard(page):
    names = page.js(NAMES)
    page.js("document.querySelector('[role=tab]').focus()")
    for key, name in (
        ("ArrowRight", names[1]),
        ("ArrowLeft", names[0]),
        ("ArrowLeft", names[-1]),
        ("ArrowRight", names[0]),
    ):
        page.press(key)
        assert page.js("document.activeElement.textContent") == name
        assert page.js(SHOWN) == [name]
    # The switch is one stop of the Tab key.
    page.press("Tab")
    assert page.js("document.activeElement.name") == "here"


def test_an_address_inside_an_experiment_shows_it(page):
    name = page.js(NAMES)[-1]
    run = page.js(f"document.getElementById('{name}').querySelector('.run .body').id")
    page.open(f"{PAGE.as_uri()}#{run}")
    page.until("document.querySelector('.run[open] .command').checkVisibility()")
    assert page.js(SHOWN) == [name]


def test_every_link_has_an_end_that_can_be_seen(page):
    # In a low window, since every step is painted.
    page.open(PAGE.as_uri(), height=100)
    links = page.js("[...new Set([...document.querySelectorAll('main a')].map(own => own.hash))]")
    cards = page.js("JSON.parse(document.querySelector('#data-cards').textContent).map(card => card.anchor)")
    # Each in turn, so that the experiments change.
    for link in sorted({*links, *(f"#{anchor}" for anchor in cards if anchor)}, key=lambda link: link[::-1]):
        page.js(f"location.hash = {json.dumps(link)}")
        page.until(f"document.getElementById({json.dumps(link[1:])}).checkVisibility()")


def test_a_cell_shows_its_command(page):
    page.click(".experiment:not([hidden]) table.paper tbody td.here [data-card]")
    text = page.js("document.querySelector('#card').innerText")
    assert "snakemake --cores 1 --force --configfile results/recorded/" in text
    page.press("Escape")


def test_reading_it_all_asks_for_nothing(page):
    for name in page.js(NAMES):
        page.js(f"location.hash = '#{name}'")
        page.until(f"document.getElementById('{name}').checkVisibility()")
        page.js(f"document.querySelectorAll('[id=\"{name}\"] details').forEach(own => own.open = true)")
        chart = f"document.querySelector('[id=\"{name}\"] .chart')"
        if page.js(f"Boolean({chart})"):
            page.js(f"{chart}.scrollIntoView()")
            page.until(f"{chart}.querySelector('canvas')")
    assert page.js("[...document.images].every(image => image.src.startsWith('data:'))")


@pytest.mark.parametrize("width", [390, 768, 1400])
def test_only_tables_scroll_sideways(page, width):
    page.open(PAGE.as_uri(), width, 800, phone=width < 700)
    for name in page.js(NAMES):
        page.js(f"location.hash = '#{name}'")
        page.js(f"document.querySelectorAll('[id=\"{name}\"] details').forEach(own => own.open = true)")
        assert page.js("document.documentElement.scrollWidth") <= width


def test_at_1400_pixels_the_papers_tables_have_all_their_columns(page):
    page.open(PAGE.as_uri(), 1400, 900)
    page.js("document.querySelectorAll('.experiment').forEach(own => own.hidden = false)")
    cut = (
        "[...document.querySelectorAll('.experiment > section > .scroll:has(> .paper)')]"
        ".filter(own => own.scrollWidth > own.clientWidth).map(own => own.firstElementChild.ariaLabel)"
    )
    assert page.js(cut) == []


def test_whatever_can_be_used_has_a_name(page):
    page.js("document.querySelectorAll('details').forEach(own => own.open = true)")
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    used = ("button", "link", "checkbox", "combobox", "table", "image", "region", "tab", "tabpanel")
    found = [node for node in nodes if not node["ignored"] and node["role"]["value"] in used]
    assert {"tab", "tabpanel"} <= {node["role"]["value"] for node in found}
    assert [node["role"]["value"] for node in found if not node.get("name", {}).get("value")] == []
