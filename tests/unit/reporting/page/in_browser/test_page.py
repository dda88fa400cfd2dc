"""Interactions with the page in a real browser, if there is one."""

import base64
import json
import re

import pytest

OPEN = "document.querySelectorAll('details').forEach(el => el.open = true)"
TABLE = '[id="table/words/mine/1"] > .scroll table'
SHOWN = f"""[...document.querySelectorAll('{TABLE} tbody tr')].map(row => [...row.cells].slice(1)
    .filter(cell => cell.offsetParent).map(cell => cell.className.split(' ')[0]))"""


@pytest.fixture
def page(browser, page_file):
    """The opened page of the small experiment; errors and requests during the test are failures."""
    browser.open(page_file.as_uri())
    yield browser
    assert browser.complaints() == []


def test_browser_reports_requests_and_errors(browser, tmp_path):
    """So that no complaints in other tests means no errors and no requests."""
    file = tmp_path / "wrong.html"
    script = "console.error('said'); setTimeout(() => document.title = nothing.at.all)"
    file.write_text(f'<img src="http://127.0.0.1:9/picture.png"><script>{script}</script>', encoding="utf-8")
    browser.open(file.as_uri())
    browser.js("new Promise(done => setTimeout(done))")
    complaints = browser.complaints()
    assert "http://127.0.0.1:9/picture.png" in complaints
    for text in ("said", "nothing is not defined"):
        assert any(text in complaint for complaint in complaints)


def test_page_makes_no_requests_and_runs_no_foreign_scripts(page):
    page.js(OPEN)
    for place in range(page.js("document.querySelectorAll('.chart').length")):
        page.js(f"document.querySelectorAll('.chart')[{place}].scrollIntoView()")
        page.until(f"document.querySelectorAll('.chart')[{place}].querySelector('canvas')")
    assert page.js("[...document.images].every(image => image.src.startsWith('data:'))")
    assert page.js("document.title").startswith("Papers on text models")
    assert page.js("document.querySelectorAll('main script, main [onerror]').length") == 0


@pytest.mark.parametrize(
    ("clicks", "parts"),
    [
        ([], ["here", "paper"]),
        (["diff"], ["here", "paper", "diff"]),
        (["paper", "diff"], ["here", "diff"]),
        (["here", "paper", "diff"], ["paper", "diff"]),
    ],
)
def test_checkboxes_select_columns(page, clicks, parts):
    for name in clicks:
        page.click(f".show input[name={name}]")
    metrics = page.js(f"document.querySelectorAll('{TABLE} th[data-parts]').length")
    assert page.js(SHOWN)[0] == parts * metrics
    spans = page.js(f"[...document.querySelectorAll('{TABLE} th[data-parts]')].map(el => el.colSpan)")
    assert spans == [len(parts)] * metrics


def test_demo_column_is_shown_on_request(page):
    heading = "document.querySelector('[id=\"table/sentences/2\"] th[data-parts~=demo]').colSpan"
    number = "document.querySelector('[id=\"table/sentences/2\"] td.demo').checkVisibility()"
    assert (page.js(heading), page.js(number)) == (2, False)
    page.click(".show input[name=demo]")
    assert (page.js(heading), page.js(number)) == (3, True)


def test_table_fills_the_window_and_keeps_its_header(page, page_file):
    page.open(page_file.as_uri(), 1400, 400)
    assert page.js("document.querySelector('main').getBoundingClientRect().right") > 1350
    box = '[id="table/words/mine/1"] > .scroll'
    top = "document.querySelector('{}').getBoundingClientRect().top"
    page.js(f"document.querySelector('{box}').scrollIntoView()")
    before = page.js(top.format(f"{box} thead"))
    page.js(f"document.querySelector('{box}').scrollTop = 1e6")
    assert page.js(f"document.querySelector('{box}').scrollTop") > 100
    # The header loses its border.
    assert abs(page.js(top.format(f"{box} thead")) - before) < 2
    assert page.js(top.format(f"{box} tbody")) < before


def test_last_checkbox_cannot_be_cleared(page):
    page.click(".show input[name=paper]")
    page.click(".show input[name=here]")
    assert page.js("document.documentElement.dataset.show") == "here"


