// SVG elements, the sizes of words in them, and tokens as they are drawn: what attention on either page is made of.

export const LETTER = 14; // as in theme.css

const measure = document.createElement("canvas").getContext("2d");

/** An SVG element with attributes and children; text goes in as text, whatever it holds. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** How wide a text is, in pixels. */
export function width(text) {
  measure.font = `${LETTER}px ${getComputedStyle(document.body).fontFamily}`;
  return measure.measureText(text).width;
}

// The conjoining letters of Hangul by themselves, from U+1100, U+1161 and U+11A8 on.
const LETTERS = new Map([
  [0x1100, "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"],
  [0x1161, "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"],
  [0x11a8, "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"],
].flatMap(([first, letters]) => [...letters].map((letter, index) => [String.fromCodePoint(first + index), letter])));

/** A token as it is drawn: white space made visible, a Hangul letter by itself, and shortened where it is very long. */
export function shown(token) {
  const bare = token.replace(/\s/gu, "␣").replace(/\uffed/g, "▪"); // the joiner of word_punctuation, as fonts have it
  const visible = bare.replace(/[\u1100-\u11ff]/g, (letter) => LETTERS.get(letter) ?? letter);
  const characters = Array.from(visible);
  return characters.length > 24 ? `${characters.slice(0, 23).join("")}…` : visible;
}
