// Search for one sentence at a time: greedy, sampling and beam, as diptych/search has them.

import { generator } from "./randomness.mjs";

export const BOS = 1;
export const EOS = 2;
export const UNK = 3;
const FIRST_CHOICE = EOS; // the lowest id a search may choose
const LEAST_ATTENTION = 2 ** -126; // what a source token that was never looked at counts for
const EPSILON = 2 ** -52;

/** The search that a config asks for: hypotheses, the best first. `row` is the number to which a sample belongs. */
export function find(stepper, source, longest, search, row = 0) {
  if (search.beam_size > 1) return beam(stepper, source, longest, search);
  return [search.temperature > 0 ? sample(stepper, source, longest, search, row) : greedy(stepper, source, longest, search)];
}

/** Take the most probable token at every step; of equally probable ones the lowest id. */
export function greedy(stepper, source, longest, search) {
  return walk(stepper, source, longest, search, (table) => mostProbable(table, 1)[0]);
}

/** Draw every token from softmax(log-probabilities / temperature), or from the top of it. */
export function sample(stepper, source, longest, search, row) {
  return walk(stepper, source, longest, search, (table, step) => {
    const choices = Array.from(table.subarray(FIRST_CHOICE));
    const largest = choices.reduce((best, each) => Math.max(best, each), -Infinity);
    const scaled = keepTop(choices.map((each) => (each - largest) / search.temperature), search.top_k, search.top_p);
    const noise = generator(search.seed, "sampling", row, step);
    const noisy = scaled.map((each) => each - Math.log(noise.exponential()));
    return FIRST_CHOICE + noisy.reduce((best, each, i) => (each > noisy[best] ? i : best), 0);
  });
}

/** Minus infinity wherever logits, the largest of them 0, are not among the `topK`, or the nucleus of `topP`. */
function keepTop(choices, topK, topP) {
  let ids = choices.map((_, i) => i);
  const best = (some) => some.sort((a, b) => choices[b] - choices[a] || a - b);
  if (topK > 0 && topK < ids.length) ids = best(ids).slice(0, topK);
  if (topP < 1) {
    const weights = best(ids).map((i) => Math.exp(choices[i]));
    const total = weights.reduce((sum, each) => sum + each, 0);
    let together = 0;
    ids = ids.filter((_, place) => {
      const before = together;
      together += weights[place];
      return place === 0 || before < topP * total;
    });
  }
  const kept = new Set(ids);
  return choices.map((each, i) => (kept.has(i) ? each : -Infinity));
}

/** Follow one path, the next token as `choose(log-probabilities, step)` says. */
function walk(stepper, source, longest, search, choose) {
  const [tokens, values, attention] = [[], [], []];
  let state = stepper.start(source);
  let fed = BOS;
  while (fed !== EOS && tokens.length < longest) {
    const [[table], [weights], after] = stepper.step(state, [fed]);
    fed = choose(allowed(table, tokens, search), tokens.length);
    tokens.push(fed);
    values.push(table[fed]);
    attention.push(weights);
    state = after;
  }
  return hypothesis(tokens, values, attention, 1, 0);
}

/**
 * Keep the K most probable prefixes; one that says eos takes its place in the beam with it. The search is over when none
 * is left, at the longest length, or when no prefix can still get among the n best: its score is at most its
 * log-probability divided by the penalty of the longest length.
 */
export function beam(stepper, source, longest, search) {
  const { beam_size: size, n_best: nBest, length_penalty: exponent, coverage_penalty: coverageShare } = search;
  const [ended, cutOff] = [[], []];
  const largestPenalty = penalty(longest, exponent) * (1 + (longest + 8) * EPSILON);
  let prefixes = [{ tokens: [], values: [], attention: [], sum: 0 }];
  let state = stepper.start(source);
  while (prefixes.length) {
    const [tables, looks, after] = stepper.step(state, prefixes.map(({ tokens }) => tokens.at(-1) ?? BOS));
    const room = size - ended.length;
    const candidates = prefixes.flatMap((prefix, parent) => {
      const table = allowed(tables[parent], prefix.tokens, search);
      return mostProbable(table, room).map((token) => ({ parent, token, sum: prefix.sum + table[token] }));
    }).filter(({ sum }) => sum > -Infinity);
    candidates.sort((a, b) => b.sum - a.sum || a.parent - b.parent || a.token - b.token);
    const made = candidates.slice(0, room).map(({ parent, token, sum }) => ({
      parent,
      sum,
      tokens: [...prefixes[parent].tokens, token],
      values: [...prefixes[parent].values, tables[parent][token]],
      attention: [...prefixes[parent].attention, looks[parent]],
    }));
    const live = [];
    for (const prefix of made) {
      const isOver = prefix.tokens.length === longest;
      if (prefix.tokens.at(-1) !== EOS && !isOver) live.push(prefix);
      else {
        const found = hypothesis(
          prefix.tokens, prefix.values, prefix.attention, penalty(prefix.tokens.length, exponent), coverageShare);
        (prefix.tokens.at(-1) === EOS ? ended : cutOff).push(found);
      }
    }
    const byScore = (a, b) => b.score - a.score;
    ended.sort(byScore);
    cutOff.sort(byScore);
    const toBeat = ended.length >= nBest ? ended[nBest - 1].score : -Infinity;
    prefixes = live.some(({ sum }) => sum / largestPenalty > toBeat) ? live : [];
    state = stepper.reorder(after, prefixes.map(({ parent }) => parent));
  }
  return [...ended, ...cutOff].slice(0, nBest);
}

/** Log-probabilities with minus infinity for what a search may not say after `said`; pad and bos never. */
function allowed(table, said, search) {
  const masked = Float64Array.from(table);
  masked.fill(-Infinity, 0, FIRST_CHOICE);
  if (search.forbid_unknown) masked[UNK] = -Infinity;
  if (said.length < search.minimum_length) masked[EOS] = -Infinity;
  const size = search.no_repeat_ngram;
  if (size > 0) {
    for (let start = 0; start + size <= said.length; start++) {
      const repeats = said.slice(said.length - size + 1).every((token, i) => token === said[start + i]);
      if (repeats) masked[said[start + size - 1]] = -Infinity;
    }
  }
  return masked;
}

/** The ids of the most probable tokens, best first, then lowest id first. */
function mostProbable(table, count) {
  const best = [];
  for (let token = FIRST_CHOICE; token < table.length; token++) {
    if (best.length === count && !(table[token] > table[best[count - 1]])) continue;
    let place = best.length;
    while (place > 0 && table[token] > table[best[place - 1]]) place--;
    best.splice(place, 0, token);
    if (best.length > count) best.pop();
  }
  return best;
}

/** The length penalty ((5 + length) / 6) ** exponent (Wu et al., 2016, equation 14). */
function penalty(length, exponent) {
  return ((5 + length) / 6) ** exponent;
}

/** The sum over the source's tokens of log(min(what each was looked at in all, 1)). */
function coverage(attention) {
  return attention[0].reduce((sum, _, place) => {
    const lookedAt = attention.reduce((all, weights) => all + weights[place], 0);
    return sum + Math.log(Math.min(Math.max(lookedAt, LEAST_ATTENTION), 1));
  }, 0);
}

function hypothesis(tokens, values, attention, lengthPenalty, coverageShare) {
  const logProbability = values.reduce((sum, each) => sum + each, 0);
  const score = logProbability / lengthPenalty + (coverageShare ? coverageShare * coverage(attention) : 0);
  return { tokens, values, attention, logProbability, score };
}
