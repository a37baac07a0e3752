// The form, the question to the server, and what the two answers have in common.

import { Panel, NAMES, make } from "./panel.js";
import { compare } from "./verdict.js";

const get = (id) => document.getElementById(id);
const SLIDERS = ["beam_size", "temperature", "maximum_length"];
const panels = {};
let model = null;
let answer = null; // the last one, with what was asked
let asked = 0;

async function fetchJson(path, options) {
  const response = await fetch(path, options);
  const text = await response.text();
  let found = {};
  try { found = JSON.parse(text); } catch { /* said below */ }
  if (!response.ok) throw new Error(found.detail ?? `the server said ${response.status} ${response.statusText}`);
  return found;
}

async function begin() {
  model = await fetchJson("api/model");
  for (const id of SLIDERS) get(id).value = model.search[id];
  get("seed").value = model.search.seed;
  get("sentence").maxLength = model.limits.characters;
  const size = model.parameters.toLocaleString("en");
  document.title = `Diptych: ${model.run}`;
  get("about").textContent = `${model.run}: ${model.model.cell.toUpperCase()}, ` +
    (model.model.attention === "none" ? "no attention" : `${model.model.attention} attention`) + `, ${size} parameters`;
  for (const [backend, facts] of Object.entries(model.backends)) {
    panels[backend] = new Panel(backend);
    get("panels").append(panels[backend].root);
    if (!facts.ready) panels[backend].showTrouble(facts.trouble);
  }
  get("facts").textContent = Object.entries(model.backends).map(([backend, { versions, precision, trained_in }]) => {
    const numbers = Object.values(versions).join(", Keras ");
    const weights = NAMES[trained_in] ? `, weights trained in ${NAMES[trained_in]}` : "";
    return `${NAMES[backend]} ${numbers}${precision ? `, ${precision}` : ""}${weights}.`;
  }).join(" ");
  for (const example of model.examples) {
    const button = make("button", "", example);
    button.type = "button";
    button.addEventListener("click", () => { get("sentence").value = example; translate(); });
    get("examples").append(button);
  }
  get("examples").hidden = !model.examples.length;
  if (!get("sentence").value) get("sentence").placeholder = model.examples[0] ?? "";
  settle();
}

// Sampling and a beam exclude each other: whoever moved last wins.
function settle(moved) {
  if (moved === "temperature" && Number(get("temperature").value) > 0) get("beam_size").value = 1;
  if (moved === "beam_size" && Number(get("beam_size").value) > 1) get("temperature").value = 0;
  const beam = Number(get("beam_size").value);
  const temperature = Number(get("temperature").value);
  const longest = Number(get("maximum_length").value);
  get("beam_size_value").textContent = beam;
  get("temperature_value").textContent = temperature;
  get("maximum_length_value").textContent = longest || "auto";
  get("seed").disabled = temperature === 0;
}

function options() {
  const number = (id) => Number(get(id).value);
  const search = { temperature: number("temperature"), maximum_length: number("maximum_length") };
  return search.temperature > 0 ? { ...search, seed: number("seed") } : { ...search, beam_size: number("beam_size") };
}

async function translate() {
  const sentence = get("sentence").value.trim() ? get("sentence").value : get("sentence").placeholder;
  if (!model || !sentence.trim()) return;
  get("sentence").value = sentence;
  const search = options();
  const turn = ++asked;
  get("panels").classList.add("waiting");
  say("", "Translating …");
  try {
    const body = JSON.stringify({ sentences: [sentence], ...search });
    const found = await fetchJson("api/translate", { method: "POST", headers: { "content-type": "application/json" }, body });
    if (turn !== asked) return; // a later question has been asked meanwhile
    answer = { sentence: found.sentences[0], search };
    show();
  } catch (error) {
    if (turn !== asked) return;
    answer = null;
    for (const panel of Object.values(panels)) panel.clear();
    get("hint").hidden = true;
    say(`No translation: ${error.message}.`);
  }
  get("panels").classList.remove("waiting");
}

function show() {
  const { sentence, search } = answer;
  const { verdict, differs } = compare(sentence);
  const view = document.querySelector("input[name=view]:checked").value;
  for (const [backend, panel] of Object.entries(panels)) {
    const translation = sentence.translations[backend];
    if (!translation) {
      panel.showTrouble(sentence.errors[backend]);
      continue;
    }
    panel.show(sentence, translation, {
      differs: differs[backend] ?? new Set(),
      joint: model.target_tokenizer === "word" ? " " : "",
      view,
      sampled: search.temperature > 0,
      onpoint: (place) => Object.values(panels).forEach((each) => each.light(place)),
    });
  }
  const strange = sentence.unknown.map((place) => `“${sentence.source_tokens[place]}”`);
  say(verdict, strange.length ? `The model does not know ${[...new Set(strange)].join(", ")}.` : "");
  get("hint").hidden = !Object.values(panels).some((panel) => panel.map);
}

function say(text, note = "") {
  get("verdict").replaceChildren(text, " ", make("span", "note", note));
}

get("form").addEventListener("submit", (event) => { event.preventDefault(); translate(); });
get("sentence").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); translate(); }
});
for (const id of SLIDERS) {
  get(id).addEventListener("input", () => settle(id));
  get(id).addEventListener("change", () => { if (answer) translate(); });
}
get("seed").addEventListener("change", () => { if (answer) translate(); });
for (const radio of document.querySelectorAll("input[name=view]")) {
  radio.addEventListener("change", () => { if (answer) show(); });
}
// Sizes follow from the page's width and its fonts; the font of Korean is fetched when it is first needed.
let wide = innerWidth;
addEventListener("resize", () => {
  if (answer && innerWidth !== wide) show();
  wide = innerWidth;
});
document.fonts.addEventListener("loadingdone", () => { if (answer) show(); });
begin().catch((error) => say(`The server does not answer: ${error.message}.`));
