"use strict";
// The interactive parts of the page: columns and order of tables, cards of cells, charts. All texts are set by
// textContent, never as HTML.

const root = document.documentElement;
const cached = {};
const data = name => cached[name] ??= JSON.parse(document.getElementById(`data-${name}`).textContent);
const all = (selector, where = document) => [...where.querySelectorAll(selector)];

function element(tag, text = "", attributes = {}) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.textContent = text;
  return made;
}

// ---- which columns tables show: reproduced, published, from the authors' demo, difference

const PARTS = ["here", "paper", "demo", "diff"];
const boxes = all(".show input");

function show() {
  const shown = PARTS.filter(part => boxes.find(box => box.name === part)?.checked);
  root.dataset.show = shown.join(" ");
  // At least one box stays checked.
  for (const box of boxes) box.disabled = shown.length === 1 && box.checked;
  for (const heading of all("th[data-parts]")) {
    const count = heading.dataset.parts.split(" ").filter(part => shown.includes(part)).length;
    heading.hidden = count === 0;
    heading.colSpan = Math.max(count, 1);
  }
}
for (const box of boxes) box.addEventListener("change", show);
show();

// ---- order of rows: ascending, descending, as in the paper

const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

function sort(button) {
  const heading = button.closest("th");
  const table = heading.closest("table");
  const column = all("thead tr:last-child th", table).indexOf(heading) + 1;
  const order = NEXT[heading.getAttribute("aria-sort") ?? "none"];
  for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
  if (order !== "none") heading.setAttribute("aria-sort", order);
  const sign = order === "descending" ? -1 : 1;
  const value = row => parseFloat(row.cells[column].dataset.sort ?? "");
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort((one, other) => {
    const [a, b] = order === "none" ? [+one.dataset.place, +other.dataset.place] : [value(one), value(other)];
    // Cells without a number come last in both orders.
    if (isNaN(a) || isNaN(b)) return isNaN(a) - isNaN(b) || one.dataset.place - other.dataset.place;
    return sign * (a - b) || one.dataset.place - other.dataset.place;
  }));
}

// ---- arrow keys move between the cells of a table; Tab leaves it

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function stops(table) {
  return all("thead tr:last-child, tbody tr", table).map(row => {
    const seen = all("th, td", row).filter(cell => cell.offsetParent !== null);
    const found = seen.map(cell => cell.querySelector("button, a"));
    return row.parentElement.tagName === "THEAD" ? [null, ...found] : found;
  });
}

function move(event) {
  const step = STEPS[event.key];
  if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
  const table = event.currentTarget;
  const places = stops(table);
  let y = places.findIndex(row => row.includes(document.activeElement));
  if (y < 0) return;
  let x = places[y].indexOf(document.activeElement);
  event.preventDefault();
  do { y += step[0]; x += step[1]; } while (places[y] && x >= 0 && x < places[y].length && !places[y][x]);
  places[y]?.[x]?.focus();
}

for (const table of all("table.paper")) {
  [...table.tBodies[0].rows].forEach((row, place) => row.dataset.place = place);
  const focusable = all("button, a", table);
  focusable.forEach((stop, index) => stop.tabIndex = index ? -1 : 0);
  table.addEventListener("focusin", event => {
    for (const stop of focusable) stop.tabIndex = stop === event.target ? 0 : -1;
  });
  table.addEventListener("keydown", move);
}

// ---- the card of a cell

const card = document.getElementById("card");
let shownFor = null;
let pinned = false;

// Cards are stored as indices of texts; after the first four, labels and numbers of the lines alternate.
function cardAt(index) {
  const { texts, cards } = data("cards");
  const [title, verdict, anchor, run, ...rest] = cards[index].map(text => texts[text]);
  const lines = [];
  while (rest.length) lines.push(rest.splice(0, 2));
  return { title, verdict, anchor, run, lines };
}

function fill(own) {
  const lines = element("dl");
  for (const [name, text] of own.lines) lines.append(element("dt", name), element("dd", text));
  card.replaceChildren(
    element("h4", own.title),
    element("p", `${own.verdict}: ${data("meanings")[own.verdict]}.`, { className: `v-${own.verdict.replace(" ", "-")}` }),
    lines,
  );
  // Without an allowed difference, the rule does not apply.
  if (own.lines.some(([name]) => name === "allowed")) {
    card.append(element("p", document.getElementById("rule").textContent, { className: "hint" }));
  }
  if (own.anchor) {
    const line = element("p");
    line.append(element("a", `${own.run}: curve, settings, cost, command`, { href: `#${own.anchor}` }));
    card.append(line);
    const again = document.getElementById(own.anchor)?.querySelector(".command");
    if (again) card.append(element("code", again.textContent, { className: "command" }));
  }
}

