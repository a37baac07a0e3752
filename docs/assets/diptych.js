// Lines that light up in both columns, the attention map's numbers, the chart of the loss gap. Nothing is fetched.
(() => {
  "use strict";

  function lightUp(pair) {
    const sides = [...pair.querySelectorAll("code")].map((code) => [...code.querySelectorAll(".dp-line")]);
    if (sides.length < 2) return;
    let lit = -1;
    const light = (number) => {
      for (const side of sides) {
        if (side[lit]) side[lit].classList.remove("dp-lit");
        if (side[number]) side[number].classList.add("dp-lit");
      }
      lit = number;
    };
    for (const side of sides)
      side.forEach((line, number) => {
        line.addEventListener("pointerenter", () => light(number));
        line.addEventListener("click", () => light(number));
      });
    pair.addEventListener("pointerleave", () => light(-1));
    const most = Math.max(...sides.map((side) => side.length));
    for (const block of pair.querySelectorAll("pre.highlight")) {
      block.addEventListener("keydown", (event) => {
        if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
        event.preventDefault();
        light(Math.min(most - 1, Math.max(0, lit + (event.key === "ArrowDown" ? 1 : -1))));
      });
      block.addEventListener("blur", () => light(-1));
    }
  }

  function readMap(map) {
    const rows = [...map.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("td")]);
    const said = map.querySelector(".dp-said");
    const sources = [...map.querySelectorAll("thead th")].map((cell) => cell.textContent);
    rows.forEach((row, y) =>
      row.forEach((cell, x) => {
        const say = () => {
          const word = cell.parentElement.querySelector("th").textContent;
          said.textContent = `${word} → ${sources[x]}: TensorFlow ${cell.dataset.tensorflow}, PyTorch ${cell.dataset.pytorch}`;
        };
        cell.addEventListener("pointerenter", say);
        cell.addEventListener("focus", say);
        cell.addEventListener("click", () => cell.focus());
        cell.addEventListener("keydown", (event) => {
          const move = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
          const next = move && (rows[y + move[0]] || [])[x + move[1]];
          if (!move) return;
          event.preventDefault();
          if (next) next.focus();
        });
      })
    );
    if (rows.length) rows[0][0].tabIndex = 0;
  }

  function drawGap(box) {
    const gaps = JSON.parse(box.dataset.gaps), kinds = Object.keys(gaps);
    const svg = box.querySelector("svg"), slider = box.querySelector("input"), said = box.querySelector(".dp-said");
    const wide = Math.max(320, Math.min(640, box.clientWidth || 640)); // on a phone the letters stay as large
    svg.setAttribute("viewBox", `0 0 ${wide} 300`);
    const steps = gaps[kinds[0]].length, left = 52, right = wide - 80, top = 12, bottom = 262;
    const all = kinds.flatMap((kind) => gaps[kind]).filter((gap) => gap > 0);
    const highest = Math.ceil(Math.log10(Math.max(...all, 1e-6)));
    const lowest = Math.floor(Math.log10(Math.min(...all, 1e-16))) - 2; // where 0 is drawn
    const x = (step) => left + ((step - 1) / (steps - 1)) * (right - left);
    const y = (gap) => bottom - ((Math.max(Math.log10(gap || 1e-99), lowest) - lowest) / (highest - lowest)) * (bottom - top);
    const make = (tag, attributes, text) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
      if (text) made.textContent = text;
      return svg.appendChild(made);
    };
    const mark = (at, text) => {
      make("line", { x1: left, x2: right, y1: at, y2: at, class: "dp-grid" });
      make("text", { x: left - 6, y: at + 4, "text-anchor": "end" }, text);
    };
    for (let power = highest; power > lowest + 1; power -= 4) mark(y(10 ** power), `1e${power}`);
    mark(y(0), "0");
    for (const step of [1, Math.round(steps / 2), steps])
      make("text", { x: x(step), y: bottom + 18, "text-anchor": "middle" }, String(step));
    let last = -100;
    for (const kind of [...kinds].sort((a, b) => y(gaps[a][steps - 1]) - y(gaps[b][steps - 1]))) {
      const points = gaps[kind].map((gap, index) => `${x(index + 1).toFixed(1)},${y(gap).toFixed(1)}`);
      make("path", { d: `M${points.join("L")}`, class: `dp-${kind}` });
      last = Math.max(last + 14, y(gaps[kind][steps - 1]) + 4);
      make("text", { x: right + 8, y: last, class: `dp-${kind}` }, kind);
    }
    const now = make("line", { y1: top, y2: bottom, class: "dp-now" });
    const show = () => {
      const step = Number(slider.value);
      now.setAttribute("x1", x(step));
      now.setAttribute("x2", x(step));
      const values = kinds.map((kind) => {
        const gap = gaps[kind][step - 1];
        return `${kind} ${gap ? gap.toExponential(1) : box.dataset.same}`;
      });
      said.textContent = `${box.dataset.step} ${step}: ${values.join(" · ")}`;
    };
    slider.addEventListener("input", show);
    show();
  }

  document.querySelectorAll(".dp-pair").forEach(lightUp);
  document.querySelectorAll(".dp-map").forEach(readMap);
  document.querySelectorAll(".dp-gap").forEach(drawGap);
})();
