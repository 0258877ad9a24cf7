import { checks, knownNames, type Checks } from "@qkv/core";
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

/** Options of attention layers that do not depend on the projections. */
export type HeadsConfig = {
  /** Default: every query sees every key. */
  mask?: Mask;
  /** Default: no rotary embedding. */
  rope?: Rope;
  /** Normalizes queries and keys, before or after the rotary embedding: `qkNorm()`. Default: off. */
  qkNorm?: QkNorm;
  /** Scales queries by position, after the rotary embedding: `scaleByPosition(llama4Temperature())`. Default: off. */
  queryScale?: QueryScale;
  /** Attention sinks, logits that are added to the denominator of the softmax only: `learnedSinks()`, `softmaxOne()`. Default: none. */
  sinks?: Sinks;
  /** Changes each score, after the softcap: `alibi(8)`. Default: nothing. */
  scoreMod?: ScoreMod;
  /** Factor of the dot products. Default: 1 / √D, or the scale of `qkNorm`. */
  scale?: number;
  /** Default: off. */
  softcap?: number;
  /** Dropout rate of the weights, from 0 to below 1, for calls with `dropoutSeed` (training). Default 0. */
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
 * Names of traced tensors around attention: `query` `[B, H, T, D]`, `key` and `value` `[B, Hkv, S, D]` are the inputs of attention,
 * including keys and values from a cache; `heads` `[B, H, T, D]` is the output of the heads before the output projection.
 */
export type HeadTraceName = "query" | "key" | "value" | "heads";

/** A request for intermediate tensors. A layer or a model stores the requested ones in `tensors` during its call. */
export type Trace = {
  /** `dots`, `capped`, `scores`, `weights`, `lse`, `query`, `key`, `value`, `heads`. */
  readonly names: readonly (TraceName | HeadTraceName)[];
  /** The traced tensors by full name: `weights`, or with a path `layers.0.attention.weights`. */
  readonly tensors: Record<string, Tensor>;
  /** Prefix of the names, such as `layers.0.attention`. */
  readonly path?: string;
  /**
   * Functions that replace a tensor during the call, by its full name: in attention layers `query`, `key`, `value`, `weights` and
   * `heads`. If `weights` are replaced, no gradient flows to the queries and keys from which they were computed; if the function
   * returns its argument, gradients flow. Default: none.
   */
  readonly interventions?: Readonly<Record<string, (x: Tensor) => Tensor>>;
};

/** Refuses a trace with unknown names, or without an object for the tensors. */
export function checkTrace(check: Checks, trace: Trace | undefined): void {
  if (trace === undefined) return;
  const { names, tensors } = (trace ?? {}) as Partial<Trace>;
  const known: readonly string[] = [...traceNames, "query", "key", "value", "heads"];
  const fix = "ask for what the layer computes.";
  const unknown = Array.isArray(names) ? names.find((name) => !known.includes(name)) : undefined;
  check.list(
    { "trace.names": names },
    `names among ${knownNames(unknown, known, "the reference of `Trace`")}`,
    (name) => known.includes(name as string),
    fix,
  );
  const isObject = (value: unknown) => typeof value === "object" && value !== null;
  check.each({ "trace.tensors": tensors }, isObject, "an object to fill");
}

/** Applies QK-norm and the rotary embedding to queries or keys `[B, H, T, D]`, and the scale by position to queries. */
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

/** Options of one call of the layer. `mask`: the mask of the call, already combined with that of the layer. */
export type HeadsCall = {
  trace?: Trace | undefined;
  mask?: Mask | undefined;
  bias?: Tensor | ScoreMod | undefined;
  dropoutSeed?: number | undefined;
};

/** Attention of projected queries `[B, H, T, D]`, which are normalized and rotated first, over keys and values: `[B, H, T, Dv]`. */
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

/** Attention of queries that are already normalized and rotated, over keys and values: `[B, H, T, Dv]`. */
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

/** Traces the outputs of heads, `[B, H, T, D]`, and returns them or their replacement by an intervention. */
export function recordHeads(trace: Trace | undefined, mixed: Tensor): Tensor {
  return trace ? record(trace, "heads", mixed) : mixed;
}

/** Traces a tensor, and returns it or its replacement by an intervention. */
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

/** Attention that stores the requested tensors in a trace, and applies its interventions. */
export function attendTraced(
  query: Tensor,
  keyValues: KeyValues,
  options: AttentionOptions,
  trace: Trace | undefined,
): Tensor {
  if (!trace) return attention(query, keyValues, options);
  const tracedQuery = isWanted(trace, "query") ? record(trace, "query", query) : query;
  const tracedKeyValues = recordedKeyValues(trace, keyValues, query.shape[0]!);
  const replacesWeights = trace.interventions?.[fullName(trace, "weights")] !== undefined;
  const names = traceNames.filter(
    (name) => trace.names.includes(name) || (replacesWeights && name === "weights"),
  );
  if (names.length === 0) return attention(tracedQuery, tracedKeyValues, options);
  const traced: Partial<Record<TraceName, Tensor>> & { output: Tensor } = tracedAttention(
    tracedQuery,
    tracedKeyValues,
    options,
    names,
  );
  const recorded = Object.fromEntries(names.map((name) => [name, record(trace, name, traced[name]!)]));
  // The output is computed again only if an intervention has returned other weights.
  return recorded["weights"] === traced.weights
    ? traced.output
    : valuesByWeights(recorded["weights"]!, denseTensor(tracedKeyValues.value, query.shape[0]!));
}

/** Keys and values after tracing: those that are traced or replaced become one dense tensor. */
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

/** Refuses invalid options when a layer is created. */
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

/** Refuses an option that was not created by its function, recognized by a missing method. */
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

/** Refuses params with missing weights, before any weight is used. */
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
