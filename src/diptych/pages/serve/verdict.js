// Whether two frameworks say the same, where they do not, and how far their attention is apart.

import { NAMES } from "./panel.js";

/** In words, and for each backend the places of the tokens that the other one does not say. */
export function compare({ translations, errors }) {
  const backends = Object.keys(translations);
  const silent = Object.keys(errors).length > 0;
  if (backends.length !== 2) return { verdict: silent ? "Only one framework answers." : "", differs: {} };
  const [one, other] = backends.map((backend) => translations[backend].tokens);
  const common = longestCommon(one, other);
  const differs = {
    [backends[0]]: without(one, common.map(([place]) => place)),
    [backends[1]]: without(other, common.map(([, place]) => place)),
  };
  if (common.length < Math.max(one.length, other.length)) {
    return { verdict: `${backends.map((backend) => NAMES[backend]).join(" and ")} differ; what the other does not say is marked.`, differs };
  }
  const maps = backends.map((backend) => translations[backend].attention);
  return { verdict: `Both say the same, token for token.${maps.every(Boolean) ? ` ${distance(...maps)}` : ""}`, differs };
}

function without(tokens, places) {
  const shared = new Set(places);
  return new Set([...tokens.keys()].filter((place) => !shared.has(place)));
}

function distance(one, other) {
  const gaps = one.flatMap((row, t) => row.map((weight, s) => Math.abs(weight - other[t][s])));
  const largest = Math.max(0, ...gaps);
  // The weights come with six decimals: below half of the last one stands nothing but the rounding of this subtraction.
  if (largest < 5e-7) return "Their attention is the same in the six decimals that are sent.";
  const most = largest + 1e-6;
  return `Their attention differs by at most ${most < 1e-3 ? most.toExponential(1).replace("-", "−") : most.toFixed(3)}.`;
}

/** Pairs of places that a longest common subsequence joins. */
function longestCommon(one, other) {
  const length = Array.from({ length: one.length + 1 }, () => new Uint16Array(other.length + 1));
  for (let i = one.length - 1; i >= 0; i--) {
    for (let j = other.length - 1; j >= 0; j--) {
      length[i][j] = one[i] === other[j] ? length[i + 1][j + 1] + 1 : Math.max(length[i + 1][j], length[i][j + 1]);
    }
  }
  const pairs = [];
  for (let i = 0, j = 0; i < one.length && j < other.length;) {
    if (one[i] === other[j]) pairs.push([i++, j++]);
    else if (length[i + 1][j] >= length[i][j + 1]) i++;
    else j++;
  }
  return pairs;
}
