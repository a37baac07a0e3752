// One translation's attention as inline SVG: a map, or lines between words, of which a word or a cell lights up.
// Whatever a text holds, it only ever becomes a text node or an attribute's value.

import { layLines, layMap } from "./layouts.js";
import { element } from "./svg.js";

const LAYOUTS = { map: layMap, lines: layLines };
const STRONG = 0.2; // a word with so much weight is printed bold
const STEPS = { ArrowRight: ["source", 1], ArrowLeft: ["source", -1], ArrowDown: ["target", 1], ArrowUp: ["target", -1] };

const percent = (weight) => `${Math.round(100 * weight)}`;

/**
 * A drawing of `weights[T][S]`, `figure`, with which one walks from word to word, or from cell to cell of a map.
 *
 * A place is `{source}` or `{target}`, the index of a word; `{source, target}`, a cell; or `{}`, none. Whoever points at
 * one, or goes there by keyboard, is told to `onpoint(place)`; `light(place)` shows it.
 *
 * source, tokens: the words; unknown: the indices of those that the model does not know.
 * view: "map" or "lines"; cells: walk from cell to cell, a place stays lit when the pointer has left.
 * paint: gives the class and the opacity of a weight.
 * room: how wide the figure should be; largest: how large a cell may be, both in pixels.
 * label: says to who does not see it what the figure is.
 */
export class Attention {
  constructor({
    source, tokens, weights, room, label, onpoint,
    unknown = [], view = "map", cells = false, largest = 44, paint = (weight) => ["", weight],
  }) {
    Object.assign(this, { source, unknown, tokens, weights, cells, largest, paint, onpoint });
    this.words = { source: [], target: [] };
    this.marks = []; // every cell or line with the two words that it joins
    this.at = null; // the cell that is lit
    this.shapes = element("g", { "aria-hidden": "true" });
    this.numbers = element("g", { "aria-hidden": "true" });
    this.pointer = element("rect", { class: "pointer off" });
    this.figure = element("svg", { class: "attention", role: cells ? "application" : "group", "aria-label": label });
    this.figure.append(this.shapes);
    LAYOUTS[view](this, room);
    this.figure.append(this.pointer, this.numbers);
    this.figure.addEventListener("keydown", (event) => this.onkey(event));
    (cells ? this.figure : this.words.target[0].group).setAttribute("tabindex", "0");
    if (cells) {
      this.figure.setAttribute("aria-roledescription", "attention map");
      return;
    }
    this.figure.addEventListener("focusout", () => onpoint({}));
    this.figure.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch") onpoint({}); // a finger leaves as soon as it has pointed
    });
  }

  size(wide, high) {
    this.figure.setAttribute("viewBox", `0 0 ${wide} ${high}`);
    this.figure.setAttribute("width", wide);
    this.figure.setAttribute("height", high);
  }

  eachWeight(draw) {
    this.weights.forEach((weights, row) => weights.forEach((weight, column) => draw(weight, row, column)));
  }

  /** Add the shape of a weight, and where its number is shown when it is lit. */
  mark(shape, row, column, place) {
    this.shapes.append(shape);
    this.marks.push({ shape, row, column, place });
  }

  /** Add the cell of a weight, which can be pointed at. */
  cell(row, column, box, place) {
    const [kind, opacity] = this.paint(this.weights[row][column]);
    const square = element("rect", { class: `cell ${kind}`, "fill-opacity": opacity, ...box });
    square.addEventListener("pointerenter", () => this.onpoint(this.cells ? { source: column, target: row } : { target: row }));
    this.mark(square, row, column, this.cells ? null : place);
  }

  /** Add a word: its label, the box around it, and where the number of its weight is shown when another is lit. */
  word(side, index, label, box, place = null) {
    const own = side === "source" ? this.source[index] : this.tokens[index];
    const strange = side === "source" && this.unknown.includes(index);
    const title = element("title", {}, strange ? `${own} (unknown to the model)` : own);
    const group = element("g", { class: strange ? "word unknown" : "word" }, title, label);
    if (!this.cells) {
      title.after(element("rect", { class: "hit", rx: 4, ...box }));
      group.setAttribute("role", "img");
      group.setAttribute("tabindex", "-1");
      group.setAttribute("aria-label", this.described(side, index));
      for (const event of ["pointerenter", "focus"]) group.addEventListener(event, () => this.onpoint({ [side]: index }));
    }
    this.figure.append(group);
    this.words[side][index] = { group, label, place };
  }

  /** The weights between a word and each of the other side. */
  of(side, index) {
    return side === "target" ? this.weights[index] : this.weights.map((row) => row[index]);
  }

  /** What a word's weights say, for who does not see them. */
  described(side, index) {
    const [own, others, verb] = side === "source"
      ? [this.source, this.tokens, "is looked at by"]
      : [this.tokens, this.source, "looks at"];
    const order = this.of(side, index).map((weight, place) => [weight, place]).sort((a, b) => b[0] - a[0]);
    return `${own[index]} ${verb} ${order.slice(0, 3).map(([w, place]) => `${others[place]} ${percent(w)} percent`).join(", ")}`;
  }

  light(place) {
    const sides = Object.keys(place);
    const lit = sides.every((side) => place[side] < this.words[side].length) ? place : {};
    this.at = sides.length === 2 && lit === place ? place : null;
    const [side] = this.at ? [] : Object.keys(lit); // of the one word that is lit
    const fits = ({ row, column }) => (lit.target ?? row) === row && (lit.source ?? column) === column;
    this.numbers.replaceChildren();
    this.pointer.classList.toggle("off", !this.at);
    for (const mark of this.marks) {
      const within = fits(mark);
      mark.shape.classList.toggle("dim", side !== undefined && !within);
      if (side !== undefined && within) this.number(mark.place, this.weights[mark.row][mark.column]);
      if (!this.at || !within) continue;
      for (const key of ["x", "y", "width", "height"]) this.pointer.setAttribute(key, mark.shape.getAttribute(key));
    }
    for (const [other, words] of Object.entries(this.words)) {
      const weights = side !== undefined && other !== side ? this.of(side, lit[side]) : null;
      words.forEach(({ group, label, place: where }, index) => {
        group.classList.toggle("lit", weights ? weights[index] >= STRONG : index === lit[other]);
        label.setAttribute("fill-opacity", weights ? 0.35 + 0.65 * Math.min(1, 2 * weights[index]) : 1);
        if (weights) this.number(where, weights[index]);
      });
    }
  }

  number(place, weight) {
    if (place) this.numbers.append(element("text", { class: "number", ...place }, percent(weight)));
  }

  onkey(event) {
    if (event.key === "Escape") this.onpoint({});
    if (!(event.key in STEPS)) return;
    event.preventDefault();
    const [side, step] = STEPS[event.key];
    const within = (index, which) => Math.max(0, Math.min(this.words[which].length - 1, index));
    if (this.cells) {
      const at = this.at ?? { source: 0, target: 0 };
      this.onpoint({ ...at, [side]: within(at[side] + (this.at ? step : 0), side) });
      return;
    }
    const words = this.words[side];
    const from = words.findIndex(({ group }) => group === event.target);
    const next = words[from < 0 ? 0 : within(from + step, side)].group; // from the other side to this one's first
    this.figure.querySelector('[tabindex="0"]').setAttribute("tabindex", "-1"); // the figure itself can be gone to, too
    next.setAttribute("tabindex", "0");
    next.focus();
  }
}
