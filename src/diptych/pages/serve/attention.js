// One translation's attention as inline SVG. Point at a word, or go to it by keyboard, and its weights light up.

import { layLines, layMap } from "./layouts.js";
import { element } from "./svg.js";

const LAYOUTS = { map: layMap, lines: layLines };
const STRONG = 0.2; // a word with so much weight is printed bold
const STEPS = { ArrowRight: ["source", 1], ArrowLeft: ["source", -1], ArrowDown: ["target", 1], ArrowUp: ["target", -1] };

const percent = (weight) => `${Math.round(100 * weight)}`;

/** A drawing of `attention[T][S]`: `figure` is the SVG, `light(side, index)` lights a word up, without a side all. */
export class Attention {
  constructor({ source, unknown, tokens, attention, view, room, label, onpoint }) {
    Object.assign(this, { source, unknown, tokens, attention, onpoint });
    this.words = { source: [], target: [] };
    this.marks = []; // every cell or line with the two words that it joins
    this.shapes = element("g", { "aria-hidden": "true" });
    this.figure = element("svg", { class: "attention", role: "group", "aria-label": label }, this.shapes);
    LAYOUTS[view](this, room);
    this.words.target[0].group.setAttribute("tabindex", "0");
    this.figure.addEventListener("keydown", (event) => this.onkey(event));
    this.figure.addEventListener("pointerleave", () => onpoint());
    this.figure.addEventListener("focusout", () => onpoint());
  }

  size(wide, high) {
    this.figure.setAttribute("viewBox", `0 0 ${wide} ${high}`);
    this.figure.setAttribute("width", wide);
    this.figure.setAttribute("height", high);
  }

  eachWeight(draw) {
    this.attention.forEach((weights, row) => weights.forEach((weight, column) => draw(weight, row, column)));
  }

  /** Add the shape of a weight, and where its number is shown when it is lit. */
  mark(shape, row, column, place) {
    this.shapes.append(shape);
    this.marks.push({ shape, row, column, number: place && this.number(place, this.attention[row][column]) });
  }

  /** Add a word: its label, the box around it, and where the number of its weight is shown when another is lit. */
  word(side, index, label, box, place = null) {
    const strange = side === "source" && this.unknown.includes(index);
    const own = side === "source" ? this.source[index] : this.tokens[index];
    const group = element(
      "g",
      { class: strange ? "word unknown" : "word", role: "img", tabindex: "-1", "aria-label": this.described(side, index) },
      element("title", {}, strange ? `${own} (unknown to the model)` : own),
      element("rect", { class: "hit", rx: 4, ...box }),
      label,
    );
    for (const event of ["pointerenter", "focus"]) group.addEventListener(event, () => this.onpoint(side, index));
    this.figure.append(group);
    this.words[side][index] = { group, label, number: place && this.number(place, 0) };
  }

  number(place, weight) {
    const number = element("text", { class: "number", ...place }, percent(weight));
    this.shapes.append(number);
    return number;
  }

  weights(side, index) {
    return side === "target" ? this.attention[index] : this.attention.map((row) => row[index]);
  }

  /** What a word's weights say, for who does not see them. */
  described(side, index) {
    const [own, others, verb] = side === "source"
      ? [this.source, this.tokens, "is looked at by"]
      : [this.tokens, this.source, "looks at"];
    const order = this.weights(side, index).map((weight, place) => [weight, place]).sort((a, b) => b[0] - a[0]);
    return `${own[index]} ${verb} ${order.slice(0, 3).map(([w, place]) => `${others[place]} ${percent(w)} percent`).join(", ")}`;
  }

  light(side, index) {
    const known = Boolean(side) && index < this.words[side].length;
    for (const { shape, number, row, column } of this.marks) {
      const lit = known && (side === "target" ? row : column) === index;
      shape.classList.toggle("dim", known && !lit);
      number?.classList.toggle("lit", lit);
    }
    for (const [other, words] of Object.entries(this.words)) {
      const weights = known && other !== side ? this.weights(side, index) : null;
      words.forEach(({ group, label, number }, place) => {
        group.classList.toggle("lit", weights ? weights[place] >= STRONG : known && place === index);
        label.setAttribute("fill-opacity", weights ? 0.35 + 0.65 * Math.min(1, 2 * weights[place]) : 1);
        if (!number) return;
        number.textContent = weights ? percent(weights[place]) : "";
        number.classList.toggle("lit", Boolean(weights));
      });
    }
  }

  onkey(event) {
    if (event.key === "Escape") this.onpoint();
    const at = (side) => this.words[side].findIndex(({ group }) => group === event.target);
    if (!(event.key in STEPS) || (at("source") < 0 && at("target") < 0)) return;
    event.preventDefault();
    const [side, step] = STEPS[event.key];
    const words = this.words[side];
    const next = words[at(side) < 0 ? 0 : Math.max(0, Math.min(words.length - 1, at(side) + step))].group;
    event.target.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  }
}
