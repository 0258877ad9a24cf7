import { ArgumentError, ShapeError } from "@qkv/core";
import {
  checkTensor,
  isTensor,
  runAll,
  type KeyValues,
  type Mask,
  type Tensor,
  type TraceName,
} from "@qkv/tensor";
import { attentionOp } from "./attention-op.js";
import { checkMask } from "./mask.js";

/** What changes attention. Every one is optional, and they combine. */
export type AttentionOptions = {
  /** Which keys a query sees: `causal()`, `slidingWindow(256)`, `and(…)`. Default: all. */
  mask?: Mask;
  /** Numbers added to the scores, broadcastable to `[B, H, T, S]`. `-Infinity` hides a key. Default: none. */
  bias?: Tensor;
  /** What dot products are multiplied with. Default: `1 / √D`. */
  scale?: number;
  /** Bends scaled dot products into (−softcap, softcap): `c · tanh(s / c)`. Default: off. */
  softcap?: number;
};

/** The traced tensors that were asked for, beside the output. */
export type Traced<Name extends TraceName> = { output: Tensor } & { [N in Name]: Tensor };

/**
 * Scaled dot-product attention: each query mixes the values, weighted by how well their keys match it.
 *
 * `softmax(softcap(scale · Q Kᵀ) + bias, under the mask) · V`. With fewer key-value heads than query heads
 * (grouped-query, multi-query), `H / Hkv` neighbouring query heads share one. Queries are the last `T` of the `S`
 * positions. A query that sees no key gives zeros.
 *
 * @param query - `[B, H, T, D]`
 * @param key - `[B, Hkv, S, D]`, `Hkv` a divisor of `H`; or keys and values together as a cache returns them.
 * @param value - `[B, Hkv, S, Dv]`
 * @returns `[B, H, T, Dv]`
 * @throws {ShapeError} If the shapes do not fit together.
 * @see "Attention Is All You Need" (2017), arXiv:1706.03762; "GQA" (2023), arXiv:2305.13245
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { attention, causal } from "@qkv/attention";
 *
 * const query = randn([1, 8, 5, 16], { seed: 1 }); // [B, H, T, D]
 * const key = randn([1, 2, 5, 16], { seed: 2 }); // [B, Hkv, S, D]
 * const value = randn([1, 2, 5, 16], { seed: 3 });
 * attention(query, key, value, { mask: causal() }).shape; // => [1, 8, 5, 16]
 * ```
 */
export function attention(query: Tensor, key: Tensor, value: Tensor, options?: AttentionOptions): Tensor;
export function attention(query: Tensor, keyValues: KeyValues, options?: AttentionOptions): Tensor;
export function attention(query: Tensor, ...rest: unknown[]): Tensor {
  return compute("attention", query, keyValuesOf("attention", rest), optionsOf(rest), []).output;
}

/**
 * Attention together with the tensors it went through, by name:
 * `dots` scale · Q Kᵀ, `capped` after the softcap, `scores` after bias and mask (−∞ where masked), `weights` after
 * softmax, all `[B, H, T, S]`, and `lse` `[B, H, T]`, the logarithm of the sum of e^scores.
 *
 * @returns `{ output, … }` with a tensor for each name.
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { causal, tracedAttention } from "@qkv/attention";
 *
 * const x = randn([1, 1, 4, 8], { seed: 1 }); // [B, H, T, D]
 * const { output, weights, lse } = tracedAttention(x, x, x, { mask: causal() }, ["weights", "lse"]);
 * [output.shape, weights.shape, lse.shape]; // => [[1, 1, 4, 8], [1, 1, 4, 4], [1, 1, 4]]
 * ```
 */
