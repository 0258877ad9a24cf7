import { checks, ShapeError } from "@qkv/core";
import { concat, reshape, slice, take, tensor, type Tensor } from "@qkv/tensor";
import {
  denseSegment,
  floatKeyValues,
  keyPositions,
  positionList,
  type KeyValues,
} from "@qkv/attention-contract";
import type { KvCache } from "./cache.js";
import { isCache } from "./check-change.js";

/** A tensor of ONNX Runtime or transformers.js. */
export type RuntimeTensor = {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
};

/** Returns the name of a layer's keys or values in the inputs or outputs of a runtime. */
export type PastKeyValueNames = (layer: number, side: "key" | "value") => string;

/** Creates a tensor of a runtime: `(type, data, dims) => new ort.Tensor(type, data, dims)`. */
export type MakeTensor<T> = (type: "float32", data: Float32Array, dims: number[]) => T;

/**
 * Exports a cache as the `past_key_values` of a runtime: for each layer one tensor of keys and one of values,
 * `[B, Hkv, tokens, D]` in float32, copied in order of position. All sequences must have the same length. Keys are exported as
 * stored, rotated or not.
 *
 * The constructors of `Tensor` in ONNX Runtime and in transformers.js take the same three arguments.
 *
 * @param makeTensor - Default: plain objects `{ type, data, dims }`.
 * @param names - Default: those of Hugging Face's exports, `past_key_values.0.key`.
 * @throws {ArgumentError} If the cache is empty, or its sequences differ in length.
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { pagedCache } from "@qkv/kv-cache";
 * import { toPastKeyValues } from "@qkv/kv-cache/past-key-values";
 *
 * const cache = pagedCache({ pages: 4, pageLength: 2 });
 * const x = randn([1, 2, 3, 8], { seed: 1 }); // [B, Hkv, T, D]
 * cache.update(0, x, x);
 * const past = toPastKeyValues(cache);
 * past["past_key_values.0.key"]?.dims; // => [1, 2, 3, 8]
 * // For a session: toPastKeyValues(cache, (...tensor) => new ort.Tensor(...tensor))
 * ```
 */
export function toPastKeyValues<T = RuntimeTensor>(
  cache: KvCache,
  makeTensor: MakeTensor<T> = (type, data, dims) => ({ type, data, dims }) as T,
  names: PastKeyValueNames = (layer, side) => `past_key_values.${layer}.${side}`,
): Record<string, T> {
  const check = checks("toPastKeyValues");
  checkCache("toPastKeyValues", cache);
  check.type({ makeTensor, names }, "function");
  const { lengths } = cache;
  if (lengths.length === 0 || lengths.some((length) => length !== lengths[0])) {
    check.refuse({
      argument: "cache",
      received: lengths.length === 0 ? "empty" : `batches of ${lengths.join(", ")} tokens`,
      expected: "one that holds tokens, the same number in each sequence of the batch",
      fix: lengths.length === 0 ? "run the prompt first." : "export one batch at a time.",
    });
  }
  const past: Record<string, T> = {};
  for (let layer = 0; layer < cache.numLayers; layer++) {
    const keyValues = cache.read(layer);
    for (const side of ["key", "value"] as const) {
      const x = concat(
        floatKeyValues(keyValues)[side].map((segment) => denseSegment(segment, lengths.length)),
        2,
      );
      const ordered = sortByPosition(x, keyValues.positions);
      past[names(layer, side)] = makeTensor("float32", Float32Array.from(ordered.data), [...ordered.shape]);
    }
  }
  return past;
}

