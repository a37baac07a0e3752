// The report: maps on demand, a table that sorts and filters, the two losses at any step.

import { drawMaps } from "./maps.js";

const data = JSON.parse(document.getElementById("data").textContent);
const find = (selector, inside = document) => inside.querySelector(selector);
const all = (selector, inside = document) => Array.from(inside.querySelectorAll(selector));

// In an element, as wide as it is. Weights come as one list of ten-thousandths, row after row.
function putMaps(element, {source, tokens, weights, difference}) {
  const rows = (flat, count) => Array.from({length: count}, (_, row) =>
    flat.slice(row * source.length, (row + 1) * source.length).map((value) => value / 10000));
  const hypotheses = tokens.map((said, i) => ({name: data.names[i], tokens: said, weights: rows(weights[i], said.length)}));
  const {paddingLeft, paddingRight} = getComputedStyle(element);
  const room = element.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  const box = drawMaps(source, hypotheses, difference, room);
  element.append(box);
  return box;
}

// Drawn again when a font has come, the one of Korean above all: labels have the width that it gives them.
let examples = [];
function drawExamples() {
  for (const box of examples) box.remove();
  examples = all("[data-example]").map((article) => {
    const found = data.examples[Number(article.dataset.example)];
    const box = found ? putMaps(article, found) : document.createTextNode("No attention: the model has none.");
    if (!found) article.append(box);
    return box;
  });
}
drawExamples();
document.fonts.addEventListener("loadingdone", drawExamples);

// The losses at one step.
if (data.stops.length) {
  const slider = find("#step"), needle = find("#needle"), readout = find("#at");
  slider.closest("p").hidden = false;
  slider.addEventListener("input", () => {
    const [step, place, one, other] = data.stops[Number(slider.value)];
    needle.removeAttribute("hidden");
    needle.setAttribute("transform", `translate(${place})`);
    const chart = needle.ownerSVGElement, window = chart.parentElement; // on a phone the chart is wider than the page
    window.scrollLeft = (place / 760) * chart.clientWidth - window.clientWidth / 2;
    const gap = Math.abs(one - other);
    const words = gap ? `gap ${gap.toExponential(1)}` : "no gap";
    readout.textContent = `${step}: ${data.names[0]} ${one.toPrecision(9)}, ${data.names[1]} ${other.toPrecision(9)}, ${words}`;
    slider.setAttribute("aria-valuetext", `step ${readout.textContent}`);
  });
}

// The table of translations.
const table = find("#sentences"), body = find("tbody", table);
const rows = all("tr", body);
const texts = rows.map((row) => row.textContent.toLowerCase().normalize("NFC"));
const number = (row) => Number(row.cells[0].textContent);
let open = null;

function close() {
  if (!open) return;
  open.button.setAttribute("aria-expanded", "false");
  open.drawn.remove();
  open = null;
}

function toggle(row) {
  const button = find("button", row.cells[0]);
  if (!button) return;
  const again = open && open.row === row;
  close();
  if (again) return;
  const cell = document.createElement("td");
  cell.colSpan = row.cells.length;
  const drawn = document.createElement("tr");
  drawn.className = "drawn";
  drawn.append(cell);
  row.after(drawn);
  putMaps(cell, data.maps[number(row) - 1]);
  button.setAttribute("aria-expanded", "true");
  open = {row, button, drawn};
}

for (const row of rows) if (find("button", row.cells[0])) row.classList.add("pick");
body.addEventListener("click", (event) => {
  const row = event.target.closest("tr.pick");
  if (!row) return;
  const selected = String(getSelection());
  if (selected && event.target.tagName !== "BUTTON") return; // somebody copies a text
  toggle(row);
});
body.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && open) {
    const button = open.button;
    close();
    button.focus();
    return;
  }
  const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
  const row = event.target.tagName === "BUTTON" && event.target.closest("tr.pick");
  if (!step || !row) return;
  event.preventDefault();
  const buttons = all("tr.pick:not([hidden])", body).map((each) => find("button", each.cells[0]));
  const next = buttons[buttons.indexOf(event.target) + step];
  if (next) next.focus();
});

const filter = find("#find"), which = find("#which"), shown = find("#shown");
function choose() {
  close();
  const wanted = filter.value.toLowerCase().normalize("NFC").trim();
  let count = 0;
  rows.forEach((row, i) => {
    const fits = texts[i].includes(wanted) && (which.value === "all" || row.classList.contains(which.value));
    row.hidden = !fits;
    count += fits;
  });
  shown.textContent = `${count} of ${rows.length}`;
}
filter.form.hidden = false;
filter.form.addEventListener("submit", (event) => event.preventDefault());
filter.addEventListener("input", choose);
which.addEventListener("change", choose);
choose();

const words = new Intl.Collator(undefined, {numeric: true});
all("thead button", table).forEach((button, column) => {
  button.disabled = false;
  button.addEventListener("click", () => {
    close();
    const header = button.closest("th");
    const down = header.getAttribute("aria-sort") === "ascending";
    for (const each of all("th[aria-sort]", table)) each.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (row) => row.cells[column].textContent;
    const order = button.dataset.kind === "number"
      ? (one, other) => Number(key(one)) - Number(key(other))
      : (one, other) => words.compare(key(one), key(other));
    // Equal ones stay in the order of their numbers.
    const sorted = rows.slice().sort((one, other) => (down ? -1 : 1) * order(one, other) || number(one) - number(other));
    body.append(...sorted);
  });
});

// Whoever follows a link to something folded up wants to see it.
function unfold() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") target.open = true;
}
addEventListener("hashchange", unfold);
unfold();
