// Where an attention's words and weights go: a map, or lines between words.

import { LETTER, element, shown, width } from "./svg.js";

const MARGIN = 8;
const FAINT = 0.004; // a line with less weight is not drawn

/** A grid of weights: the source along the top, what is said down the side, as large as there is room. */
export function layMap(drawing, room) {
  const columns = drawing.source.map(shown);
  const rows = drawing.tokens.map(shown);
  const left = Math.max(...rows.map(width)) + 2 * MARGIN;
  const ends = Math.max(...columns.map((text, column) => width(text) * 0.72 - 20 * (columns.length - 1 - column)));
  const cell = Math.max(16, Math.min(44, (room - left - ends - MARGIN) / columns.length, 1400 / rows.length));
  const widest = Math.max(...columns.map(width));
  const slanted = widest > cell - 4;
  const top = slanted ? widest * 0.72 + LETTER + MARGIN : LETTER + 2 * MARGIN;
  drawing.size(left + cell * columns.length + (slanted ? ends : 0) + MARGIN, top + cell * rows.length + MARGIN);

  drawing.eachWeight((weight, row, column) => {
    const [x, y] = [left + cell * column, top + cell * row];
    const square = element("rect", { class: "cell", x: x + 0.5, y: y + 0.5, width: cell - 1, height: cell - 1, rx: 2 });
    square.setAttribute("fill-opacity", Math.max(weight, 0.02));
    drawing.mark(square, row, column, cell < 24 ? null : { x: x + cell / 2, y: y + cell / 2 + 4 });
    square.addEventListener("pointerenter", () => drawing.onpoint("target", row));
  });
  columns.forEach((text, column) => {
    const x = left + cell * (column + 0.5);
    const label = slanted
      ? element("text", { transform: `translate(${x + 2} ${top - MARGIN}) rotate(-45)` }, text)
      : element("text", { x, y: top - MARGIN, "text-anchor": "middle" }, text);
    const box = { x: x - cell / 2 + 1, y: top - LETTER - MARGIN - 4, width: cell - 2, height: LETTER + MARGIN + 2 };
    drawing.word("source", column, label, box);
  });
  rows.forEach((text, row) => {
    const y = top + cell * row;
    const label = element("text", { x: left - MARGIN, y: y + cell / 2 + 5, "text-anchor": "end" }, text);
    drawing.word("target", row, label, { x: 1, y: y + 1, width: left - 3, height: cell - 2 });
  });
}

/** The source's words on the left, what is said on the right, and lines between them, the stronger the heavier. */
export function layLines(drawing, room) {
  const row = 27;
  const number = 30;
  const sides = {
    source: { texts: drawing.source.map(shown), anchor: "end" },
    target: { texts: drawing.tokens.map(shown), anchor: "start" },
  };
  const longest = Math.max(sides.source.texts.length, sides.target.texts.length);
  for (const side of Object.values(sides)) {
    side.wide = Math.max(...side.texts.map(width)) + 2 * MARGIN;
    side.top = MARGIN + (row * (longest - side.texts.length)) / 2;
  }
  const gap = Math.max(80, Math.min(260, room - sides.source.wide - sides.target.wide - 2 * number));
  const start = number + sides.source.wide;
  const end = start + gap;
  drawing.size(end + sides.target.wide + number, row * longest + 2 * MARGIN);

  const middle = (side, index) => side.top + row * (index + 0.5);
  drawing.eachWeight((weight, said, read) => {
    if (weight < FAINT) return;
    const [y1, y2] = [middle(sides.source, read), middle(sides.target, said)];
    const line = element("line", { class: "line", x1: start, y1, x2: end, y2 });
    line.setAttribute("stroke-opacity", weight);
    line.setAttribute("stroke-width", 1 + 5 * weight);
    drawing.mark(line, said, read, null);
  });
  for (const [name, side] of Object.entries(sides)) {
    const left = name === "source";
    side.texts.forEach((text, index) => {
      const y = middle(side, index);
      const label = element("text", { x: left ? start - MARGIN : end + MARGIN, y: y + 5, "text-anchor": side.anchor }, text);
      const box = { x: left ? number : end + 1, y: y - row / 2 + 1, width: side.wide - 2, height: row - 2 };
      drawing.word(name, index, label, box, { x: left ? number / 2 : end + side.wide + number / 2, y: y + 4 });
    });
  }
}
