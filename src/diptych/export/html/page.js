// The page: a sentence, its translation by the model inside, and where the model looked.

import { Attention } from "../../pages/attention.js";
import { Model, Stepper } from "../../javascript/model.mjs";
import { EOS, UNK, find } from "../../javascript/search.mjs";
import { Language } from "../../javascript/tokens.mjs";
import { decoded, readWeights } from "../../javascript/weights.mjs";

const get = (id) => document.getElementById(id);
const data = JSON.parse(get("data").textContent);
const source = new Language(data.source);
const target = new Language(data.target);
const stepper = new Stepper(new Model(data.config, readWeights(data.layout, decoded(get("weights").textContent))));
let answer = null; // the last one
let map = null; // its drawing

/** The run's own search with what the form says. */
function search() {
  const number = (id) => Number(get(id).value);
  const kind = get("kind").value;
  const plain = { ...data.search, beam_size: 1, n_best: 1, temperature: 0, top_k: 0, top_p: 1 };
  if (kind === "sampling") {
    return { ...plain, top_k: data.search.top_k, top_p: data.search.top_p, temperature: number("temperature"), seed: number("seed") };
  }
  return kind === "beam" ? { ...plain, beam_size: number("beam_size"), n_best: number("beam_size") } : plain;
}

function translate() {
  const sentence = get("sentence").value.trim() ? get("sentence").value : get("sentence").placeholder;
  if (!sentence.trim() || !get("form").reportValidity()) return;
  get("sentence").value = sentence;
  const started = performance.now();
  const tokens = source.tokenize(sentence);
  if (!tokens.length) return;
  const ids = source.encode(tokens);
  const asked = search();
  const room = 2 * ids.length * data.finer + data.room;
  const longest = asked.maximum_length || Math.max(room, asked.minimum_length ? asked.minimum_length + 1 + data.room : 0);
  const found = find(stepper, ids, longest, asked);
  answer = { tokens, ids, found, asked, milliseconds: performance.now() - started };
  show();
}

/** Show the answer. */
function show() {
  const { tokens, ids, found, asked, milliseconds } = answer;
  const [best] = found;
  const words = target.decode(best.tokens);
  const said = best.tokens.at(-1) === EOS ? words.slice(0, -1) : words;
  get("answer").hidden = false;
  const shown = said.map((token) => element("span", "token", token));
  get("said").replaceChildren(...(joinable(said) ? joined(shown) : [textOf(best)]));
  const score = asked.beam_size > 1 ? `score ${number(best.score)}` : `log-probability ${number(best.logProbability)}`;
  const strange = tokens.filter((_, place) => ids[place] === UNK).map((token) => `“${token}”`);
  const notes = [score, `${milliseconds.toFixed(0)} ms`];
  if (said.length === words.length) notes.push("cut off at the longest length");
  if (strange.length) notes.push(`it does not know ${[...new Set(strange)].join(", ")}`);
  get("spoken").textContent = get("said").textContent;
  get("told").textContent = notes.join(" · ");
  draw(tokens, ids, words, best.attention, shown);
  get("others").hidden = found.length < 2;
  get("others").tBodies[0].replaceChildren(...found.map((each) => {
    const row = element("tr");
    row.append(element("td", "", textOf(each)), element("td", "", number(each.score)));
    return row;
  }));
}

function draw(tokens, ids, words, weights, shown) {
  const attends = data.config.attention !== "none";
  get("hint").hidden = !attends;
  if (!attends) return;
  map = new Attention({
    source: tokens,
    unknown: ids.flatMap((id, place) => (id === UNK ? [place] : [])),
    tokens: words,
    weights: weights.map((row) => Array.from(row)),
    room: get("drawing").clientWidth,
    label: "Where the model looked; arrow keys go from word to word",
    onpoint: (place) => {
      map.light(place);
      shown.forEach((span, index) => span.classList.toggle("lit", index === place.target));
    },
  });
  shown.forEach((span, index) => {
    span.addEventListener("pointerenter", () => map.light({ target: index }));
    span.addEventListener("pointerleave", () => map.light({}));
  });
  get("drawing").replaceChildren(map.figure);
}

/** Whether the tokens, as they are, make the text: not where their letters are composed. */
const joinable = (tokens) => target.kind !== "jamo" && tokens.length > 0;

function joined(said) {
  const spans = target.reverse ? [...said].reverse() : said;
  return target.kind === "word" ? spans.flatMap((span, index) => (index ? [" ", span] : [span])) : spans;
}

function textOf({ tokens }) {
  const said = target.decode(tokens.filter((token) => token !== EOS));
  return target.detokenize(said) || "(nothing)";
}

function number(value) {
  return value.toFixed(4).replace("-", "−");
}

function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(text);
  return made;
}

/** Show the options of the chosen search. */
function settle() {
  for (const label of document.querySelectorAll("[data-of]")) {
    label.hidden = label.dataset.of !== get("kind").value;
    label.querySelector("input").disabled = label.hidden;
  }
}

get("kind").value = data.search.beam_size > 1 ? "beam" : data.search.temperature > 0 ? "sampling" : "greedy";
if (data.search.beam_size > 1) get("beam_size").value = data.search.beam_size;
if (data.search.temperature > 0) get("temperature").value = data.search.temperature;
get("seed").value = data.search.seed;
settle();
get("sentence").placeholder = data.examples[0] ?? "";
get("form").addEventListener("submit", (event) => { event.preventDefault(); translate(); });
get("sentence").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); translate(); }
});
get("kind").addEventListener("change", settle);
for (const id of ["kind", "beam_size", "temperature", "seed"]) get(id).addEventListener("change", () => answer && translate());
for (const button of document.querySelectorAll("#examples button")) {
  button.addEventListener("click", () => { get("sentence").value = button.textContent; translate(); });
}
// Sizes follow from the page's width.
let wide = innerWidth;
addEventListener("resize", () => {
  if (answer && innerWidth !== wide) show();
  wide = innerWidth;
});
