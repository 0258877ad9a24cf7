import {
  abc,
  deltaFormer,
  gatedSlotAttention,
  logLinearAttention,
  mesaNet,
  mix,
  titans,
  tttLinear,
  type InnerGradient,
} from "@qkv/attention";
import {
  add,
  div,
  mean,
  mul,
  reshape,
  sqrt,
  sub,
  sum,
  transpose,
  variance,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import { defineReferenceOp, type ReferenceOp } from "../reference-op.js";

/** Transposes `[B, T, H, …]` to `[B, H, T, …]`, and back. */
const headsFirst = (x: Tensor): Tensor => transpose(x, 1, 2);

/** `[B, T, H, 1]` to `[B, H, T]`. */
const perToken = (x: Tensor): Tensor => headsFirst(reshape(x, x.shape.slice(0, 3)));

const queryKeyValue = ({ q, k, v }: Record<"q" | "k" | "v", Tensor>) => ({
  query: headsFirst(q),
  key: headsFirst(k),
  value: headsFirst(v),
});

/** The `scale` option, if a case has one. */
const factor = (scale: number | null) => (scale === null ? {} : { scale });

/**
 * The reference's inner gradient. It is not the gradient of its loss: `D · slope` is not divided by `D · deviation`.
 */
const upstreamTitansGradient: InnerGradient = (prediction, target, norm) => {
  const D = prediction.shape[3]!;
  const rows = { axis: 3, keepDims: true };
  const perHead = (x: Tensor) => reshape(x, [x.shape[0]!, 1, D]);
  const deviation = sqrt(add(variance(prediction, { ...rows, correction: 0 }), norm.eps));
  const normalized = div(sub(prediction, mean(prediction, rows)), deviation);
  const [weight, bias] = [perHead(norm.weight), perHead(norm.bias)];
  const slope = mul(sub(add(mul(weight, normalized), bias), target), weight);
  const along = mul(normalized, sum(mul(slope, normalized), rows));
  return sub(mul(slope, D), div(add(sum(slope, rows), along), mul(deviation, D)));
};

/** Mixers with forms of their own: a learned state, slots, levels, under their names in the cases of `linear/`. */
export const ownFormOps: readonly ReferenceOp[] = [
  defineReferenceOp({
    name: "ttt_linear",
    inputs: ["q", "k", "v", "w", "b", "eta"],
    optionalInputs: ["initial_state", "initial_state_bias"],
    attributes: { mini_batch_size: 16, eps: 1e-6, scale: null as number | null },
    run({ q, k, v, w, b, eta, initial_state: weight, initial_state_bias: bias }, attributes) {
      const { mini_batch_size: miniBatchSize, eps, scale } = attributes;
      const { output, state } = mix(
        tttLinear({ miniBatchSize, eps }),
        { ...queryKeyValue({ q, k, v }), learningRate: perToken(eta), normWeight: w, normBias: b },
        {
          ...factor(scale),
          ...(weight &&
            bias && {
              initialState: {
                weight,
                bias,
                weightGradient: mul(weight, 0),
                biasGradient: mul(bias, 0),
                tokens: zeros([q.shape[0]!], { dtype: q.dtype, device: q.device }),
              },
            }),
        },
      );
      return { o: headsFirst(output), final_state: state.weight, final_state_bias: state.bias };
    },
  }),
  defineReferenceOp({
    name: "titans_linear",
    inputs: ["q", "k", "v", "w", "b", "theta", "alpha", "eta"],
    optionalInputs: ["initial_state"],
    attributes: { chunk_size: 16, eps: 1e-6 },
    run({ q, k, v, w, b, theta, alpha, eta, initial_state: memory }, { chunk_size: chunkSize, eps }) {
      const { output, state } = mix(
        titans({ chunkSize, eps, gradient: upstreamTitansGradient }),
        {
          ...queryKeyValue({ q, k, v }),
          learningRate: perToken(theta),
          forget: perToken(alpha),
          momentum: perToken(eta),
          normWeight: w,
          normBias: b,
        },
        memory && {
          initialState: {
            memory,
            momentum: mul(memory, 0),
            chunkStart: memory,
            tokens: zeros([q.shape[0]!], { dtype: q.dtype, device: q.device }),
          },
        },
      );
      return { o: headsFirst(output), final_state: state.memory };
    },
  }),
  defineReferenceOp({
    name: "mesa_net_exact",
    inputs: ["q", "k", "v", "g", "lamb", "beta"],
    optionalInputs: ["h_kk_init", "h_kv_init"],
    run({ q, k, v, g, lamb, beta, h_kk_init: keyKey, h_kv_init: keyValue }) {
      const { output, state } = mix(
        mesaNet({ chunkSize: 4 }),
        {
          ...queryKeyValue({ q, k, v }),
          decay: headsFirst(g),
          beta: headsFirst(beta),
          regularization: lamb,
        },
        keyKey && keyValue && { initialState: { keyKey, keyValue } },
      );
      return { o: headsFirst(output), h_kk: state.keyKey, h_kv: state.keyValue };
    },
  }),
  defineReferenceOp({
    name: "gated_slot_attention",
    inputs: ["q", "k", "v", "s", "g"],
    optionalInputs: ["initial_state_k", "initial_state_v"],
    attributes: { slots: 0, scale: null as number | null },
    run({ q, k, v, s, g, initial_state_k: slotKeys, initial_state_v: slotValues }, { scale }) {
      const { output, state } = mix(
        gatedSlotAttention({ chunkSize: 4 }),
        { ...queryKeyValue({ q, k, v }), write: headsFirst(s), decay: headsFirst(g) },
        { ...factor(scale), ...(slotKeys && slotValues && { initialState: { slotKeys, slotValues } }) },
      );
      return {
        o: headsFirst(output),
        final_state_k: state.slotKeys,
        final_state_v: state.slotValues,
      };
    },
  }),
  defineReferenceOp({
    name: "abc",
    inputs: ["q", "k", "v", "s"],
    attributes: { layout: "[B,H,T,D]", slots: 0, scale: 1 },
    run: ({ q: query, k: key, v: value, s: slotLogits }, { scale }) => ({
      o: mix(abc({ chunkSize: 4 }), { query, key, value, slotLogits }, { scale }).output,
    }),
  }),
  defineReferenceOp({
    name: "log_linear_attention",
    inputs: ["q", "k", "v", "g", "level_scales"],
    attributes: { levels: 0, scale: 1 },
    run({ q, k, v, g, level_scales }, { scale }) {
      const gates = { decay: headsFirst(g), levelWeights: headsFirst(level_scales) };
      const { output } = mix(
        logLinearAttention({ chunkSize: 4 }),
        { ...queryKeyValue({ q, k, v }), ...gates },
        { scale },
      );
      return { o: headsFirst(output) };
    },
  }),
  defineReferenceOp({
    name: "deltaformer",
    inputs: ["q", "k", "v", "beta"],
    attributes: { scale: 1 },
    run({ q, k, v, beta }, { scale }) {
      const inputs = { ...queryKeyValue({ q, k, v }), beta: headsFirst(beta) };
      return { o: headsFirst(mix(deltaFormer({ blockSize: 3 }), inputs, { scale }).output) };
    },
  }),
];