export function tracedAttention<const Name extends TraceName>(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions,
  names: readonly Name[],
): Traced<Name>;
export function tracedAttention<const Name extends TraceName>(
  query: Tensor,
  keyValues: KeyValues,
  options: AttentionOptions,
  names: readonly Name[],
): Traced<Name>;
export function tracedAttention(query: Tensor, ...rest: unknown[]): Traced<TraceName> {
  const names = [rest.at(-1)].flat() as TraceName[];
  const unknown = names.findIndex((name) => !traceNames.includes(name));
  if (unknown >= 0) {
    throw refuse(
      "tracedAttention",
      "names",
      names[unknown],
      `a list of ${traceNames.join(", ")}`,
      "ask, after the options, for what attention computes.",
    );
  }
  const others = rest.slice(0, -1);
  return compute("tracedAttention", query, keyValuesOf("tracedAttention", others), optionsOf(others), names);
}

/**
 * Who looks where: the weights alone, without values.
 *
 * @param query - `[B, H, T, D]`
 * @param key - `[B, Hkv, S, D]`
 * @returns `[B, H, T, S]`: each row sums to 1, or to 0 where a query sees no key.
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { attentionWeights, causal } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 2, 4]); // all keys match equally
 * attentionWeights(x, x, { mask: causal() }).toNested(); // => [[[[1, 0], [0.5, 0.5]]]]
 * ```
 */
export function attentionWeights(query: Tensor, key: Tensor, options: AttentionOptions = {}): Tensor {
  const keyValues = keyValuesOf("attentionWeights", [key, key]);
  return compute("attentionWeights", query, keyValues, options, ["weights"]).weights;
}

const traceNames: readonly TraceName[] = ["dots", "capped", "scores", "weights", "lse"];

/** What follows the query: key and value, or both together, then options. */
function keyValuesOf(fn: string, [first, second]: readonly unknown[]): KeyValues {
  if (!isTensor(first) && Array.isArray((first as KeyValues | undefined)?.key)) return first as KeyValues;
  const key = checkTensor(fn, "key", first);
  const value = checkTensor(fn, "value", second);
  return { key: [key], value: [value], positions: { start: 0 } };
}

function optionsOf([first, second, third]: readonly unknown[]): AttentionOptions {
  return ((isTensor(first) ? third : second) as AttentionOptions | undefined) ?? {};
}

function compute<Name extends TraceName>(
  fn: string,
  query: Tensor,
  { key, value, positions }: KeyValues,
  { mask, bias, scale, softcap = 0 }: AttentionOptions,
  want: readonly Name[],
): Traced<Name> {
  checkShapes(fn, checkTensor(fn, "query", query), key, value);
  const [B, H, T, D] = query.shape as [number, number, number, number];
  const S = key.reduce((sum, part) => sum + part.shape[2]!, 0);
  checkPositions(fn, positions, B, S);
  const keyLength =
    "start" in positions ? positions.start + S : positions.reduce((a, b) => Math.max(a, b + 1), 0);
  if (bias) checkBias(fn, bias, [B, H, T, S], query);
  if (!(softcap >= 0) || softcap === Infinity) {
    throw refuse(
      fn,
      "softcap",
      softcap,
      "a finite number, 0 (off) or more",
      "leave it out for scores without a cap.",
    );
  }
  if (scale !== undefined && !Number.isFinite(scale)) {
    throw refuse(fn, "scale", scale, "a finite number", "leave it out for 1 / √D.");
  }
  const bound = mask && checkMask(fn, "mask", mask).bind({ queryLength: T, keyLength });
  const inputs = [query, ...key, ...value, ...(bias ? [bias] : [])];
  const [output, ...traced] = runAll(attentionOp, inputs, {
    parts: key.length,
    positions,
    firstQuery: keyLength - T,
    mask: bound,
    scale: scale ?? 1 / Math.sqrt(D),
    softcap,
    hasBias: bias !== undefined,
    want,
  });
  return {
    output: output!,
    ...Object.fromEntries(want.map((name, i) => [name, traced[i]!])),
  } as Traced<Name>;
}

