"""Interactions with the committed page of all records in a real browser, if there is one."""

import json
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[5] / "docs" / "index.html"
SHOWN = "[...document.querySelectorAll('.experiment')].filter(el => el.checkVisibility()).map(el => el.id)"
NAMES = "[...document.querySelectorAll('[role=tab]')].map(el => el.textContent)"
SELECTED = "[...document.querySelectorAll('[aria-selected=true]')].map(el => el.textContent)"


@pytest.fixture
def page(browser):
    """The opened page; errors and requests during the test are failures."""
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


def test_tabs_work_with_the_keyboard(page):
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
    # The Tab key stops once in the list of tabs.
    page.press("Tab")
    assert page.js("document.activeElement.name") == "here"


def test_address_inside_an_experiment_shows_the_experiment(page):
    name = page.js(NAMES)[-1]
    run = page.js(f"document.getElementById('{name}').querySelector('.run .body').id")
    page.open(f"{PAGE.as_uri()}#{run}")
    page.until("document.querySelector('.run[open] .command').checkVisibility()")
    assert page.js(SHOWN) == [name]


def test_link_targets_are_visible(page):
    # In a low window, because every step is painted.
    page.open(PAGE.as_uri(), height=100)
    links = page.js("[...new Set([...document.querySelectorAll('main a')].map(el => el.hash))]")
    anchors = page.js("data('cards').cards.map((_, index) => cardAt(index).anchor)")
    links += [f"#{anchor}" for anchor in anchors if anchor]
    targets = [link[1:] for link in links]
    assert page.js(f"{json.dumps(targets)}.filter(id => !document.getElementById(id))") == []
    # Every fifth is opened. Sorted such that successive links are in different experiments.
    for link in sorted(set(links), key=lambda link: link[::-1])[::5]:
        page.js(f"location.hash = {json.dumps(link)}")
        page.until(f"document.getElementById({json.dumps(link[1:])}).checkVisibility()")


def test_card_has_the_command_of_its_run(page):
    page.click(".experiment:not([hidden]) table.paper tbody td.here [data-card]")
    text = page.js("document.querySelector('#card').innerText")
    assert "snakemake --cores 1 --force --configfile results/recorded/" in text
    page.press("Escape")


def test_page_makes_no_requests(page):
    for name in page.js(NAMES):
        page.js(f"location.hash = '#{name}'")
        page.until(f"document.getElementById('{name}').checkVisibility()")
        page.js(f"document.querySelectorAll('[id=\"{name}\"] details').forEach(el => el.open = true)")
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
        page.js(f"document.querySelectorAll('[id=\"{name}\"] details').forEach(el => el.open = true)")
        assert page.js("document.documentElement.scrollWidth") <= width


def test_tables_fit_in_a_window_of_1400_pixels(page):
    page.open(PAGE.as_uri(), 1400, 900)
    page.js("document.querySelectorAll('.experiment').forEach(el => el.hidden = false)")
    cut = (
        "[...document.querySelectorAll('.experiment > section > .scroll:has(> .paper)')]"
        ".filter(el => el.scrollWidth > el.clientWidth).map(el => el.firstElementChild.ariaLabel)"
    )
    assert page.js(cut) == []


def test_controls_have_accessible_names(page):
    page.js("document.querySelectorAll('details').forEach(el => el.open = true)")
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    used = ("button", "link", "checkbox", "combobox", "table", "image", "region", "tab", "tabpanel")
    found = [node for node in nodes if not node["ignored"] and node["role"]["value"] in used]
    assert {"tab", "tabpanel"} <= {node["role"]["value"] for node in found}
    assert [node["role"]["value"] for node in found if not node.get("name", {}).get("value")] == []
