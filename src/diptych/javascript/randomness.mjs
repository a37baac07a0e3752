// The random numbers of diptych/randomness.py: a Philox generator (Salmon et al., 2011) keyed by the SHA-256 of what
// the numbers are for, and NumPy's exponential draws from it.

const MASK = (1n << 64n) - 1n;
const MULTIPLIERS = [0xd2e7470ee14c6c93n, 0xca5a826395121157n]; // of Philox 4x64
const WEYL = [0x9e3779b97f4a7c15n, 0xbb67ae8584caa73bn]; // what its key grows by
const ROUNDS = 10;

/** A fresh generator for one purpose, for instance `generator(1, "sampling", row, step)`. */
export function generator(...key) {
  const digest = sha256(new TextEncoder().encode(key.join("\x1f")));
  const word = (place) => digest.slice(place, place + 8).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return new Philox([word(0), word(8)]);
}

/** A counter that is turned into numbers: four of 64 bits at a time. */
class Philox {
  constructor(key) {
    this.key = key;
    this.counter = 0n;
    this.left = [];
  }

  /** The next 64 bits. */
  next() {
    if (!this.left.length) this.left = this.block(++this.counter);
    return this.left.shift();
  }

  block(counter) {
    let [a, b, c, d] = [counter & MASK, counter >> 64n, 0n, 0n];
    let [first, second] = this.key;
    for (let round = 0; round < ROUNDS; round++) {
      const left = MULTIPLIERS[0] * a;
      const right = MULTIPLIERS[1] * c;
      [a, b, c, d] = [(right >> 64n) ^ b ^ first, right & MASK, (left >> 64n) ^ d ^ second, left & MASK];
      first = (first + WEYL[0]) & MASK;
      second = (second + WEYL[1]) & MASK;
    }
    return [a, b, c, d];
  }

  /** Uniform over [0, 1), of 53 bits. */
  uniform() {
    return Number(this.next() >> 11n) / 2 ** 53;
  }

  /** From the exponential distribution of rate 1, by the ziggurat (Marsaglia and Tsang, 2000) of 256 layers. */
  exponential() {
    for (;;) {
      const bits = this.next() >> 3n;
      const layer = Number(bits & 0xffn);
      const place = Number(bits >> 8n); // of 53 bits
      const x = place * SCALE[layer];
      if (place < INSIDE[layer]) return x;
      if (layer === 0) return TAIL - Math.log1p(-this.uniform());
      if ((HEIGHT[layer - 1] - HEIGHT[layer]) * this.uniform() + HEIGHT[layer] < Math.exp(-x)) return x;
    }
  }
}

// The ziggurat: layers of equal area under exp(-x). Layer i reaches to EDGES[i]; layer 0 is the tail's.
const TAIL = 7.69711747013104972;
const AREA = 0.0039496598225815571993;
const EDGES = new Array(256);
EDGES[255] = TAIL;
for (let layer = 254; layer > 0; layer--) EDGES[layer] = -Math.log(AREA / EDGES[layer + 1] + Math.exp(-EDGES[layer + 1]));
EDGES[0] = AREA * Math.exp(TAIL);
const HEIGHT = EDGES.map((edge, layer) => (layer ? Math.exp(-edge) : 1));
const SCALE = EDGES.map((edge) => edge / 2 ** 53);
// How much of a layer lies under the one above it, in 53 bits: there a draw is always accepted.
const INSIDE = EDGES.map((edge, layer) => {
  if (layer === 1) return 0;
  return Math.floor(((layer ? EDGES[layer - 1] : TAIL) / edge) * 2 ** 53);
});

const PRIMES = [];
for (let number = 2; PRIMES.length < 64; number++) if (PRIMES.every((prime) => number % prime)) PRIMES.push(number);
const fraction = (root) => (root - Math.floor(root)) * 2 ** 32 >>> 0;
const FIRST = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
const CONSTANTS = PRIMES.map((prime) => fraction(Math.cbrt(prime)));

/** SHA-256 (FIPS 180-4) of bytes: 32 bytes. */
export function sha256(bytes) {
  const padded = new Uint8Array((((bytes.length + 8) >> 6) + 1) << 6);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, bytes.length * 8);
  const turned = (word, by) => (word >>> by) | (word << (32 - by));
  const state = Uint32Array.from(FIRST);
  const words = new Uint32Array(64);
  for (let start = 0; start < padded.length; start += 64) {
    for (let i = 0; i < 16; i++) words[i] = view.getUint32(start + 4 * i);
    for (let i = 16; i < 64; i++) {
      const [far, near] = [words[i - 15], words[i - 2]];
      const low = turned(far, 7) ^ turned(far, 18) ^ (far >>> 3);
      const high = turned(near, 17) ^ turned(near, 19) ^ (near >>> 10);
      words[i] = words[i - 16] + low + words[i - 7] + high;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const choice = (e & f) ^ (~e & g);
      const majority = (a & b) ^ (a & c) ^ (b & c);
      const one = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + choice + CONSTANTS[i] + words[i]) >>> 0;
      const two = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + majority) >>> 0;
      [a, b, c, d, e, f, g, h] = [(one + two) >>> 0, a, b, c, (d + one) >>> 0, e, f, g];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] += word));
  }
  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, i) => digest.setUint32(4 * i, word));
  return new Uint8Array(digest.buffer);
}
