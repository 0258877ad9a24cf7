import {
  deltaRule,
  gatedDeltaRule,
  gla,
  kda,
  linearAttention,
  mix,
  simpleGla,
  type Mixer,
} from "@qkv/attention";
import { permute, repeat, type Tensor } from "@qkv/tensor";
import { defineOperator } from "../operator.js";
import { joinHeads, splitHeads } from "./heads.js";

/** Mixers by update rule and axes of the decay: one per head, or one per key channel. */
const rules: Record<string, { perHead: Mixer<string, string>; perChannel: Mixer<string, string> }> = {
  linear: { perHead: linearAttention(), perChannel: linearAttention() },
  gated: { perHead: simpleGla(), perChannel: gla() },
  delta: { perHead: deltaRule(), perChannel: deltaRule() },
  gated_delta: { perHead: gatedDeltaRule(), perChannel: kda() },
};

/** LinearAttention: a mixer on concatenated heads, `[B, T, H · D]`. The chunk size does not affect the result. */
export const linearAttentionOperator = defineOperator({
  name: "LinearAttention",
  inputs: ["query", "key", "value"],
  optionalInputs: ["past_state", "decay", "beta"],
  attributes: { q_num_heads: 0, kv_num_heads: 0, update_rule: "gated_delta", scale: 0, chunk_size: 64 },
  run({ inputs: { query, key, value, past_state: initialState, decay, beta }, attributes }) {
    const { q_num_heads: queryHeads, kv_num_heads: heads, update_rule: rule, scale } = attributes;
    const known = rules[rule];
    if (!known) throw new Error(`\`update_rule\` is ${rule}`);
    const perHead = decay === undefined || decay.shape[2] === heads;
    const { output, state } = mix(
      perHead ? known.perHead : known.perChannel,
      {
        query: splitHeads(query, queryHeads, "q_num_heads"),
        key: splitHeads(key, heads, "kv_num_heads"),
        value: splitHeads(value, heads, "kv_num_heads"),
        ...(decay && { decay: perHead ? gates(decay, heads) : splitHeads(decay, heads, "kv_num_heads") }),
        ...(beta && { beta: gates(beta, heads) }),
      },
      { ...(initialState && { initialState }), ...(scale !== 0 && { scale }) },
    );
    return [joinHeads(output, query), state];
  },
});

/** `[B, T, H]`, or one gate for all heads `[B, T, 1]`, as `[B, H, T]`. */
const gates = (x: Tensor, heads: number): Tensor =>
  permute(x.shape[2] === heads ? x : repeat(x, heads, 2), [0, 2, 1]);
