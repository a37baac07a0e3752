// A model's weights from bytes: numbers of 4 or 8 bytes, or of one byte with a scale for each row, little-endian.

const KINDS = { float32: Float32Array, float64: Float64Array, int8: Int8Array };

/**
 * Weights by name, as model.mjs takes them: {shape, values}.
 *
 * layout: of each {name, shape, type, offset} and, of int8, {scales}: where its float32 scales begin.
 * bytes: an ArrayBuffer; every offset in it is a multiple of 8.
 */
export function readWeights(layout, bytes) {
  return Object.fromEntries(layout.map(({ name, shape, type, offset, scales }) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const stored = new KINDS[type](bytes, offset, count);
    if (type !== "int8") return [name, { shape, values: stored }];
    const columns = shape.at(-1);
    const sizes = new Float32Array(bytes, scales, count / columns);
    return [name, { shape, values: Float32Array.from(stored, (number, i) => number * sizes[Math.floor(i / columns)]) }];
  }));
}

/** The bytes that base64 stands for, as an ArrayBuffer. */
export function decoded(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64).buffer;
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}
