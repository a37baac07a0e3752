// What diptych/javascript/node.py asks node: one JSON object on standard input, one on standard output; the weights are in
// the file that is named.

import { readFileSync } from "node:fs";

import { Model, Stepper } from "./model.mjs";
import { BOS, find } from "./search.mjs";
import { readWeights } from "./weights.mjs";

const { config, layout, sources, said, longest, searches } = JSON.parse(readFileSync(0, "utf8"));
const { buffer, byteOffset, length } = readFileSync(process.argv[2]);
const weights = readWeights(layout, buffer.slice(byteOffset, byteOffset + length)); // Buffers share one, unaligned
const stepper = new Stepper(new Model(config, weights));

/** The log-probabilities and the attention at each step where these tokens are said, whatever the model thinks. */
function forced(source, tokens) {
  let state = stepper.start(source);
  return [BOS, ...tokens.slice(0, -1)].map((token) => {
    const [[table], [attention], after] = stepper.step(state, [token]);
    state = after;
    return { table: Array.from(table), attention: Array.from(attention) };
  });
}

console.log(JSON.stringify({
  node: process.version,
  forced: said.map((tokens, row) => forced(sources[row], tokens)),
  found: searches.map((search) => sources.map((source, row) =>
    find(stepper, source, longest[row], search, row).map(({ tokens, logProbability, score }) => ({ tokens, logProbability, score })))),
}));
