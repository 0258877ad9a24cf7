// The operator LinearAttention of onnxruntime: heads concatenated, [B, T, H · D].
import { swapAxes } from "../heads.mjs";
import { graph } from "./onnx.mjs";

/**
 * @param rule - "gated", or "gated_delta" with a `beta`.
 * @param states - [B, H, D, D]; default: zeros.
 */
export function linearAttention(rule, shape, { query, key, value, decay, beta }, states, scale) {
  const { batch = 1, numHeads, length: T, headDim } = shape;
  const g = graph();
  // In a batch of more than one there is a single token, so the heads are adjacent already.
  const tokens = (data, dim) => [
    "float32",
    [batch, T, numHeads * dim],
    batch === 1 ? swapAxes(data, numHeads, T, dim) : data,
  ];
  const feeds = {
    query: tokens(query, headDim),
    key: tokens(key, headDim),
    value: tokens(value, headDim),
    ...(states && { past: ["float32", [batch, numHeads, headDim, headDim], states] }),
    decay: tokens(decay, 1),
    ...(beta && { beta: tokens(beta, 1) }),
  };
  const names = ["query", "key", "value", "past", "decay", "beta"];
  const operands = names.map((name) => (feeds[name] ? g.input(name, feeds[name][1]) : ""));
  const to = [
    g.output("y", [batch, T, numHeads * headDim]),
    g.output("present", [batch, numHeads, headDim, headDim]),
  ];
  const attributes = {
    q_num_heads: numHeads,
    kv_num_heads: numHeads,
    update_rule: rule,
    scale: { float: scale },
    chunk_size: 64,
  };
  g.op("LinearAttention", beta ? operands : operands.slice(0, -1), attributes, {
    domain: "com.microsoft",
    to,
  });
  return { model: g.bytes(), feeds };
}
