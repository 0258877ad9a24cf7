import { checks, type Checks } from "@qkv/core";
import {
  checkScale,
  denseSegment,
  floatKeyValues,
  type KeyValues,
  type Mask,
  type TraceName,
  type ScoreMod,
} from "@qkv/attention-contract";
import { concat, matmul, ones, reshape, resident, type Tensor } from "@qkv/tensor";
import { attention, tracedAttention, traceNames, type AttentionOptions } from "../attention.js";
import { checkMask } from "../mask.js";
import type { Positions } from "../positions/places-of.js";
import type { Rope } from "../positions/rope.js";
import type { QueryScale } from "../positions/scale-by-position.js";
import { checkScoreMod } from "../score-mod.js";
import type { Sinks } from "./learned-sinks.js";
import type { QkNorm } from "./qk-norm.js";

/** Attention of the heads of a layer, whatever their projections are. */
export type HeadsConfig = {
  /** Default: every query sees every key. */
  mask?: Mask;
  /** Default: positions are not known to the layer. */
  rope?: Rope;
  /** Normalizes queries and keys, before they are rotated or after it. Default: off. */
  qkNorm?: QkNorm;
  /** Scales queries by position, after they are rotated: `scaleByPosition(llama4Temperature())`. Default: off. */
  queryScale?: QueryScale;
  /** Logits that join the softmax's sum alone: `learnedSinks()`, `softmaxOne()`. Default: nothing. */
  sinks?: Sinks;
  /** Changes each score, after the softcap: `alibi(8)`. Default: nothing. */
  scoreMod?: ScoreMod;
  /** Default: 1 / √D, or what `qkNorm` says. */
  scale?: number;
  /** Default: off. */
  softcap?: number;
  /** Share of weights that are dropped in a call with `dropoutSeed`, from 0 to below 1: in training. Default 0. */
  dropout?: number;
};

/** Params of the heads of a layer besides projections. */
export type HeadsParams = {
  /** The gain of `qkNorm` for queries, `[D]`, or `[H · D]` over all heads. */
  queryNorm?: { weight: Tensor };
  /** The gain of `qkNorm` for keys, `[D]`, or `[Hkv · D]`. */
  keyNorm?: { weight: Tensor };
  /** The logits of `learnedSinks`, `[H]`. */
  sinks?: Tensor;
};

/**
 * Names of tensors around attention: `query` `[B, H, T, D]` as attention reads it, `key` and `value` `[B, Hkv, S, D]` as it reads
 * them, those of a cache included, and `heads` `[B, H, T, D]`, the outputs of the heads before the output map.
 */
export type HeadTraceName = "query" | "key" | "value" | "heads";

/** Tensors by name, filled by a layer or model on the way; the names that are wanted are asked for. */
export type Trace = {
  readonly names: readonly (TraceName | HeadTraceName)[];
  /** Filled: `weights`, or `layers.0.attention.weights` under a path. */
  readonly tensors: Record<string, Tensor>;
  /** Prefix of names. */
  readonly path?: string;
  /**
   * Replaces a tensor on the way, by its full name; here those of `query`, `key`, `value`, `weights` and `heads`. A replaced
   * `weights` gives the queries and keys that it was computed from no gradient; one that is returned as it came, does. Default: nothing.
   */
  readonly interventions?: Readonly<Record<string, (x: Tensor) => Tensor>>;
};

/** Refuses a trace of names that are none, or with nothing to fill. */
export function checkTrace(check: Checks, trace: Trace | undefined): void {
  if (trace === undefined) return;
  const { names, tensors } = (trace ?? {}) as Partial<Trace>;
  const known: readonly unknown[] = [...traceNames, "query", "key", "value", "heads"];
  const fix = "ask for what the layer computes.";
  check.list(
    { "trace.names": names },
    `names among ${known.join(", ")}`,
    (name) => known.includes(name),
    fix,
  );
  const isObject = (value: unknown) => typeof value === "object" && value !== null;
  check.each({ "trace.tensors": tensors }, isObject, "an object to fill");
}

