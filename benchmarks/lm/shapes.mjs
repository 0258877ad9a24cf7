// The models of the `lm` rows: shapes of well-known models, with random weights, the same in every process.
import { numbers } from "../data.mjs";

/** C width, F hidden, V vocabulary, L layers, H heads, D head size; `context` in tokens. */
export const shapes = {
  gpt2: { gpt: true, C: 768, F: 3072, V: 50257, L: 12, H: 12, D: 64, context: 1024, prompt: 512 },
  stories15m: { gpt: false, C: 288, F: 768, V: 32000, L: 6, H: 6, D: 48, context: 256, prompt: 128 },
};

/** The model of the `train` rows, with an untied output projection. */
export const trained = { gpt: true, C: 128, F: 512, V: 512, L: 4, H: 4, D: 32, context: 128, head: true };

/** The i-th token of every text. */
export const token = ({ V }, i) => (i * 7919 + 13) % V;
export const prompt = (shape) => Array.from({ length: shape.prompt }, (_, i) => token(shape, i));

/**
 * Weights by name, generated on demand, so that no model needs two copies. Matrices are [out, in]; those of GPT-2 have biases,
 * and so have its norms. Names with `.layer` exist for each layer: `query.0` and so on.
 */
export function weights({ gpt, C, F, V, L, context, head }) {
  const shapesOf = new Map([["embedding", [V, C]]]);
  if (gpt) shapesOf.set("positions", [context, C]);
  const norm = (name) => {
    shapesOf.set(name, [C]);
    if (gpt) shapesOf.set(`${name}.bias`, [C]);
  };
  const map = (name, out, inner) => {
    shapesOf.set(name, [out, inner]);
    if (gpt) shapesOf.set(`${name}.bias`, [out]);
  };
  for (let layer = 0; layer < L; layer++) {
    norm(`attentionNorm.${layer}`);
    for (const name of ["query", "key", "value", "output"]) map(`${name}.${layer}`, C, C);
    norm(`feedForwardNorm.${layer}`);
    if (!gpt) map(`gate.${layer}`, F, C);
    map(`up.${layer}`, F, C);
    map(`down.${layer}`, C, F);
  }
  norm("norm");
  if (head) shapesOf.set("head", [V, C]);
  return weightsOf(shapesOf, gpt ? 0.04 : 0.08);
}

/**
 * Random weights of these shapes. Weights of norms are near 1, biases near 0.
 *
 * @param {Map<string, number[]>} shapesOf - By name.
 * @param {number} size - The largest element of a matrix.
 */
export function weightsOf(shapesOf, size) {
  const names = [...shapesOf.keys()];
  return {
    names,
    has: (name) => shapesOf.has(name),
    shape: (name) => shapesOf.get(name),
    data(name) {
      const length = shapesOf.get(name).reduce((a, b) => a * b);
      const gain = /norm(\.\d+)?$/i.test(name);
      const data = numbers(names.indexOf(name) + 1, length, gain || name.endsWith("bias") ? 0.02 : size);
      return gain ? data.map((value) => 1 + value) : data;
    },
  };
}

/** Transposes [rows, columns]. */
export function transposed(data, rows, columns) {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j];
  }
  return out;
}
