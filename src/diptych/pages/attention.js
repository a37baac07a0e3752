"use strict";
// Attention maps: the source along the top, the hypothesis down the side, and of two that say the same the difference.
// Whatever a text holds, it only ever becomes a text node or an attribute's value.
//
// drawMaps(source, hypotheses) -> a <div>. source: the S tokens; hypotheses: for each backend {name, tokens, weights},
// its T tokens and its (T, S) weights as an array of rows. Point at a cell, or move there with the arrow keys, and the
// same cell is shown in each map and its weights are read out below.
const drawMaps = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const LETTER = 13;
  const measure = document.createElement("canvas").getContext("2d");

  function shape(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function html(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  // White space made visible, and very long tokens shortened.
  function label(token) {
    const characters = Array.from(token.replace(/\s/gu, "␣"));
    return characters.length > 24 ? characters.slice(0, 23).join("") + "…" : characters.join("");
  }

  function width(text) {
    measure.font = `${LETTER}px ${getComputedStyle(document.body).fontFamily}`;
    return measure.measureText(text).width;
  }

  // One map as an <svg>; paint(row, column) gives [class, opacity] of a cell.
  function drawMap(source, tokens, paint, description) {
    const columns = source.map(label), rows = tokens.map(label);
    const longest = Math.max(source.length, tokens.length);
    const cell = longest > 24 ? 19 : 25;
    const slanted = Math.max(...columns.map(width)) > 0.9 * cell;
    const reach = columns.map(width);
    const left = Math.ceil(Math.max(...rows.map(width))) + 10;
    const top = slanted ? Math.ceil(0.71 * Math.max(...reach)) + 18 : 24;
    const wide = left + cell * source.length, high = top + cell * tokens.length;
    const beyond = slanted ? Math.max(...reach.map((w, i) => left + cell * (i + 0.5) + 0.71 * w + 14 - wide), 0) : 0;
    const svg = shape("svg", {
      class: "map", width: Math.ceil(wide + beyond + 2), height: high + 2, tabindex: 0, role: "application",
      "aria-roledescription": "attention map", "aria-label": description,
    });
    const names = {columns: [], rows: []};
    columns.forEach((text, i) => {
      const x = left + cell * (i + 0.5), y = top - 6;
      const turn = slanted ? {"text-anchor": "start", transform: `rotate(-45 ${x} ${y})`} : {"text-anchor": "middle"};
      names.columns.push(shape("text", {x, y, "font-size": LETTER, ...turn}, text));
    });
    rows.forEach((text, i) => names.rows.push(shape("text", {
      x: left - 6, y: top + cell * (i + 0.5), "font-size": LETTER, "text-anchor": "end", "dominant-baseline": "central",
    }, text)));
    svg.append(...names.columns, ...names.rows);
    const whole = {x: left, y: top, width: cell * source.length, height: cell * tokens.length};
    svg.append(shape("rect", {class: "paper", ...whole}));
    let lines = "";
    for (let i = 1; i < source.length; i++) lines += `M${left + cell * i} ${top}v${cell * tokens.length}`;
    for (let i = 1; i < tokens.length; i++) lines += `M${left} ${top + cell * i}h${cell * source.length}`;
    if (lines) svg.append(shape("path", {class: "lines", d: lines}));
    for (let row = 0; row < tokens.length; row++) {
      for (let column = 0; column < source.length; column++) {
        const [kind, opacity] = paint(row, column);
        if (!(opacity > 0.004)) continue;
        svg.append(shape("rect", {
          class: kind, x: left + cell * column, y: top + cell * row, width: cell, height: cell,
          "fill-opacity": opacity.toFixed(3),
        }));
      }
    }
    svg.append(shape("rect", {class: "frame", ...whole}));
    const pointer = svg.appendChild(shape("rect", {class: "pointer off", width: cell, height: cell}));
    let at = null;
    svg.show = (row, column) => {
      at = row === null || row >= tokens.length || column >= source.length ? null : [row, column];
      pointer.classList.toggle("off", at === null);
      if (at) {
        pointer.setAttribute("x", left + cell * column);
        pointer.setAttribute("y", top + cell * row);
      }
      names.columns.forEach((text, i) => text.classList.toggle("lit", at !== null && i === column));
      names.rows.forEach((text, i) => text.classList.toggle("lit", at !== null && i === row));
    };
    const tell = (row, column) => svg.dispatchEvent(new CustomEvent("point", {detail: [row, column]}));
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const column = Math.floor((event.clientX - box.left - left) / cell);
      const row = Math.floor((event.clientY - box.top - top) / cell);
      const inside = column >= 0 && row >= 0 && column < source.length && row < tokens.length;
      if (inside) tell(row, column);
    });
    svg.addEventListener("keydown", (event) => {
      const step = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
      if (!step) return;
      event.preventDefault();
      const [row, column] = at ? [at[0] + step[0], at[1] + step[1]] : [0, 0];
      tell(Math.min(Math.max(row, 0), tokens.length - 1), Math.min(Math.max(column, 0), source.length - 1));
    });
    return svg;
  }

  return function drawMaps(source, hypotheses) {
    const box = html("div", {class: "maps"});
    const readout = html("output", {"aria-live": "polite"});
    const maps = [];
    const figure = (svg, ...caption) => {
      maps.push(svg);
      box.append(html("figure", {}, svg, html("figcaption", {}, ...caption)));
    };
    for (const {name, tokens, weights} of hypotheses) {
      const paint = (row, column) => ["weight", weights[row][column]];
      figure(drawMap(source, tokens, paint, `Attention in ${name}: move with the arrow keys`), html("b", {}, name));
    }
    const [one, other] = hypotheses;
    const same = hypotheses.length === 2 && one.tokens.join("\n") === other.tokens.join("\n");
    if (same) {
      const gap = (row, column) => other.weights[row][column] - one.weights[row][column];
      const every = one.tokens.flatMap((_, row) => source.map((_, column) => Math.abs(gap(row, column))));
      const largest = Math.max(...every);
      const paint = (row, column) => {
        const value = gap(row, column);
        return [value < 0 ? "first" : "second", largest ? Math.abs(value) / largest : 0];
      };
      const words = largest ? `, at most ${largest.toPrecision(2)}` : ": none";
      figure(
        drawMap(source, one.tokens, paint, `Difference of the two: move with the arrow keys`),
        html("b", {}, "difference"), words,
      );
    }
    for (const svg of maps) {
      svg.addEventListener("point", ({detail: [row, column]}) => {
        for (const each of maps) each.show(same || each === svg ? row : null, column);
        const shown = same ? hypotheses : [hypotheses[maps.indexOf(svg)]];
        const said = shown[0].tokens[row];
        const values = shown.map(({name, weights}) => `${name} ${weights[row][column].toFixed(4)}`);
        readout.textContent = `${label(said)} ← ${label(source[column])}: ${values.join(", ")}`;
      });
    }
    box.append(readout);
    return box;
  };
})();
