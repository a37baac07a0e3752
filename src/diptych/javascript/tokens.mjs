// From a line of text to token ids and back: the tokenizers and vocabularies of diptych/data/tokens.

import { UNK } from "./search.mjs";

const SPECIALS = ["<pad>", "<bos>", "<eos>", "<unk>"];
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/; // what Python splits at
const LINE_BREAKS = /[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/g;
const SYLLABLES = /[\uac00-\ud7a3]+/g;
const LONGEST = 512; // a longer word is cut before it is divided
const UNKNOWN = -10; // how much lower than the lowest score is that of a character that is no piece

/** One side of a model: how its lines become tokens, and their ids; of a run's tokenizer/source.json or target.json. */
export class Language {
  constructor({ kind, lowercase, normalization = "none", reverse = false, vocabulary, scores }) {
    Object.assign(this, { kind, lowercase, normalization, reverse });
    this.tokens = [...SPECIALS, ...vocabulary.tokens];
    this.ids = new Map(vocabulary.tokens.map((token, i) => [token, i + SPECIALS.length]));
    if (!scores) return;
    this.scores = new Map(vocabulary.tokens.map((token, i) => [token, scores[i]]));
    this.lowest = scores.reduce((least, each) => Math.min(least, each), Infinity) + UNKNOWN;
    this.longest = vocabulary.tokens.reduce((most, token) => Math.max(most, Array.from(token).length), 1);
  }

  /** The tokens of one line, none of them empty; none at all of a line of spaces. */
  tokenize(text) {
    if (!text.split(SPACE).some(Boolean)) return [];
    const tokens = this.split(this.normalize(text));
    return this.reverse ? tokens.reverse() : tokens;
  }

  /** The tokens of a line that `normalize` gave, in its order. */
  split(line) {
    if (this.kind === "word") return line.split(SPACE).filter(Boolean);
    if (this.kind === "character") return Array.from(line);
    if (this.kind === "jamo") return Array.from(line.replace(SYLLABLES, (syllables) => syllables.normalize("NFD")));
    const divide = this.kind === "bpe" ? (word) => this.merge(word) : (word) => this.mostProbable(word);
    return line ? line.split(" ").flatMap((word) => cut(Array.from(` ${word}`)).flatMap(divide)) : [];
  }

  /** The line that these tokens make; it holds no line break. */
  detokenize(said) {
    const tokens = this.reverse ? [...said].reverse() : said;
    if (this.kind === "word") return this.form(tokens.join(" ")).replace(LINE_BREAKS, " ");
    const line = tokens.join("");
    return this.form(this.scores && line.startsWith(" ") ? line.slice(1) : line).replace(LINE_BREAKS, " ");
  }

  /** The id of each token, that of <unk> where it has none. */
  encode(tokens) {
    return tokens.map((token) => this.ids.get(token) ?? UNK);
  }

  decode(ids) {
    return ids.map((id) => this.tokens[id]);
  }

  normalize(text) {
    const line = this.form(text);
    return this.lowercase ? this.form(line.toLowerCase()) : line;
  }

  form(text) {
    return this.normalization === "none" ? text : text.normalize(this.normalization);
  }

  /** BPE: merge the neighbours whose piece has the highest score, of equal ones the first, as long as there are any. */
  merge(characters) {
    const symbols = [...characters];
    for (;;) {
      const scores = symbols.slice(1).map((right, i) => this.scores.get(symbols[i] + right) ?? -Infinity);
      const best = scores.reduce((most, each) => Math.max(most, each), -Infinity);
      if (best === -Infinity) return symbols;
      const place = scores.indexOf(best);
      symbols.splice(place, 2, symbols[place] + symbols[place + 1]);
    }
  }

  /** Unigram: the pieces whose scores have the largest sum, of equal sums those whose last piece is the longest. */
  mostProbable(characters) {
    const [sums, starts] = [[0], [0]];
    for (let end = 1; end <= characters.length; end++) {
      let [largest, first] = [-Infinity, 0];
      for (let start = Math.max(0, end - this.longest); start < end; start++) {
        const score = this.scores.get(characters.slice(start, end).join("")) ?? (start === end - 1 ? this.lowest : -Infinity);
        if (sums[start] + score > largest) [largest, first] = [sums[start] + score, start];
      }
      sums.push(largest);
      starts.push(first);
    }
    const pieces = [];
    for (let end = characters.length; end > 0; end = starts[end]) pieces.unshift(characters.slice(starts[end], end).join(""));
    return pieces;
  }
}

/** Parts of at most so many characters, so that the time a word takes grows with its length and no faster. */
function cut(characters) {
  const parts = [];
  for (let start = 0; start < characters.length; start += LONGEST) parts.push(characters.slice(start, start + LONGEST));
  return parts;
}
