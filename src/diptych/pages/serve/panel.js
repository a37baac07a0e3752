// One framework's panel: what it says, the time it took, its attention and its beam's alternatives.

import { Attention } from "../attention.js";

export const NAMES = { tensorflow: "TensorFlow", pytorch: "PyTorch", reference: "NumPy reference", onnxruntime: "ONNX Runtime" };

/** An element with a class and children; text goes in as text, whatever it holds. */
export function make(name, className = "", ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// What is said of a doubtful translation; unknown words are said of the source, and the end by itself.
const DOUBTS = { longer_than_training: "longer than any sentence in training", loop: "repeats itself" };
const ROOM_AROUND = 40; // of a panel: its padding, as in page.css

export const score = (value) => value.toFixed(4).replace("-", "−");

export class Panel {
  constructor(backend) {
    this.backend = backend;
    this.root = make("section", `panel ${backend}`);
    this.root.setAttribute("aria-label", NAMES[backend]);
    this.clear();
  }

  clear() {
    this.tokens = [];
    this.map = null;
    this.root.replaceChildren(this.heading(""));
  }

  heading(time) {
    return make("h2", "", make("span", "", NAMES[this.backend]), make("span", "time", time));
  }

  showTrouble(message) {
    this.clear();
    this.root.append(make("p", "trouble", `${NAMES[this.backend]} does not answer: ${message}.`));
  }

  /** Show a translation. `differs` holds the places of the tokens that the other framework does not say. */
  show(sentence, translation, { differs, joint, view, onpoint, sampled }) {
    this.clear();
    this.root.replaceChildren(this.heading(`${translation.milliseconds.toFixed(1)} ms`));
    const ended = translation.tokens.at(-1) === "<eos>";
    const said = ended ? translation.tokens.slice(0, -1) : translation.tokens;
    const line = make("p", "said");
    this.tokens = said.map((token, index) => {
      const span = make("span", differs.has(index) ? "token differs" : "token", token);
      span.addEventListener("pointerenter", () => onpoint({ target: index }));
      span.addEventListener("pointerleave", () => onpoint({}));
      if (index) line.append(joint);
      line.append(span);
      return span;
    });
    if (!said.length) line.append("(nothing)");
    this.root.append(line);
    const kind = translation.alternatives.length ? "score" : "log-probability";
    const how = [`${kind} ${score(translation.score)}`, sampled ? "sampled" : "", ended || !said.length ? "" : "cut off by the maximum length",
      ...(translation.doubts ?? []).map((doubt) => DOUBTS[doubt] ?? "")];
    this.root.append(make("p", "small", how.filter(Boolean).join(" · ")));
    this.root.append(this.drawing(sentence, translation, view, onpoint));
    if (translation.alternatives.length) this.root.append(this.alternatives(translation.alternatives));
  }

  drawing(sentence, translation, view, onpoint) {
    if (!translation.attention) {
      const why = translation.tokens.length ? "No attention map: the model has no attention, or the map is too large." : "";
      return make("p", "small", why);
    }
    this.map = new Attention({
      source: sentence.source_tokens,
      unknown: sentence.unknown,
      tokens: translation.tokens,
      weights: translation.attention,
      view,
      room: this.root.clientWidth - ROOM_AROUND,
      label: `Attention of ${NAMES[this.backend]}; arrow keys go from word to word`,
      onpoint,
    });
    return make("div", "drawing", this.map.figure);
  }

  alternatives(found) {
    const table = make("table", "alternatives", make("caption", "", "What the beam found, and its score"));
    found.forEach(({ text, score: value }, index) => {
      table.append(make("tr", "", make("td", "", `${index + 1}`), make("td", "", text), make("td", "", score(value))));
    });
    return table;
  }

  light(place) {
    this.map?.light(place);
    this.tokens.forEach((span, index) => span.classList.toggle("lit", index === place.target));
  }
}
