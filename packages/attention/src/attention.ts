import { checks, knownNames, type Checks } from "@qkv/core";
import {
  callPlaces,
  checkKeyValues,
  checkScale,
  checkSinks,
  combineRules,
  floatKeyValues,
  normalizeKeyValues,
  planFor,
  type AttentionCall,
  type Expression,
  type KeyValues,
  type Mask,
  type Rule,
  type TraceName,
  type ScoreMod,
} from "@qkv/attention-contract";
import { checkTensor, contiguous, isTensor, runNamed, type Tensor } from "@qkv/tensor";
import { attentionOp } from "./attention-op.js";
import { denseBias } from "./biases/dense-bias.js";
import { dropWeights } from "./drop-weights.js";
import { checkMask, isMask } from "./mask.js";
import { checkScoreMod } from "./score-mod.js";
import { splitMask } from "./split-mask.js";

/** Options of attention. All are optional and can be combined. */
export type AttentionOptions = {
  /** Keys that a query sees: `causal()`, `slidingWindow(256)`, `and(…)`. Default: all. */
  mask?: Mask;
  /**
   * Added to the scores: a rule such as `alibi(8)`, or numbers broadcastable to `[B, H, T, S]`, where
   * `-Infinity` masks a key. Default: nothing.
   */
  bias?: Tensor | ScoreMod;
  /** Changes each score, before the bias: `scoreMod((score, at) => …)`. Default: nothing. */
  scoreMod?: ScoreMod | ScoreMod["apply"];
  /** Changes each weight, after softmax. Default: nothing. */
  weightMod?: ScoreMod | ScoreMod["apply"];
  /** Attention sinks: a learned logit per head, `[H]`, added to the denominator of the softmax only. Default: none. */
  sinks?: Tensor;
  /** Inverted dropout of weights: each is 0 with probability `rate`, else `1 / (1 - rate)` times itself. Default: none. */
  dropout?: { rate: number; seed: number };
  /** Factor of the dot products. Default: `1 / √D`. */
  scale?: number;
  /** Soft cap: limits scaled dot products to (−softcap, softcap) by `c · tanh(s / c)`. Default: off. */
  softcap?: number;
};

/** The output and the intermediate tensors that were requested. */
export type Traced<Name extends TraceName> = { output: Tensor } & { [N in Name]: Tensor };

/**
 * Scaled dot-product attention: the output for each query is the average of the values, weighted by how well their keys
 * match the query.
 *
 * `softmax(softcap(scale · Q Kᵀ) + bias, under the mask) · V`. With fewer key-value heads than query heads
 * (grouped-query, multi-query), `H / Hkv` neighbouring query heads share one. Queries are the last `T` of the `S`
 * positions. A query that sees no key gives zeros.
 *
 * @param query - `[B, H, T, D]`
 * @param key - `[B, Hkv, S, D]`, `Hkv` a divisor of `H`; or keys and values together as a cache returns them. Beside a query
 *   of float32 they may be float16 or bfloat16: devices that read those in place (`webgpu`) make no copy; others widen them
 *   in each call.
 * @param value - `[B, Hkv, S, Dv]`
 * @returns `[B, H, T, Dv]`
 * @throws {ShapeError} If the shapes do not fit together.
 * @throws {ArgumentError} If there is no such option, or a value is of another kind.
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
  return runNamed(attentionOp, checkedCall("attention", query, rest, [])).output;
}

/**
 * Attention that also returns intermediate tensors by name: `dots` (scale · Q Kᵀ), `capped` (after the softcap),
 * `scores` (after bias and mask; −∞ where masked) and `weights` (after softmax), all `[B, H, T, S]`, and `lse` `[B, H,
 * T]`, the logarithm of the sum of e^scores.
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
    checks("tracedAttention").refuse({
      argument: "names",
      received: names[unknown],
      expected: `a list of ${knownNames(names[unknown], traceNames, "the reference of `TraceName`")}`,
      fix: "pass a list of these names after the options.",
    });
  }
  const outputs = runNamed(attentionOp, checkedCall("tracedAttention", query, rest.slice(0, -1), names));
  return {
    output: outputs.output,
    ...Object.fromEntries(names.map((name) => [name, outputs[name]])),
  } as Traced<TraceName>;
}

/**
 * Computes only the attention weights, without values.
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
export function attentionWeights(query: Tensor, key: Tensor, options?: AttentionOptions): Tensor {
  const call = checkedCall("attentionWeights", query, [key, key, options], ["weights"]);
  return runNamed(attentionOp, call).weights!;
}

/** The names of attention's intermediate tensors. */
export const traceNames: readonly TraceName[] = ["dots", "capped", "scores", "weights", "lse"];

