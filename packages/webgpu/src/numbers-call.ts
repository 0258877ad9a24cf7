import {
  callPlaces,
  checkHeads,
  checkQueryShape,
  checkScale,
  checkScoreSizes,
  combineRules,
  planFor,
  type AttentionCall,
  type Mask,
  type Rule,
  type ScoreMod,
} from "@qkv/attention-contract";
import { checks, refuseShape } from "@qkv/core";
import { sizeOf, type TypedArray } from "@qkv/tensor";

/** Numbers in row-major order, with their shape. Tensors of the plain device have this type. */
export type ShapedNumbers = { readonly data: TypedArray; readonly shape: readonly number[] };

/** Options of {@link GpuAttention.attention}: those of `attention` that apply to a forward pass in float32. */
export type GpuAttentionOptions = {
  /** Keys that a query sees: `causal()`, `and(slidingWindow(256), padding(lengths))`. Default: all. */
  mask?: Mask;
  /** Added to the scores: a rule such as `alibi(8)`. Default: nothing. */
  bias?: ScoreMod;
  /** Changes each score, before the bias: `(score, at) => score.mul(2)`. Default: nothing. */
  scoreMod?: ScoreMod | ScoreMod["apply"];
  /** Attention sinks: a logit for each head, `[H]`, added to the denominator of the softmax only. Default: none. */
  sinks?: ShapedNumbers;
  /** Factor of the dot products. Default: `1 / √D`. */
  scale?: number;
  /** Soft cap: limits scaled dot products to (−softcap, softcap) by `c · tanh(s / c)`. Default: off. */
  softcap?: number;
};

const fn = "attention";
const optionNames = ["mask", "bias", "scoreMod", "sinks", "scale", "softcap"] as const;

/** The attention call for inputs and options, checked. */
export function numbersCall(
  query: ShapedNumbers,
  key: ShapedNumbers,
  value: ShapedNumbers,
  options: GpuAttentionOptions | undefined,
): AttentionCall<ShapedNumbers> {
  const check = checks(fn);
  const { mask, bias, scoreMod, sinks, scale, softcap = 0 } = check.options(options, optionNames);
  for (const [argument, x] of Object.entries({ query, key, value, ...(sinks !== undefined && { sinks }) }))
    checkNumbers(argument, x);
  checkQueryShape(fn, query.shape);
  checkHeads(fn, query.shape, key.shape, value.shape);
  checkScale(check, scale, softcap);
  const [B, H, T, D] = query.shape as [number, number, number, number];
  if (sinks && (sinks.shape.length !== 1 || sinks.shape[0] !== H)) {
    const expected = `[${H}]: one logit for each query head`;
    refuseShape(fn, "sinks", sinks.shape, expected, "give as many logits as heads.");
  }
  checkMask(mask);
  const keyValues = { key: [key], value: [value], positions: { start: 0 } };
  const { places, bind } = callPlaces(keyValues, { batches: B, heads: H, queries: T });
  const rule = (option: string, mod: ScoreMod | ScoreMod["apply"] | undefined): Rule | undefined => {
    if (mod === undefined) return undefined;
    if (typeof mod === "function") return [option, mod];
    if (typeof mod?.apply !== "function")
      check.refuse({
        argument: option,
        received: mod,
        expected: "a score mod: `scoreMod((score, at) => …)`, or a bias such as alibi(8)",
        fix: "note the arithmetic with the methods of the symbolic score; numbers are looked up with `lookup`.",
      });
    checkScoreSizes(fn, option, mod, { numHeads: H, batchSize: B, keyLength: places.keys });
    return [option, mod.apply];
  };
  const scores = combineRules(fn, [rule("scoreMod", scoreMod), rule("bias", bias)]);
  return {
    query,
    keyValues,
    firstQuery: places.firstQuery,
    scale: scale ?? 1 / Math.sqrt(D),
    softcap,
    sinks,
    plan: planFor(mask, () => bind(mask), places),
    scoreMod: scores && {
      ...scores,
      tables: scores.tables.map(({ data, shape }) => ({ data: Float32Array.from(data), shape })),
    },
    traces: [],
  };
}

function checkNumbers(argument: string, x: ShapedNumbers): void {
  const { data, shape } = (x ?? {}) as Partial<ShapedNumbers>;
  if (data instanceof Float32Array && Array.isArray(shape) && sizeOf(shape) === data.length) return;
  checks(fn).refuse({
    argument,
    received: x,
    expected: "`{ data, shape }`, a Float32Array and the length of each axis, whose product it has numbers",
    fix: `give such an object, or a tensor of float32 on the plain device.`,
  });
}

function checkMask(mask: Mask | undefined): void {
  if (mask === undefined) return;
  const check = checks(fn);
  if (typeof mask !== "object" || typeof mask?.bind !== "function")
    check.refuse({
      argument: "mask",
      received: mask,
      expected: "a mask such as causal() or and(causal(), padding(lengths))",
      fix: "call the mask's function: `causal()`, not `causal`.",
    });
  if (mask.pending)
    check.refuse({
      argument: "mask",
      received: `${mask.name}, of numbers that only a device has`,
      expected: "a mask that the host knows",
      fix: "`await tensor.read()` before the mask is made.",
    });
}
