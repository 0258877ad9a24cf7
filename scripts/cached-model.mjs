// A small causal language model as ONNX. Its inputs include the keys and values of earlier tokens (`past_key_values.*`),
// its outputs those of all tokens (`present.*`), named as in Hugging Face's exports. A test runs the same weights with our
// packages.
import { graph } from "../benchmarks/peers/onnx.mjs";

/**
 * `x = embedding[ids]`; for each layer `x += output(attention(query(x), key(x), value(x)))`; `logits = x · embeddingᵀ`.
 *
 * @param {{ vocabSize: number, embedDim: number, numHeads: number, numKvHeads: number }} sizes
 * @param {{ embedding: Float32Array, layers: Record<"query" | "key" | "value" | "output", Float32Array>[] }} weights
 *   Matrices are `[out, in]`, as in our layers.
 * @returns {Uint8Array}
 */
export function cachedModel({ vocabSize, embedDim, numHeads, numKvHeads }, weights) {
  const g = graph({ opset: 23 });
  const D = embedDim / numHeads;
  const past = ["batch", numKvHeads, "past", D];
  const present = ["batch", numKvHeads, "total", D];
  const matrix = (data, out, inner) => {
    const transposed = new Float32Array(data.length);
    for (let o = 0; o < out; o++)
      for (let i = 0; i < inner; i++) transposed[i * out + o] = data[o * inner + i];
    return g.constant(transposed, [inner, out]);
  };
  const ids = g.input("input_ids", ["batch", "tokens"], "int64");
  const embedding = g.constant(weights.embedding, [vocabSize, embedDim]);
  let x = g.op("Gather", [embedding, ids], { axis: 0 });
  weights.layers.forEach((layer, i) => {
    const width = { query: numHeads * D, key: numKvHeads * D, value: numKvHeads * D };
    const project = (name) => g.op("MatMul", [x, matrix(layer[name], width[name], embedDim)]);
    const pasts = ["key", "value"].map((side) => g.input(`past_key_values.${i}.${side}`, past));
    const presents = ["key", "value"].map((side) => g.output(`present.${i}.${side}`, present));
    const [attended] = g.op(
      "Attention",
      [project("query"), project("key"), project("value"), "", ...pasts],
      { is_causal: 1, q_num_heads: numHeads, kv_num_heads: numKvHeads },
      { to: [`attended.${i}`, ...presents] },
    );
    x = g.op("Add", [x, g.op("MatMul", [attended, matrix(layer.output, embedDim, numHeads * D)])]);
  });
  const logits = g.output("logits", ["batch", "tokens", vocabSize]);
  g.op("MatMul", [x, g.op("Transpose", [embedding], { perm: [1, 0] })], {}, { to: [logits] });
  return g.bytes();
}
