import {
  type AttentionCall,
  type KeyValues,
  type PlanExtent,
  callSizes,
  denseSegment,
  firstQueryPosition,
  floatKeyValues,
  normalizeKeyValues,
  keyPositions,
  positionList,
} from "@qkv/attention-contract";
import { checks } from "@qkv/core";
import {
  concat,
  div,
  equal,
  exp,
  log,
  matmul,
  max,
  mul,
  repeat,
  reshape,
  stopGradient,
  sub,
  sum,
  tanh,
  tensor,
  transpose,
  where,
  add,
  type Tensor,
} from "@qkv/tensor";
import { onTensors } from "./expression-on-tensors.js";
import { prepare, type AttentionOptions } from "./attention.js";
import { checkForms, type ScoreForm } from "./score-form.js";

/** Options of {@link plainAttention}: those of attention, and forms of its stages. */
export type PlainAttentionOptions = AttentionOptions & {
  /** Other forms of the stages, the first applied first: `[cope(table), selective()]`. Default: none. */
  forms?: readonly ScoreForm[];
};

/** All intermediate tensors of {@link plainAttention}, and the output. */
export type PlainAttention = Readonly<
  Record<"output" | "dots" | "capped" | "scores" | "weights" | "lse", Tensor>
>;

/**
 * Attention written with tensor operations: the specification against which the tiled version is tested, and the version with
 * gradients of gradients. It stores all scores, `[B, H, T, S]`, and reads every value, so masked values must not be NaN or infinite.
 *
 * Inputs and options are those of {@link attention}; the result contains all intermediate tensors. `forms` replace or change stages:
 * distances instead of dot products, only the k best scores, other normalizations than softmax, mixing across heads.
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { attention, causal, plainAttention } from "@qkv/attention";
 *
 * const x = randn([1, 2, 5, 4], { seed: 1 }); // [B, H, T, D]
 * const { output } = plainAttention(x, x, x, { mask: causal() });
 * Math.abs(output.data[7]! - attention(x, x, x, { mask: causal() }).data[7]!) < 1e-6; // => true
 * ```
 */
export function plainAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options?: PlainAttentionOptions,
): PlainAttention;
export function plainAttention(
  query: Tensor,
  keyValues: KeyValues,
  options?: PlainAttentionOptions,
): PlainAttention;
export function plainAttention(query: Tensor, ...rest: unknown[]): PlainAttention {
  const fn = "plainAttention";
  const [stored, requested] = normalizeKeyValues(fn, rest) as [KeyValues, PlainAttentionOptions?];
  const { forms: list = [], ...withoutForms } = requested ?? {};
  const forms = checkForms(fn, list);
  const options = isObject(requested) && "forms" in requested ? withoutForms : requested;
  const { places, bind, ...rules } = prepare(fn, query, stored, options);
  const keyValues = floatKeyValues(stored);
  const bound = bind();
  const { B, H, T, S, group } = callSizes({ query, keyValues });
  const keys = keyPositions(places.positions, S);
  const visible = tensor(
    Array.from({ length: B * H * T * S }, (_, n) => {
      const [s, t] = [n % S, Math.floor(n / S) % T];
      const [h, b] = [Math.floor(n / (S * T)) % H, Math.floor(n / (S * T * H))];
      const key = keys[positionList(keys.length, B, b, Math.floor(h / group))]![s]!;
      const mask = bound?.[bound.length > 1 ? b : 0];
      return key >= 0 && (mask?.sees(firstQueryPosition(places.firstQuery, b) + t, key, b, h) ?? true);
    }),
    { shape: [B, H, T, S], dtype: "bool", device: query.device },
  );
  return plainStages({ query, keyValues, ...rules }, visible, { ...places, keyPositions: keys }, forms);
}

/** Computes the stages of a call with tensor operations. `visible`: the mask, bool `[B, H, T, S]`. */
export function plainStages(
  {
    query,
    keyValues,
    scale,
    softcap = 0,
    scoreMod,
    weightMod,
    sinks,
  }: Omit<AttentionCall, "plan" | "traces" | "firstQuery">,
  visible: Tensor,
  extent: PlanExtent,
  forms: readonly ScoreForm[] = [],
): PlainAttention {
  const { B, H, T, group } = callSizes({ query, keyValues });
  const dense = (parts: KeyValues["key"]) => parts.map((part) => denseSegment(part, B));
  // Repeats each key-value head for the query heads that share it (repeat_interleave).
  const perHead = (x: Tensor) => repeat(x, group, 1);
  const key = perHead(concat(dense(keyValues.key), 2)); // [B, H, S, D]
  const value = perHead(concat(dense(keyValues.value), 2)); // [B, H, S, Dv]
  const call = { query, key, scale, visible };
  const replaced = <Stage extends "dots" | "normalize">(stage: Stage) =>
    forms.find((form) => form[stage])?.[stage];
  const changed = (stage: "scores" | "weights", x: Tensor): Tensor =>
    forms.reduce((y, form) => form[stage]?.(y, call) ?? y, x);

  const dots = replaced("dots")?.(call) ?? mul(matmul(query, transpose(key)), scale); // [B, H, T, S]
  const capped = softcap > 0 ? mul(tanh(div(dots, softcap)), softcap) : dots;
  const modified = scoreMod ? onTensors(scoreMod, capped, extent) : capped;
  const scores = where(visible, changed("scores", modified), -Infinity);

  // Softmax allows any shift; the largest score avoids overflow. Rows without visible keys have none, and get a finite shift.
  const top = stopGradient(max(scores, { axis: -1, keepDims: true }));
  const shift = where(equal(top, -Infinity), 0, top);
  const powers = exp(sub(scores, shift)); // 0 where hidden
  const keySum = sum(powers, { axis: -1, keepDims: true });
  const total = sinks ? add(keySum, exp(sub(reshape(sinks, [H, 1, 1]), shift))) : keySum; // [B, H, T, 1]
  const lse = reshape(add(log(total), shift), [B, H, T]);
  const normalize = replaced("normalize");
  if (normalize && sinks) refuseSinks(forms);
  const weights = normalize
    ? where(visible, normalize(scores, call), 0)
    : div(powers, where(equal(total, 0), 1, total));
  const modifiedWeights = weightMod ? where(visible, onTensors(weightMod, weights, extent), 0) : weights;
  return { output: matmul(changed("weights", modifiedWeights), value), dots, capped, scores, weights, lse };
}

const isObject = (x: unknown): x is object => typeof x === "object" && x !== null;

function refuseSinks(forms: readonly ScoreForm[]): never {
  const { name } = forms.find((form) => form.normalize)!;
  return checks("plainAttention").refuse({
    argument: "sinks",
    received: `given together with ${name}`,
    expected: "none: sinks join the denominator of softmax, which the form replaces",
    fix: "leave out one of them.",
  });
}