def test_columns_sort_ascending_descending_and_as_printed(page):
    numbers = (
        f"[...document.querySelectorAll('{TABLE} tbody tr')].map(row => row.cells[1].dataset.sort ?? '')"
    )
    labels = f"[...document.querySelectorAll('{TABLE} tbody th')].map(el => el.textContent)"
    as_printed = page.js(labels)
    for order, sign in (("ascending", 1), ("descending", -1)):
        page.click(f"{TABLE} [data-sorts]")
        assert page.js(f"document.querySelector('{TABLE} [aria-sort]').ariaSort") == order
        known = [float(text) for text in page.js(numbers) if text not in ("", "None")]
        assert len(known) == 2
        assert known == sorted(known, key=lambda value: sign * value)
        assert page.js(numbers)[2:] == page.js(numbers)[-len(as_printed) + 2 :]
        assert all(text in ("", "None") for text in page.js(numbers)[2:])
    page.click(f"{TABLE} [data-sorts]")
    assert page.js(f"document.querySelectorAll('{TABLE} [aria-sort]').length") == 0
    assert page.js(labels) == as_printed


def test_pointing_at_a_cell_shows_its_card(page):
    page.point(f"{TABLE} [data-card]")
    page.until("document.querySelector('#card').matches(':popover-open')")
    text = page.js("document.querySelector('#card').innerText")
    assert "stand-in: the corpus is a stand-in" in text
    assert "<script>document.title" in text
    page.point("h1")
    page.until("!document.querySelector('#card').matches(':popover-open')")


def test_card_with_a_verdict_has_the_rule(page):
    page.click('[id="table/sentences/2"] td.v-within [data-card]')
    text = page.js("document.querySelector('#card').innerText")
    assert re.search(r"within: agrees.*allowed\s+± .*Within: \|difference\| ≤", text, flags=re.DOTALL)


def test_tables_are_navigated_with_the_keyboard(page):
    stops = f"[...document.querySelectorAll('{TABLE} :is(a, button)')].filter(el => el.tabIndex === 0).length"
    assert page.js(stops) == 1
    page.js(f"document.querySelector('{TABLE} thead button').focus()")
    page.press("ArrowDown")
    assert page.js("document.activeElement.dataset.card") is not None
    page.until("document.querySelector('#card').matches(':popover-open')")
    first = page.js("document.querySelector('#card h4').textContent")
    page.press("ArrowDown")
    assert page.js("document.querySelector('#card h4').textContent") != first
    page.press("ArrowLeft")
    assert page.js("document.activeElement.textContent") == "TRIL, K=2"
    page.press("ArrowRight")
    page.press("Enter")
    assert page.js("document.activeElement.getAttribute('href')") == "#run/words/mine/standard/tril-k2"
    page.press("Escape")
    assert page.js("document.activeElement.dataset.card") is not None
    assert not page.js("document.querySelector('#card').matches(':popover-open')")
    # The Tab key stops once in the whole table.
    assert page.js(stops) == 1
    page.press("Tab")
    assert not page.js(f"document.querySelector('{TABLE}').contains(document.activeElement)")


def test_all_controls_are_reached_with_the_tab_key(page):
    page.press("Tab")
    assert page.js("document.activeElement.className") == "skip"
    used = "a, button, input, select, summary, [tabindex='0']"
    reachable = (
        f"[...document.querySelectorAll(`{used}`)].filter(el => el.tabIndex >= 0 && el.checkVisibility()"
        " && !el.disabled).length"
    )
    reached = "(window.reached ??= new Set()).add(document.activeElement).size"
    page.js(reached)
    for _ in range(page.js(reachable) - 1):
        page.press("Tab")
        page.js(reached)
    assert page.js(f"window.reached.size - {reachable}") == 0
    assert page.js("window.reached.has(document.body)") is False


def test_controls_work_with_the_keyboard(page):
    page.js("document.querySelector('.show input[name=diff]').focus()")
    page.press(" ")
    assert page.js("document.documentElement.dataset.show") == "here paper diff"
    page.js(f"document.querySelector('{TABLE} thead button').focus()")
    page.press("Enter")
    assert page.js(f"document.querySelector('{TABLE} [aria-sort]').ariaSort") == "ascending"
    page.js("document.querySelector('.run summary').focus()")
    page.press("Enter")
    assert page.js("document.querySelectorAll('.run[open]').length") == 1
    page.js("document.querySelector('.outcomes [name=holds]').focus()")
    page.press(" ")
    assert not page.js("document.querySelector('.claims [data-outcome=holds]').checkVisibility()")


def test_compared_runs_are_selected_with_the_keyboard(page):
    page.js("document.querySelector('.compare').second.focus()")
    page.until("document.querySelector('#comparison canvas')")
    second = "document.querySelectorAll('#compared th')[1].innerText"
    assert page.js(second) == "TRIL, mine, seed 1"
    page.press("ArrowDown")
    page.until(f"{second} === 'TRIL, mine, seed 2'")
    page.press("Tab")
    page.press("ArrowDown")
    assert page.js("document.querySelector('.compare').quantity.value") != "loss"
    page.press("Tab")
    page.press(" ")
    assert page.js("document.querySelector('.compare').logarithmic.checked")