function checkShapes(fn: string, query: Tensor, keys: readonly Tensor[], values: readonly Tensor[]): void {
  const fail = (argument: string, x: Tensor, expected: string, fix: string): never => {
    throw new ShapeError({ fn, argument, received: x.shape, expected, fix });
  };
  if (query.dtype !== "float32" && query.dtype !== "float64") {
    throw refuse(
      fn,
      "query",
      query.dtype,
      "of type float32 or float64",
      'compute in one of them: `cast(query, "float32")`.',
    );
  }
  if (query.shape.length !== 4) {
    fail(
      "query",
      query,
      "[B, H, T, D]: batch, heads, queries, head size",
      "add the axes that are missing with `reshape`.",
    );
  }
  const [B, H, , D] = query.shape as [number, number, number, number];
  if (keys.length === 0 || keys.length !== values.length) {
    throw refuse(
      fn,
      "keyValues",
      `${keys.length} key and ${values.length} value parts`,
      "as many of each, at least one",
      "give one value part for each key part; no keys at all are one part of length 0.",
    );
  }
  keys.forEach((key, i) => {
    const Hkv = keys[0]!.shape[1]!;
    const fits =
      key.shape.length === 4 &&
      key.shape[0] === B &&
      key.shape[1] === Hkv &&
      H % Hkv === 0 &&
      key.shape[3] === D;
    if (!fits) {
      const expected = `[${B}, numKvHeads, S, ${D}] with numKvHeads a divisor of numHeads = ${H}`;
      fail("key", key, expected, `project keys and values to a number of heads that divides ${H}.`);
    }
    const value = values[i]!;
    const [, , S] = key.shape;
    const Dv = i > 0 ? values[0]!.shape[3] : undefined;
    const wanted = [B, Hkv, S, Dv ?? value.shape[3]];
    if (value.shape.length !== 4 || value.shape.some((length, axis) => length !== wanted[axis])) {
      const expected = `[${B}, ${Hkv}, ${S}, ${Dv ?? "headDim of your choice"}], since key is [${key.shape.join(", ")}]`;
      fail("value", value, expected, "give one value for each key.");
    }
    for (const [argument, x] of [
      ["key", key],
      ["value", value],
    ] as const) {
      if (x.dtype !== query.dtype) throw otherType(fn, argument, x, query);
    }
  });
}

function checkBias(fn: string, bias: Tensor, full: readonly number[], query: Tensor): void {
  const { shape } = checkTensor(fn, "bias", bias);
  const fits =
    shape.length <= 4 && shape.every((length, i) => length === 1 || length === full[4 - shape.length + i]);
  if (!fits) {
    throw new ShapeError({
      fn,
      argument: "bias",
      received: shape,
      expected: `a shape that broadcasts to [B, H, T, S] = [${full.join(", ")}]`,
      fix: "each length must be equal, or 1; axes may be missing at the left.",
    });
  }
  if (bias.dtype === "bool") {
    throw refuse(
      fn,
      "bias",
      "a bool tensor",
      "numbers that are added to scores",
      "pass which keys are seen as `mask: maskTensor(visible)`.",
    );
  }
  if (bias.dtype !== query.dtype) throw otherType(fn, "bias", bias, query);
}

function checkPositions(fn: string, positions: KeyValues["positions"], B: number, S: number): void {
  if ("start" in positions || positions.length === S || positions.length === B * S) return;
  throw refuse(
    fn,
    "positions",
    `${positions.length} positions`,
    `S = ${S} of them, or B · S = ${B * S}`,
    "say for each key where it stands, or give `{ start }` for keys without gaps.",
  );
}

function otherType(fn: string, argument: string, x: Tensor, query: Tensor): ArgumentError {
  const fix = `use \`cast(${argument}, "${query.dtype}")\`, or cast the query.`;
  return refuse(fn, argument, x.dtype, `of type ${query.dtype}, as the query is`, fix);
}

function refuse(
  fn: string,
  argument: string,
  received: unknown,
  expected: string,
  fix: string,
): ArgumentError {
  return new ArgumentError({ fn, argument, received, expected, fix });
}
