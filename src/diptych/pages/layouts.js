// Where an attention's words and weights go: a map, or lines between words.

import { LETTER, element, shown, width } from "./svg.js";

const MARGIN = 8;
const SMALLEST = 16; // of a cell
const SLANT = Math.SQRT1_2; // the share of its length that a word at 45 degrees is wide and high
const FAINT = 0.004; // a line with less weight is not drawn

/** A grid of weights: the source along the top, what is said down the side, as large as there is room. */
export function layMap(drawing, room) {
  const columns = drawing.source.map(shown);
  const rows = drawing.tokens.map(shown);
  const widths = columns.map(width);
  const left = Math.ceil(Math.max(...rows.map(width))) + 2 * MARGIN;
  // How far a slanted word reaches beyond the last cell.
  const beyond = (cell) => Math.max(0, ...widths.map((wide, i) => SLANT * wide + MARGIN - cell * (columns.length - i - 0.5)));
  const fitting = (cell) => {
    const wide = (room - left - beyond(cell) - MARGIN) / columns.length;
    return Math.max(SMALLEST, Math.floor(Math.min(drawing.largest, wide, 1400 / rows.length)));
  };
  const cell = fitting(fitting(SMALLEST)); // in larger cells words reach less far beyond
  const widest = Math.max(...widths);
  const slanted = widest > cell - 4;
  const top = Math.ceil(slanted ? widest * SLANT + LETTER + MARGIN : LETTER + 2 * MARGIN);
  const whole = { x: left, y: top, width: cell * columns.length, height: cell * rows.length };
  drawing.size(Math.ceil(left + whole.width + (slanted ? beyond(cell) : 0) + MARGIN), top + whole.height + MARGIN);

  let grid = "";
  for (let column = 1; column < columns.length; column++) grid += `M${left + cell * column} ${top}v${whole.height}`;
  for (let row = 1; row < rows.length; row++) grid += `M${left} ${top + cell * row}h${whole.width}`;
  drawing.shapes.append(element("rect", { class: "paper", ...whole }), element("path", { class: "grid", d: grid }));
  drawing.eachWeight((weight, row, column) => {
    const [x, y] = [left + cell * column, top + cell * row];
    const place = cell < 24 ? null : { x: x + cell / 2, y: y + cell / 2 + 4 };
    drawing.cell(row, column, { x, y, width: cell, height: cell }, place);
  });
  drawing.shapes.append(element("rect", { class: "frame", ...whole }));
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
