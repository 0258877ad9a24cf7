import {
  attention,
  causal,
  forgetting,
  parallax,
  path,
  plainAttention,
  slidingWindow,
  tracedAttention,
  wall,
  type AttentionOptions,
} from "@qkv/attention";
import { max, maximum, mul, repeat, reshape, stopGradient, type Tensor } from "@qkv/tensor";
import { defineReferenceOp, type ReferenceOp } from "../reference-op.js";
import { headsFirst } from "./heads-first.js";

type Common = { scale?: number | null; window_size?: number | null; causal?: boolean };

/** The options that these operations share. A window includes the query itself, and is causal. */
const optionsOf = ({ scale, window_size, causal: isCausal = true }: Common): AttentionOptions => ({
  ...(isCausal && { mask: window_size ? slidingWindow(window_size) : causal() }),
  ...(typeof scale === "number" && { scale }),
});

const common = {
  scale: null as number | null,
  window_size: null as number | null,
  causal: true,
};

/** Softmax attention whose scores or weights are gated by the data. */
export const gatedSoftmaxOps: readonly ReferenceOp[] = [
  defineReferenceOp({
    name: "forgetting_attention",
    inputs: ["q", "k", "v", "g"],
    attributes: common,
    run: ({ q, k, v, g }, attributes) => ({
      o: headsFirst(
        attention(headsFirst(q), headsFirst(k), headsFirst(v), {
          ...optionsOf(attributes),
          bias: forgetting(headsFirst(g)),
        }),
      ),
    }),
  }),
  defineReferenceOp({
    name: "parallel_attention",
    inputs: ["q", "k", "v"],
    optionalInputs: ["g", "sink_bias"],
    attributes: common,
    run({ q, k, v, g, sink_bias }, attributes) {
      const { output, scores } = tracedAttention(
        headsFirst(q),
        headsFirst(k),
        headsFirst(v),
        {
          ...optionsOf(attributes),
          ...(g && { bias: forgetting(headsFirst(g)) }),
          ...(sink_bias && { sinks: sink_bias }),
        },
        ["scores"],
      );
      const largest = max(stopGradient(scores), { axis: -1 }); // [B, H, T]
      const sinks = sink_bias && reshape(stopGradient(sink_bias), [-1, 1]);
      return {
        output: headsFirst(output),
        _max_logits: headsFirst(sinks ? maximum(largest, sinks) : largest),
      };
    },
  }),
  defineReferenceOp({
    name: "wall_attention",
    inputs: ["q", "k", "v", "g"],
    optionalInputs: ["sink_bias", "g_scalar"],
    attributes: { scale: null as number | null, window_size: null as number | null },
    run({ q, k, v, g, sink_bias, g_scalar }, attributes) {
      const { output } = plainAttention(headsFirst(q), headsFirst(k), headsFirst(v), {
        ...optionsOf(attributes),
        ...(sink_bias && { sinks: sink_bias }),
        ...(g_scalar && { bias: forgetting(headsFirst(g_scalar)) }),
        forms: [wall(headsFirst(g))],
      });
      return { o: headsFirst(output) };
    },
  }),
  defineReferenceOp({
    name: "path_attention",
    inputs: ["q", "k", "v", "w", "beta", "g"],
    attributes: { scale: 1 },
    run({ q, k, v, w, beta, g }, { scale }) {
      const H = q.shape[2]!;
      const { output } = plainAttention(headsFirst(q), headsFirst(k), headsFirst(v), {
        ...optionsOf({ scale }),
        // Here the gates are multiplied by the scale too.
        bias: forgetting(mul(headsFirst(g), scale)),
        forms: [path({ direction: repeated(headsFirst(w), H), beta: repeated(headsFirst(beta), H) })],
      });
      return { o: headsFirst(output) };
    },
  }),
  defineReferenceOp({
    name: "parallax",
    inputs: ["q", "r", "k", "v"],
    attributes: common,
    run: ({ q, r, k, v }, attributes) => ({
      o: headsFirst(
        plainAttention(headsFirst(q), headsFirst(k), headsFirst(v), {
          ...optionsOf(attributes),
          forms: [parallax(headsFirst(r))],
        }).output,
      ),
    }),
  }),
];

/** `[B, Hkv, …]` with each head repeated for the query heads that share it, adjacent to each other. */
function repeated(x: Tensor, H: number): Tensor {
  const groups = x.shape[1]!;
  return groups === H ? x : repeat(x, H / groups, 1);
}