function open(button, pin) {
  pinned = pin;
  if (shownFor !== button) {
    close();
    shownFor = button;
    pinned = pin;
    fill(cardAt(+button.dataset.card));
    button.setAttribute("aria-describedby", "card");
    card.showPopover();
    place(button);
  }
  if (pin) (card.querySelector("a") ?? card).focus({ preventScroll: true });
}

function place(button) {
  if (innerWidth <= 640) return card.removeAttribute("style");
  const cell = button.getBoundingClientRect();
  const own = card.getBoundingClientRect();
  const below = cell.bottom + 6 + own.height < innerHeight || cell.top < own.height + 6;
  card.style.top = `${Math.max(8, below ? cell.bottom + 6 : cell.top - own.height - 6)}px`;
  card.style.left = `${Math.max(8, Math.min(cell.left, innerWidth - own.width - 8))}px`;
}

function close(refocus = false) {
  if (!shownFor) return;
  shownFor.removeAttribute("aria-describedby");
  if (refocus) shownFor.focus({ preventScroll: true });
  shownFor = null;
  pinned = false;
  card.hidePopover();
}

document.addEventListener("pointerover", event => {
  if (pinned || event.pointerType !== "mouse" || card.contains(event.target)) return;
  const button = event.target.closest?.("[data-card]");
  if (button) open(button, false);
  else close();
});
document.addEventListener("focusin", event => {
  if (card.contains(event.target)) return;
  const button = event.target.closest("[data-card]");
  if (button?.matches(":focus-visible")) { if (button !== shownFor) open(button, false); }
  else if (!button) close();
});
document.addEventListener("click", event => {
  const button = event.target.closest("[data-card]");
  if (button) open(button, true);
  else if (event.target.closest("[data-sorts]")) sort(event.target.closest("[data-sorts]"));
  else if (!card.contains(event.target) || event.target.closest("a")) close();
});
document.addEventListener("keydown", event => { if (event.key === "Escape") close(card.contains(document.activeElement)); });
addEventListener("scroll", () => { if (shownFor) place(shownFor); }, { passive: true, capture: true });

// ---- links to a section in closed details open them

function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  // New browsers open it themselves.
  const closed = target?.closest("details:not([open])");
  if (closed) closed.open = true;
  const place = target?.closest(".run") ?? target;
  if (place !== target) target.focus({ preventScroll: true });
  place?.scrollIntoView();
  // Sections near the window are laid out only now (content-visibility), which can move the target.
  requestAnimationFrame(() => requestAnimationFrame(() => place?.scrollIntoView()));
}
addEventListener("hashchange", reveal);
document.addEventListener("click", event => {
  // A link to the current address causes no hashchange.
  if (event.target.closest(`a[href="${CSS.escape(location.hash)}"]`)) reveal();
});

// ---- claims by outcome

for (const box of all(".outcomes input")) {
  box.addEventListener("change", () => {
    for (const row of all(`.claims [data-outcome="${box.name}"]`)) row.hidden = !box.checked;
    for (const claim of all(".claims tbody")) claim.hidden = !claim.querySelector("[data-outcome]:not([hidden])");
  });
}

// ---- curves

const charts = new Map();
let printing = false;
const colour = name => printing ? PRINTED[name] : getComputedStyle(root).getPropertyValue(`--${name}`).trim();
const PRINTED = { ink: "#000", line: "#ddd", "curve-1": "#0072b2", "curve-2": "#c24a00", "curve-3": "#007f5f",
  "curve-4": "#9b4f86", "curve-5": "#6b6b00", "curve-6": "#444" };