/** Checks the arguments of a public function. `rest`: key and value, or both in one `KeyValues`, then options. */
function checkedCall(
  fn: string,
  query: Tensor,
  rest: readonly unknown[],
  traces: readonly TraceName[],
): AttentionCall {
  checkTensor(fn, "query", query);
  const [keyValues, options, surplus] = normalizeKeyValues(fn, rest) as [
    KeyValues,
    AttentionOptions?,
    unknown?,
  ];
  // In `(query, keyValues, undefined, options)` the options would be ignored, so it is refused.
  if (surplus !== undefined) {
    const fix = `keys and values are one argument here: write \`${fn}(query, keyValues, options)\`.`;
    checks(fn).refuse({ argument: "options", received: surplus, expected: "options as third argument", fix });
  }
  const { places, mask, bind, sinks, scoreMod, weightMod, softcap, scale } = prepare(
    fn,
    query,
    keyValues,
    options,
  );
  const { firstQuery, positions } = places;
  const { key, value } = floatKeyValues(keyValues, query.device.keyValueTypes);
  return {
    query,
    keyValues: { key, value, positions },
    firstQuery,
    scale,
    softcap,
    sinks,
    plan: planFor(mask, bind, places),
    scoreMod: scoreMod && withPackedTables(scoreMod),
    weightMod: weightMod && withPackedTables(weightMod),
    traces,
  };
}

function withPackedTables(mod: Expression): Expression {
  return { ...mod, tables: mod.tables.map(contiguous) };
}

const optionNames = [
  "mask",
  "bias",
  "scoreMod",
  "weightMod",
  "sinks",
  "dropout",
  "scale",
  "softcap",
] as const;

/** Refuses a mask that is passed in place of the options. */
function refuseMaskAsOptions(check: Checks, options: unknown, argument = "options"): void {
  if (!isMask(options)) return;
  const { name } = options;
  check.refuse({
    argument,
    received: name,
    expected: "options, which hold it",
    fix: `write \`{ mask: ${name} }\`.`,
  });
}

/** Checks the parts of the options that do not depend on a call. */
export function checkAttentionOptions(
  fn: string,
  options: AttentionOptions,
  argument = "options",
): AttentionOptions {
  const check = checks(fn);
  refuseMaskAsOptions(check, options, argument);
  const { mask, scale, softcap } = check.options(options, optionNames, argument);
  checkScale(check, scale, softcap);
  if (mask !== undefined) checkMask(fn, "mask", mask);
  return options;
}

/** Checks the options for one call, and builds the inputs of all implementations of attention. */
export function prepare(
  fn: string,
  query: Tensor,
  keyValues: KeyValues,
  options: AttentionOptions | undefined,
) {
  const check = checks(fn);
  refuseMaskAsOptions(check, options);
  const {
    mask,
    bias,
    scoreMod,
    weightMod,
    dropout,
    sinks,
    softcap = 0,
    scale: requestedScale,
  } = check.options(options, optionNames);
  checkKeyValues(fn, query, keyValues);
  const [B, H, T, D] = query.shape as [number, number, number, number];
  const scale = requestedScale ?? 1 / Math.sqrt(D);
  checkScale(check, requestedScale, softcap);
  if (sinks !== undefined) checkSinks(fn, sinks, query);
  if (mask !== undefined) checkMask(fn, "mask", mask);

  const { places, lengths, bind } = callPlaces(keyValues, { batches: B, heads: H, queries: T });
  const { rule: knownMask, hidden } = splitMask(mask, query, places, lengths);

  // On scores, the score mod is applied before the bias; on weights, the weight mod before dropout.
  const rule = (option: string, mod: unknown): Rule | undefined =>
    mod === undefined
      ? undefined
      : [
          option,
          checkScoreMod(fn, option, mod, { numHeads: H, batchSize: B, keyLength: Math.max(...lengths) }),
        ];
  return {
    places,
    mask: knownMask,
    bind: () => bind(knownMask),
    scoreMod: combineRules(fn, [
      rule("scoreMod", scoreMod),
      isTensor(bias) ? ["bias", denseBias(fn, bias, query, places)] : rule("bias", bias),
      hidden && ["mask", hidden],
    ]),
    weightMod: combineRules(fn, [
      rule("weightMod", weightMod),
      dropout === undefined ? undefined : ["dropout", dropWeights(fn, dropout)],
    ]),
    sinks,
    softcap,
    scale,
  };
}
