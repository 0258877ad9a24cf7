import { type KeyValues, denseSegment, firstQueryOf, keyPositions } from "@qkv/attention-contract";
import {
  concat,
  div,
  equal,
  exp,
  log,
  matmul,
  max,
  mul,
  reshape,
  stopGradient,
  sub,
  sum,
  take,
  tanh,
  tensor,
  transpose,
  where,
  add,
  type Tensor,
} from "@qkv/tensor";
import { onTensors } from "./expression-on-tensors.js";
import { prepare, type AttentionOptions } from "./attention.js";

/**
 * Attention written out with tensor operations: the specification that the tiled version is tested against, and the
 * version whose gradient has a gradient. It holds all scores, `[B, H, T, S]`, and reads every value: hidden ones must
 * be numbers.
 *
 * Inputs and options are those of {@link attention}; returned is everything on the way.
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { attention, causal, plainAttention } from "@qkv/attention";
 *
 * const x = randn([1, 2, 5, 4], { seed: 1 }); // [B, H, T, D]
 * const { output } = plainAttention(x, { key: [x], value: [x], positions: { start: 0 } }, { mask: causal() });
 * Math.abs(output.data[7]! - attention(x, x, x, { mask: causal() }).data[7]!) < 1e-6; // => true
 * ```
 */
export function plainAttention(query: Tensor, keyValues: KeyValues, options?: AttentionOptions) {
  const { places, bind, scale, softcap, scoreMod, weightMod, sinks } = prepare(
    "plainAttention",
    query,
    keyValues,
    options,
  );
  const bound = bind();
  const [B, H, T] = query.shape as [number, number, number];
  const dense = (parts: KeyValues["key"]) => parts.map((part) => denseSegment(part, B));
  const key = heads(concat(dense(keyValues.key), 2), H); // [B, H, S, D]
  const value = heads(concat(dense(keyValues.value), 2), H); // [B, H, S, Dv]
  const S = key.shape[2]!;
  const keys = keyPositions(places.positions, S);
  const extent = { ...places, keyPositions: keys };

  const dots = mul(matmul(query, transpose(key)), scale); // [B, H, T, S]
  const capped = softcap > 0 ? mul(tanh(div(dots, softcap)), softcap) : dots;
  const modified = scoreMod ? onTensors(scoreMod, capped, extent) : capped;
  const visible = tensor(
    Array.from({ length: B * H * T * S }, (_, n) => {
      const [s, t] = [n % S, Math.floor(n / S) % T];
      const [h, b] = [Math.floor(n / (S * T)) % H, Math.floor(n / (S * T * H))];
      const key = keys[keys.length > 1 ? b : 0]![s]!;
      const mask = bound?.[bound.length > 1 ? b : 0];
      return key >= 0 && (mask?.sees(firstQueryOf(places.firstQuery, b) + t, key, b, h) ?? true);
    }),
    { shape: dots.shape, dtype: "bool", device: query.device },
  );
  const scores = where(visible, modified, -Infinity);

  // Any number may be subtracted; the largest keeps powers small. Rows without keys have none.
  const top = stopGradient(max(scores, { axis: -1, keepDims: true }));
  const shift = where(equal(top, -Infinity), 0, top);
  const powers = exp(sub(scores, shift)); // 0 where hidden
  const own = sum(powers, { axis: -1, keepDims: true });
  const total = sinks ? add(own, exp(sub(reshape(sinks, [H, 1, 1]), shift))) : own; // [B, H, T, 1]
  const weights = div(powers, where(equal(total, 0), 1, total));
  const lse = reshape(add(log(total), shift), [B, H, T]);
  const mixed = weightMod ? where(visible, onTensors(weightMod, weights, extent), 0) : weights;
  return { output: matmul(mixed, value), dots, capped, scores, weights, lse };
}

/** Each key-value head as often as query heads share it, neighbours together. */
function heads(x: Tensor, H: number): Tensor {
  const group = H / x.shape[1]!;
  const indices = Array.from({ length: H }, (_, h) => Math.floor(h / group));
  return take(x, 1, tensor(indices, { dtype: "int32", device: x.device }));
}