/** Sorts the tokens of `[B, Hkv, S, D]` by position, and drops free slots. All heads must hold equally many tokens. */
function sortByPosition(x: Tensor, positions: KeyValues["positions"]): Tensor {
  if ("start" in positions) return x;
  const [B, heads, S] = x.shape as [number, number, number];
  const orders = keyPositions(positions, S).map((list) => {
    const slots = [...list.keys()].filter((slot) => list[slot]! >= 0);
    return tensor(
      slots.sort((a, b) => list[a]! - list[b]!),
      { shape: [slots.length], dtype: "int32", device: x.device },
    );
  });
  const ofHead = (b: number, head: number) => slice(slice(x, 0, b, b + 1), 1, head, head + 1);
  const rows = Array.from({ length: B * heads }, (_, row) => {
    const [b, head] = [Math.floor(row / heads), row % heads];
    return take(ofHead(b, head), 2, orders[positionList(orders.length, B, b, head)]!);
  });
  return reshape(concat(rows, 0), [B, heads, rows[0]!.shape[2]!, x.shape[3]!]);
}

/**
 * Appends the keys and values that a runtime has computed: those tokens of its `present` tensors that the cache does not have
 * yet, which are all of them if the cache is empty.
 *
 * @param present - Tensors by name, `[B, Hkv, tokens, D]` of float32, on the CPU.
 * @param names - Default: those of Hugging Face's exports, `present.0.key`, or `past_key_values.0.key` if there is no such
 *   name.
 * @throws {ArgumentError} If a tensor is missing, is not float32, or has fewer tokens than the cache.
 *
 * @example
 * ```ts
 * import { growingCache } from "@qkv/kv-cache";
 * import { fromPastKeyValues } from "@qkv/kv-cache/past-key-values";
 *
 * const present = { type: "float32", data: new Float32Array(12), dims: [1, 2, 3, 2] };
 * const cache = growingCache();
 * fromPastKeyValues(cache, { "present.0.key": present, "present.0.value": present });
 * cache.length; // => 3
 * ```
 */
export function fromPastKeyValues(
  cache: KvCache,
  present: Readonly<Record<string, RuntimeTensor>>,
  names: PastKeyValueNames = (layer, side) =>
    `present.${layer}.${side}` in present ? `present.${layer}.${side}` : `past_key_values.${layer}.${side}`,
): void {
  const check = checks("fromPastKeyValues");
  checkCache("fromPastKeyValues", cache);
  const fix = "give the outputs of the runtime's session.";
  check.each({ present }, (value) => typeof value === "object" && value !== null, "tensors by name", fix);
  check.type({ names }, "function");
  const { length, numLayers } = cache;
  // All layers are checked before the first is appended, so an error changes nothing.
  const layers = Array.from({ length: numLayers }, (_, layer) =>
    (["key", "value"] as const).map((side) => appendedTokens(names(layer, side), present, length)),
  );
  layers.forEach(([key, value], layer) => cache.update(layer, key!, value!));
}

function checkCache(fn: string, cache: KvCache): void {
  checks(fn).each({ cache }, isCache, "a cache", "make one, for example with `growingCache({ numLayers })`.");
}

function appendedTokens(
  argument: string,
  present: Readonly<Record<string, RuntimeTensor>>,
  length: number,
): Tensor {
  const check = checks("fromPastKeyValues", { argument });
  const runtimeTensor = present[argument];
  if (!runtimeTensor) {
    const fix = "give all outputs of the run, or tell their `names`.";
    return check.refuse({ received: runtimeTensor, expected: "a tensor", fix });
  }
  const { type, data, dims } = runtimeTensor;
  if (type !== "float32" || !(data instanceof Float32Array)) {
    const fix = "convert it, or ask the session for outputs on the CPU.";
    return check.refuse({ received: type, expected: "float32 on the CPU", fix });
  }
  if (!Array.isArray(dims) || dims.length !== 4 || !(dims[2] >= length)) {
    const expected = `[B, Hkv, ${length} tokens or more, D]`;
    const fix = "give what the run returned for this cache's tokens.";
    check.refuse({ received: dims, expected, fix }, ShapeError);
  }
  return slice(tensor(data, { shape: dims }), 2, length);
}
