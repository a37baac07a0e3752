// The attention maps of one sentence: each framework's and, where both say the same, what they differ by.

import { Attention } from "../attention.js";
import { shown } from "../svg.js";

const CELL = 25;
const CELL_OF_MANY = 19;
const MANY = 24;

function html(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/**
 * A <div> that is `room` pixels wide. source: the S tokens; hypotheses: for each framework its name, its T tokens and its
 * weights[T][S]. difference: {largest, hundredths}, the second map less the first from before the weights were rounded, row
 * after row in hundredths of the largest, or null where it is not known. Point at a cell, or move there with the arrow keys:
 * it is shown in each map, and its weights are read out.
 */
export function drawMaps(source, hypotheses, difference, room) {
  const box = html("div", { class: "maps" });
  const readout = html("output", { "aria-live": "polite" });
  const maps = [];
  const [one, other] = hypotheses;
  const same = hypotheses.length === 2 && one.tokens.join("\n") === other.tokens.join("\n");

  function add(tokens, weights, label, caption, paint) {
    const largest = Math.max(source.length, tokens.length) > MANY ? CELL_OF_MANY : CELL;
    const onpoint = (place) => point(map, place);
    const map = new Attention({
      source, tokens, weights, room, largest, paint, onpoint, cells: true, label: `${label}: move with the arrow keys`,
    });
    maps.push(map);
    box.append(html("figure", {}, map.figure, html("figcaption", {}, ...caption)));
  }

  function point(map, place) {
    for (const each of maps) each.light(same || each === map ? place : {});
    const told = same ? hypotheses : [hypotheses[maps.indexOf(map)]];
    const { source: column, target: row } = place;
    const values = () => told.map(({ name, weights }) => `${name} ${weights[row][column].toFixed(4)}`).join(", ");
    readout.textContent = map.at ? `${shown(told[0].tokens[row])} ← ${shown(source[column])}: ${values()}` : "";
  }

  for (const { name, tokens, weights } of hypotheses) add(tokens, weights, `Attention in ${name}`, [html("b", {}, name)]);
  if (same) {
    const exact = (t, s) => (difference.hundredths[t * source.length + s] / 100) * difference.largest;
    const rounded = (t, s) => other.weights[t][s] - one.weights[t][s];
    const gaps = one.tokens.map((_, t) => source.map((_, s) => (difference ? exact : rounded)(t, s)));
    const largest = difference ? difference.largest : Math.max(...gaps.flat().map(Math.abs));
    const paint = (gap) => [gap < 0 ? "first" : "second", largest ? Math.abs(gap) / largest : 0];
    const none = difference ? ": none in float32" : ": none in the four decimals that the report holds";
    const words = largest ? `, at most ${largest.toPrecision(2)}` : none;
    add(one.tokens, gaps, "Difference of the two", [html("b", {}, "difference"), words], paint);
  }
  box.append(readout);
  return box;
}
