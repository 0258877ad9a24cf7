import type { Tensor } from "@qkv/tensor";
import type { Expression } from "./expressions/expression.js";
import type { KeyValues, KeyValueSegment } from "./key-values/key-values.js";
import { isPaged, segmentLength } from "./key-values/segments.js";
import type { TilePlan } from "./tile-plan.js";

/** The intermediate tensors of attention, by name. */
export type TraceName = "dots" | "capped" | "scores" | "weights" | "lse";

/**
 * One call of attention, as every version of it receives it: the plain one in `@qkv/attention` and the kernels of devices.
 *
 * @typeParam T - A tensor, or a kernel's view of one.
 */
export type AttentionCall<T = Tensor> = {
  /** [B, H, T, D] */
  readonly query: T;
  /** Positions are those of {@link storedPositions}: one by one where batches differ in length. */
  readonly keyValues: KeyValues<T>;
  /** Position of the first query: one, or one for each batch where batches are of different lengths. */
  readonly firstQuery: number | Int32Array;
  /** Factor of the dot products. */
  readonly scale: number;
  /** Scores are capped to (−softcap, softcap). Absent or 0: off. */
  readonly softcap?: number | undefined;
  /** [H]: a logit for each head that takes part in the softmax's sum alone. */
  readonly sinks?: T | undefined;
  /** The mask, cut into tiles. */
  readonly plan: TilePlan;
  /** Changes each score after the softcap; its tables are row-major. */
  readonly scoreMod?: Expression<T> | undefined;
  /** Changes each weight after softmax; its tables are row-major. */
  readonly weightMod?: Expression<T> | undefined;
  /** Traces that have an output. `lse` always has one. */
  readonly want: readonly TraceName[];
};

/** Results of a call: [B, H, T, Dv], [B, H, T], and [B, H, T, S] of each trace that is wanted. */
export type AttentionOutputs<T = Tensor> = { readonly output: T; readonly lse: T } & {
  readonly [Name in Exclude<TraceName, "lse">]?: T;
};

/** Outputs of the forward call that its gradient reads. */
export type AttentionSaved<T = Tensor> = Pick<AttentionOutputs<T>, "output" | "lse">;

/** Gradients that reached the outputs of a call, packed; absent where none did. */
export type AttentionGradients<T = Tensor> = Partial<AttentionOutputs<T>>;

/** Kernels that a device may have: they return `false` for a call that they leave to the plain version. */
export type AttentionKernels = {
  attention(call: AttentionCall, outputs: AttentionOutputs): boolean;
  /** @param to - The call's form again, where gradients of its tensors go. */
  attentionBackward(
    call: AttentionCall,
    saved: AttentionSaved,
    gradients: AttentionGradients,
    to: AttentionCall,
  ): boolean;
};

/** All fields, those that may be absent too: a new one is not left out. */
type EveryField<Call> = { readonly [Name in keyof Required<Call>]: Call[Name] };

/** The same call with `f` of each tensor: views in place of tensors, or gradients in place of what they belong to. */
export function mapCall<A extends object, B>(call: AttentionCall<A>, f: (x: A) => B): AttentionCall<B> {
  const { query, keyValues, firstQuery, scale, softcap, sinks, plan, scoreMod, weightMod, want } = call;
  const segment = (one: KeyValueSegment<A>): KeyValueSegment<B> => {
    if (!isPaged(one)) return f(one);
    const { data, scale, ...layout } = one;
    return { ...layout, data: f(data), ...(scale && { scale: f(scale) }) };
  };
  const expression = ({ steps, lookedUp, tables }: Expression<A>): Expression<B> => ({
    steps,
    lookedUp,
    tables: tables.map((table) => f(table)),
  });
  return {
    query: f(query),
    keyValues: {
      key: keyValues.key.map(segment),
      value: keyValues.value.map(segment),
      positions: keyValues.positions,
    },
    firstQuery,
    scale,
    softcap,
    sinks: sinks && f(sinks),
    plan,
    scoreMod: scoreMod && expression(scoreMod),
    weightMod: weightMod && expression(weightMod),
    want,
  } satisfies EveryField<AttentionCall<B>>;
}

/** The tensors of a call, always in the same order. */
export function callTensors<T extends object>(call: AttentionCall<T>): T[] {
  const tensors: T[] = [];
  mapCall(call, (x) => tensors.push(x));
  return tensors;
}

/** The lengths of a call. */
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

/** [B, Hkv, Sᵢ, D] of a tensor, [blocks, Hkv, blockLength, D] of pages. */
function segmentShape(segment: KeyValueSegment<Pick<Tensor, "shape">>): readonly number[] {
  return (isPaged(segment) ? segment.data : segment).shape;
}

/**
 * Does nothing at run time. It compiles only if a kernel has taken every field of a call by its name, so that no kernel
 * overlooks a new field.
 *
 * @param rest - Rest of the call: `const { query, …, ...rest } = call`.
 */
export function handledAll(_rest: { readonly [field: string]: never }): void {}