/** Queries or keys `[B, H, T, D]` as attention reads them: normalized, rotated, queries scaled. The same shape. */
export function normalizeAndRotate(
  { qkNorm, rope, queryScale }: HeadsConfig,
  params: HeadsParams,
  name: "query" | "key",
  x: Tensor,
  positions: Positions,
): Tensor {
  const gain = `${name}Norm` as const;
  const normalize = (y: Tensor) => (qkNorm ? qkNorm.apply(y, gainFor(qkNorm, gain, params[gain], y)) : y);
  const rotate = (y: Tensor) => (rope ? rope.apply(y, positions) : y);
  const rotated = qkNorm?.afterRope ? normalize(rotate(x)) : rotate(normalize(x));
  return queryScale && name === "query" ? queryScale.apply(rotated, positions) : rotated;
}

/** Options of one call of the layer. `mask`: the whole mask of the call, the layer's included. */
export type HeadsCall = {
  trace?: Trace | undefined;
  mask?: Mask | undefined;
  bias?: Tensor | ScoreMod | undefined;
  dropoutSeed?: number | undefined;
};

/** Queries `[B, H, T, D]` meet stored keys: `[B, H, T, Dv]`. */
export function attendHeads(
  config: HeadsConfig,
  params: HeadsParams,
  query: Tensor,
  keyValues: KeyValues,
  { positions, ...call }: HeadsCall & { positions: Positions },
): Tensor {
  return attendReady(
    config,
    params,
    normalizeAndRotate(config, params, "query", query, positions),
    keyValues,
    call,
  );
}

/** The same for queries that are normalised and rotated. */
export function attendReady(
  config: HeadsConfig,
  params: HeadsParams,
  query: Tensor,
  keyValues: KeyValues,
  { trace, mask = config.mask, bias, dropoutSeed }: HeadsCall,
): Tensor {
  const { qkNorm, sinks, scoreMod, softcap, dropout = 0 } = config;
  const scale = config.scale ?? qkNorm?.scale(query.shape[3]!);
  const options: AttentionOptions = {
    ...(mask && { mask }),
    ...(bias && { bias }),
    ...(scoreMod && { scoreMod }),
    ...(sinks && { sinks: sinks.logits(params.sinks, query) }),
    ...(scale !== undefined && { scale }),
    ...(softcap !== undefined && { softcap }),
    ...(dropout > 0 && dropoutSeed !== undefined && { dropout: { rate: dropout, seed: dropoutSeed } }),
  };
  return recordHeads(trace, attendTraced(query, keyValues, options, trace));
}

/** Records the outputs of heads, `[B, H, T, D]`, and puts in their place what an intervention makes of them. */
export function recordHeads(trace: Trace | undefined, mixed: Tensor): Tensor {
  return trace ? record(trace, "heads", mixed) : mixed;
}

/** Records a tensor, and returns what an intervention makes of it. */
function record(trace: Trace, name: TraceName | HeadTraceName, before: Tensor): Tensor {
  const full = fullName(trace, name);
  const x = trace.interventions?.[full]?.(before) ?? before;
  // A traced tensor outlives the scope of the layer.
  if (trace.names.includes(name)) trace.tensors[full] = resident(x);
  return x;
}

const fullName = ({ path }: Trace, name: TraceName | HeadTraceName): string =>
  path ? `${path}.${name}` : name;

const isWanted = (trace: Trace, name: TraceName | HeadTraceName): boolean =>
  trace.names.includes(name) || trace.interventions?.[fullName(trace, name)] !== undefined;

/** Attention that leaves what a trace asks for under the trace's path, and reads what interventions give. */
export function attendTraced(
  query: Tensor,
  keyValues: KeyValues,
  options: AttentionOptions,
  trace: Trace | undefined,
): Tensor {
  if (!trace) return attention(query, keyValues, options);
  const asked = isWanted(trace, "query") ? record(trace, "query", query) : query;
  const read = recordedKeyValues(trace, keyValues, query.shape[0]!);
  const hooked = trace.interventions?.[fullName(trace, "weights")] !== undefined;
  const inside = traceNames.filter((name) => trace.names.includes(name) || (hooked && name === "weights"));
  if (inside.length === 0) return attention(asked, read, options);
  const traced: Partial<Record<TraceName, Tensor>> & { output: Tensor } = tracedAttention(
    asked,
    read,
    options,
    inside,
  );
  const seen = Object.fromEntries(inside.map((name) => [name, record(trace, name, traced[name]!)]));
  // An intervention may read the weights and leave them as they are.
  return seen["weights"] === traced.weights
    ? traced.output
    : valuesByWeights(seen["weights"]!, denseTensor(read.value, query.shape[0]!));
}

