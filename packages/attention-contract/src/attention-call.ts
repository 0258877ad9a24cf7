import type { Tensor } from "@qkv/tensor";
import type { Expression } from "./expressions/expression.js";
import type { KeyValues, KeyValueSegment } from "./key-values/key-values.js";
import { isPaged, segmentLength } from "./key-values/segments.js";
import type { TilePlan } from "./tile-plan.js";

/** The intermediate tensors of attention, by name. */
export type TraceName = "dots" | "capped" | "scores" | "weights" | "lse";

/**
 * One call of attention. Every implementation receives it: the plain one in `@qkv/attention` and the kernels of devices.
 *
 * @typeParam T - A tensor, or a kernel's view of one.
 */
export type AttentionCall<T = Tensor> = {
  /** Queries, `[B, H, T, D]`. */
  readonly query: T;
  /** Keys and values. The positions are those of {@link storedPositions}: an array if sequences differ in length. */
  readonly keyValues: KeyValues<T>;
  /** Position of the first query: one number, or `[B]` if sequences differ in length. */
  readonly firstQuery: number | Int32Array;
  /** Factor of the dot products. */
  readonly scale: number;
  /** Limit of the scores, by `softcap · tanh(score / softcap)`. Absent or 0: no limit. */
  readonly softcap?: number | undefined;
  /** Attention sinks, `[H]`: one logit per head that is added to the denominator of the softmax only. */
  readonly sinks?: T | undefined;
  /** The mask, divided into tiles. */
  readonly plan: TilePlan;
  /** Expression that modifies each score after the softcap. Its tables are row-major. */
  readonly scoreMod?: Expression<T> | undefined;
  /** Expression that modifies each weight after softmax. Its tables are row-major. */
  readonly weightMod?: Expression<T> | undefined;
  /** Names of the requested traces, which have an output tensor. `lse` is always computed. */
  readonly traces: readonly TraceName[];
};

/** Results of a call: `output` `[B, H, T, Dv]`, `lse` `[B, H, T]`, and `[B, H, T, S]` for each other requested trace. */
export type AttentionOutputs<T = Tensor> = { readonly output: T; readonly lse: T } & {
  readonly [Name in Exclude<TraceName, "lse">]?: T;
};

/** Outputs of the forward pass that the backward pass needs. */
export type AttentionSaved<T = Tensor> = Pick<AttentionOutputs<T>, "output" | "lse">;

/** Gradients with respect to the outputs of a call, contiguous. Absent for outputs that the loss does not depend on. */
export type AttentionGradients<T = Tensor> = Partial<AttentionOutputs<T>>;

/** Attention kernels of a device. They return `false` for calls that they do not support, which then run on the plain version. */
export type AttentionKernels = {
  /** Computes the forward pass into `outputs`. */
  attention(call: AttentionCall, outputs: AttentionOutputs): boolean;
  /**
   * Computes the backward pass.
   *
   * @param to - An object like `call`, with the gradient buffer of each tensor in place of the tensor.
   */
  attentionBackward(
    call: AttentionCall,
    saved: AttentionSaved,
    gradients: AttentionGradients,
    to: AttentionCall,
  ): boolean;
};

/** The type with all optional fields required, so that an object literal that omits a new field does not compile. */
type EveryField<Call> = { readonly [Name in keyof Required<Call>]: Call[Name] };

/** Replaces each tensor of a call by `f(tensor)`, such as a kernel's view of it or its gradient buffer. */
export function mapCall<A extends object, B>(call: AttentionCall<A>, f: (x: A) => B): AttentionCall<B> {
  const { query, keyValues, firstQuery, scale, softcap, sinks, plan, scoreMod, weightMod, traces } = call;
  const mapSegment = (segment: KeyValueSegment<A>): KeyValueSegment<B> => {
    if (!isPaged(segment)) return f(segment);
    const { data, scale, ...layout } = segment;
    return { ...layout, data: f(data), ...(scale && { scale: f(scale) }) };
  };
  const mapExpression = ({ steps, lookedUp, tables }: Expression<A>): Expression<B> => ({
    steps,
    lookedUp,
    tables: tables.map((table) => f(table)),
  });
  return {
    query: f(query),
    keyValues: {
      key: keyValues.key.map(mapSegment),
      value: keyValues.value.map(mapSegment),
      positions: keyValues.positions,
    },
    firstQuery,
    scale,
    softcap,
    sinks: sinks && f(sinks),
    plan,
    scoreMod: scoreMod && mapExpression(scoreMod),
    weightMod: weightMod && mapExpression(weightMod),
    traces,
  } satisfies EveryField<AttentionCall<B>>;
}

/** All tensors of a call, in a fixed order. */
export function callTensors<T extends object>(call: AttentionCall<T>): T[] {
  const tensors: T[] = [];
  mapCall(call, (x) => tensors.push(x));
  return tensors;
}

/** Sizes of a call: B, H, Hkv, T, S, D, Dv, and `group` = H / Hkv, the number of query heads per key-value head. */
export function callSizes({
  query,
  keyValues: { key, value },
}: Pick<AttentionCall<Pick<Tensor, "shape">>, "query" | "keyValues">) {
  const { shape } = query;
  const H = shape[1]!;
  const Hkv = segmentShape(key[0]!)[1]!;
  const Dv = segmentShape(value[0]!)[3]!;
  let S = 0;
  for (let i = 0; i < key.length; i++) S += segmentLength(key[i]!);
  return { B: shape[0]!, H, Hkv, T: shape[2]!, S, D: shape[3]!, Dv, group: H / Hkv };
}

/** The shape of a segment: `[B, Hkv, Sᵢ, D]` of a tensor, `[blocks, Hkv, blockLength, D]` of paged blocks. */
function segmentShape(segment: KeyValueSegment<Pick<Tensor, "shape">>): readonly number[] {
  return (isPaged(segment) ? segment.data : segment).shape;
}

/**
 * Checks at compile time that a kernel uses every field of a call: it accepts only an empty rest. It does nothing at run time.
 *
 * @param rest - The fields that were not destructured: `const { query, …, ...rest } = call`.
 */
export function assertExhaustive(_rest: { readonly [field: string]: never }): void {}