// curves: [{label, series: [steps, values], hue, dash}]
function draw(box, curves, unit, logarithmic = false) {
  charts.get(box)?.destroy();
  box.replaceChildren();
  if (!curves.length) return charts.delete(box);
  const axis = { stroke: () => colour("ink"), grid: { stroke: () => colour("line"), width: 1 }, ticks: { stroke: () => colour("line"), width: 1 },
    font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif", labelSize: 22 };
  const number = value => value == null ? "–" : value.toLocaleString("en", { maximumSignificantDigits: 5 });
  const joined = uPlot.join(curves.map(curve => curve.series));
  charts.set(box, new uPlot({
    width: box.clientWidth || 320,
    height: 260,
    scales: { x: { time: false }, y: { distr: logarithmic ? 3 : 1 } },
    axes: [{ ...axis, label: "training step" }, { ...axis, label: unit, size: 56 }],
    series: [{ label: "step", value: (_, step) => number(step) }, ...curves.map(curve => ({
      label: curve.label,
      stroke: () => colour(`curve-${curve.hue % 6 + 1}`),
      dash: curve.dash,
      width: 1.5,
      spanGaps: true,
      points: { show: curve.series[0].length < 2 },
      value: (_, value) => number(value),
    }))],
    cursor: { focus: { prox: 16 } },
  }, joined, box));
}

const DASHES = [undefined, [6, 3], [2, 3]];

function drawRun(box) {
  const run = data("curves")[box.dataset.run];
  const quantities = box.dataset.quantities.split(" ");
  // Colours distinguish quantities and dashes distinguish seeds; with a single quantity, colours distinguish seeds.
  const curves = Object.entries(run.seeds).flatMap(([seed, own], place) => quantities
    .map((quantity, index) => ({
      label: `${data("quantities")[run.paper][quantity].label}, seed ${seed}`,
      series: own[quantity],
      hue: quantities.length > 1 ? index : place,
      dash: quantities.length > 1 ? DASHES[place % DASHES.length] : undefined,
    }))
    .filter(curve => curve.series));
  draw(box, curves, box.dataset.unit);
}

const visible = new IntersectionObserver(entries => {
  for (const entry of entries) if (entry.isIntersecting && !charts.has(entry.target)) drawRun(entry.target);
});
for (const box of all(".chart[data-run]")) visible.observe(box);
new ResizeObserver(() => {
  for (const [box, chart] of charts) {
    if (box.clientWidth && box.clientWidth !== chart.width) chart.setSize({ width: box.clientWidth, height: chart.height });
  }
}).observe(document.querySelector("main"));
const redraw = () => { for (const chart of charts.values()) chart.redraw(false, true); };
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
addEventListener("beforeprint", () => {
  printing = true;
  for (const box of all(".run[open] .chart[data-run]")) if (!charts.has(box)) drawRun(box);
  redraw();
});
addEventListener("afterprint", () => { printing = false; redraw(); });

// ---- comparison of two runs

const form = document.querySelector(".compare");
if (form) {
  const choices = Object.entries(data("curves")).flatMap(([anchor, run]) => Object.entries(run.seeds)
    .filter(([, curve]) => Object.keys(curve).length)
    .map(([seed, curve]) => ({ name: `${run.label}, seed ${seed}`, group: run.group, curve, key: `${anchor}/seed${seed}`,
      quantities: data("quantities")[run.paper] })));
  for (const [index, select] of [form.first, form.second].entries()) {
    for (const name of new Set(choices.map(choice => choice.group))) {
      const group = element("optgroup", "", { label: name });
      group.append(...choices.filter(choice => choice.group === name).map(choice => element("option", choice.name, { value: choice.key })));
      select.append(group);
    }
    select.value = choices[Math.min(index, choices.length - 1)].key;
  }
  const chosen = select => choices.find(choice => choice.key === select.value);
  const compare = () => {
    const pair = [chosen(form.first), chosen(form.second)];
    const shared = Object.keys(pair[0].curve).filter(quantity => quantity in pair[1].curve);
    const before = form.quantity.value;
    form.quantity.replaceChildren(...shared.map(quantity =>
      element("option", pair[0].quantities[quantity].label, { value: quantity })));
    form.quantity.value = shared.includes(before) ? before : shared[0] ?? "";
    const curves = shared.length ? pair.map((choice, index) =>
      ({ label: choice.name, series: choice.curve[form.quantity.value], hue: index, dash: DASHES[index] })) : [];
    // Runs of different papers can have different units.
    const [{ label, unit } = {}, other] = pair.map(choice => choice.quantities[form.quantity.value]);
    const axis = unit === other?.unit ? `${label} (${unit})` : label;
    draw(document.getElementById("comparison"), curves, axis, form.logarithmic.checked);
    document.getElementById("compared").replaceChildren(...curves.map(({ label, series: [steps, values] }) => {
      const least = values.indexOf(Math.min(...values));
      const row = element("tr");
      row.append(element("th", label, { scope: "row" }), ...[steps.at(-1), values.at(-1), values[least], steps[least]]
        .map(number => element("td", number.toLocaleString("en", { maximumSignificantDigits: 5 }))));
      return row;
    }));
  };
  form.addEventListener("change", compare);
  form.addEventListener("submit", event => event.preventDefault());
  new IntersectionObserver((entries, observer) => {
    if (entries.some(entry => entry.isIntersecting)) { observer.disconnect(); compare(); }
  }).observe(form);
}
// After the browser has scrolled to the target.
addEventListener("load", reveal);