/** Keys and values with what is recorded or replaced as one tensor. */
function recordedKeyValues(trace: Trace, keyValues: KeyValues, batchSize: number): KeyValues {
  const names = (["key", "value"] as const).filter((name) => isWanted(trace, name));
  if (names.length === 0) return keyValues;
  const floats = floatKeyValues(keyValues);
  const recorded = names.map((name) => [name, [record(trace, name, denseTensor(floats[name], batchSize))]]);
  return { ...floats, ...Object.fromEntries(recorded) };
}

function denseTensor(segments: KeyValues["key"], batchSize: number): Tensor {
  const dense = segments.map((segment) => denseSegment(segment, batchSize));
  return dense.length === 1 ? dense[0]! : concat(dense, 2);
}

/** Weights `[B, H, T, S]` times values `[B, Hkv, S, D]`: `[B, H, T, D]`. */
function valuesByWeights(weights: Tensor, value: Tensor): Tensor {
  const [B, H, T, S] = weights.shape as [number, number, number, number];
  const [, Hkv, , D] = value.shape as [number, number, number, number];
  const byGroup = reshape(weights, [B, Hkv, (H / Hkv) * T, S]);
  return reshape(matmul(byGroup, value), [B, H, T, D]);
}

const gainFor = (
  { gainless }: QkNorm,
  argument: "queryNorm" | "keyNorm",
  gain: { weight: Tensor } | undefined,
  { shape, dtype, device }: Tensor,
): Tensor => (gainless ? ones([shape.at(-1)!], { dtype, device }) : gainOf(argument, gain));

function gainOf(argument: "queryNorm" | "keyNorm", gain: { weight: Tensor } | undefined): Tensor {
  if (gain) return gain.weight;
  return checks("apply").refuse({
    argument: `params.${argument}`,
    received: gain,
    expected: "{ weight } of shape [D], as the layer has a qkNorm",
    fix: "take the params of `layer.init(seed)`, or load the gains with the other weights.",
  });
}

/** The options of {@link HeadsConfig}. */
export const headsOptions = [
  "mask",
  "rope",
  "qkNorm",
  "queryScale",
  "sinks",
  "scoreMod",
  "scale",
  "softcap",
  "dropout",
] as const;

/** Refuses what heads cannot be made of, when the layer is made. */
export function checkHeads(check: Checks, config: HeadsConfig, numHeads: number): void {
  const { mask, rope, qkNorm, queryScale, sinks, scoreMod, scale, softcap, dropout = 0 } = config;
  if (mask !== undefined) checkMask(check.fn, "mask", mask);
  checkMade(check, { rope }, "apply", "rope({ headDim: 64 })");
  checkMade(check, { qkNorm }, "apply", 'qkNorm("rms")');
  checkMade(check, { queryScale }, "apply", "scaleByPosition(llama4Temperature())");
  checkMade(check, { sinks }, "logits", "learnedSinks()");
  if (scoreMod !== undefined) checkScoreMod(check.fn, "scoreMod", scoreMod, { numHeads });
  checkScale(check, scale, softcap);
  check.finite({ dropout }, { min: 0, below: 1, fix: "0.1 drops one weight of ten." });
}

/** Refuses an option that was not made by the function for it: that lacks a method. */
export function checkMade(
  check: Checks,
  option: Readonly<Record<string, object | undefined>>,
  method: string,
  example: string,
): void {
  const [argument, value] = Object.entries(option)[0]!;
  const isMade = typeof value === "object" && value !== null && typeof value[method as never] === "function";
  if (value === undefined || isMade) return;
  check.each(option, () => false, `one such as ${example}`, `write \`${argument}: ${example}\`.`);
}

/** Refuses weights that are missing, before the first is used. */
export function checkParams<T extends object>(
  fn: string,
  params: T,
  names: readonly (keyof T & string)[],
): void {
  for (const name of names) {
    if ((params?.[name] as { weight?: unknown } | undefined)?.weight) continue;
    checks(fn).refuse({
      argument: `params.${name}`,
      received: params?.[name],
      expected: "{ weight }, and a bias where the layer has one",
      fix: "take the params of `layer.init(seed)`, or load weights in their form; params come first.",
    });
  }
}