def test_card_links_to_its_run_and_curve(page):
    page.click(f"{TABLE} tbody [data-card]")
    page.click("#card a")
    page.until("document.querySelector('.run[open] canvas')")
    assert page.js("location.hash") == "#run/words/mine/standard/tril"
    assert page.js("document.querySelectorAll('.run[open]').length") == 1
    text = page.js("document.querySelector('.run[open]').innerText")
    assert "--forcerun" in text
    assert "/logs/words/mine/standard/tril/seed0/train.log" in text


def test_link_targets_are_visible(page):
    links = page.js("[...new Set([...document.querySelectorAll('a')].map(el => el.getAttribute('href')))]")
    anchors = page.js("data('cards').cards.map((_, index) => cardAt(index).anchor)")
    for link in {*links, *(f"#{anchor}" for anchor in anchors if anchor)}:
        page.js(f"location.hash = {json.dumps(link)}")
        page.until(f"document.getElementById({json.dumps(link[1:])}).checkVisibility()")


def test_address_of_a_run_opens_its_section(page, page_file):
    page.open(f"{page_file.as_uri()}#run/words/mine/standard/diag")
    page.until("document.querySelector('.run[open] .command')")
    assert "not run" in page.js("document.querySelector('.run[open]').innerText")


def test_claims_are_filtered_by_outcome(page):
    row = "document.querySelector('.claims [data-outcome=holds]').checkVisibility()"
    assert page.js(row)
    page.click(".outcomes [name=fails]")
    assert page.js(row)
    page.click(".outcomes [name=holds]")
    assert not page.js(row)
    assert not page.js("document.querySelector('.claims tbody').checkVisibility()")


@pytest.mark.parametrize("width", [320, 390, 768])
def test_only_tables_scroll_sideways_in_narrow_windows(page, page_file, width):
    page.open(page_file.as_uri(), width, 800, phone=width < 700)
    page.js(OPEN)
    page.js("document.querySelector('.run .chart').scrollIntoView()")
    page.until("document.querySelector('.run canvas')")
    assert page.js("document.documentElement.scrollWidth") <= width
    assert page.js("[...document.querySelectorAll('.scroll')].some(el => el.scrollWidth > el.clientWidth)")


def test_two_runs_are_compared(page):
    page.js("document.querySelector('#compare').scrollIntoView()")
    page.until("document.querySelector('#comparison canvas')")
    choose = (
        "document.querySelector('.compare').second.value = '{}';"
        "document.querySelector('.compare').dispatchEvent(new Event('change'))"
    )
    page.js(choose.format("run/words/mine/standard/tril-k2/seed2"))
    rows = "[...document.querySelectorAll('#compared tr')].map(row => [...row.cells].map(el => el.innerText))"
    found = page.js(rows)
    assert [row[0] for row in found] == ["TRIL, mine, seed 0", "TRIL, K=2, mine, seed 2"]
    assert found[1][1:] == ["40", "12.325", "12.325", "40"]
    axis = "charts.get(document.querySelector('#comparison')).axes[1].label"
    assert page.js(axis) == "loss (nats per word)"
    assert page.js("[...document.querySelectorAll('.compare [name=quantity] option')].length") == 4
    page.click(".compare [name=logarithmic]")
    page.js(choose.format("run/sentences/ptb/smim-512/seed0"))
    page.until("document.querySelector('#comparison canvas')")
    # The units of the two runs differ.
    assert page.js(axis) == "loss"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_have_sufficient_contrast(page, scheme):
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def luminance(name):
        text = page.js(f"getComputedStyle(document.documentElement).getPropertyValue('--{name}')").strip()
        channels = [int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    assert (luminance("paper") < 0.1) == (scheme == "dark")
    for name in ("ink", "soft", "link", "good", "bad", "open", "apart"):
        high, low = sorted((luminance(name), luminance("paper")), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, name


def test_controls_have_accessible_names(page):
    page.js(OPEN)
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    used = ("button", "link", "checkbox", "combobox", "table", "image", "region", "navigation", "dialog")
    found = [node for node in nodes if not node["ignored"] and node["role"]["value"] in used]
    assert len(found) > 100
    assert [node["role"]["value"] for node in found if not node.get("name", {}).get("value")] == []


def test_printed_page_has_tables_and_no_controls(page):
    page.send("Emulation.setEmulatedMedia", media="print")
    assert not page.js("document.querySelector('nav').checkVisibility()")
    assert not page.js("document.querySelector('.show').checkVisibility()")
    assert page.js(f"document.querySelector('{TABLE}').checkVisibility()")
    pdf = base64.b64decode(page.send("Page.printToPDF")["data"])
    assert pdf.startswith(b"%PDF")
