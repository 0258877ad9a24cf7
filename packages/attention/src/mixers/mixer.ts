import { checks } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";
import type { FactoredScan, Scanned } from "./scan.js";

/** Sizes of a call, which determine the shape of the state. */
export type MixerSizes = { readonly keyDim: number; readonly valueDim: number };

/** Arguments of a mixer's computation: checked, with heads repeated to one number, and a last axis of length 1 on gates per head. */
export type MixerCall<Required extends string, Optional extends string> = {
  /** The query is scaled, unless the mixer's `scaled` is `"reads"`. Every input has the heads of the output; `[B, H, T]` came as `[B, H, T, 1]`. */
  readonly inputs: Readonly<Record<Required, Tensor> & Partial<Record<Optional, Tensor>>>;
  /** `[B, H, …stateShape]` */
  readonly state: Tensor;
  /** The recurrence in the form that the caller chose, with padding and documents seen to. */
  readonly scan: FactoredScan;
};

/**
 * A sequence mixer, which replaces softmax attention in a layer, with a state of fixed size in place of cached keys and values. It is a
 * value, such as `gatedDeltaRule()`, that {@link mix} applies.
 */
export type Mixer<Required extends string = string, Optional extends string = never> = {
  readonly name: string;
  /** Axes of each input by name, such as `"B H T K"`; alternatives stand after `|`, such as `"B H T | B H T K"`. */
  readonly inputs: Readonly<Record<Required, string>>;
  /** Axes of inputs that may be left out. */
  readonly optional: Readonly<Record<Optional, string>>;
  /** Factor of the query where the call gives none. */
  scale(sizes: MixerSizes): number;
  /** Place of the factor: `"reads"` in mixers that hand the query to one scan as it came. Default `"query"`. */
  readonly scaled?: "query" | "reads";
  /** Rows and columns of a head's state. */
  stateShape(sizes: MixerSizes): readonly [number, number];
  mix(call: MixerCall<Required, Optional>): Scanned;
};

/** Axes of query, key and value in most mixers. */
export const queryKeyValue = { query: "B H T K", key: "B H T K", value: "B H T V" } as const;

/**
 * Declares a mixer from its inputs and its step.
 *
 * @param definition - `scale`: default `1 / √K`. `scaled`: default `"query"`. `stateShape`: default `[K, V]`.
 */
export function defineMixer<Required extends string, Optional extends string = never>(
  definition: Pick<Mixer<Required, Optional>, "name" | "inputs" | "mix"> &
    Partial<Pick<Mixer<Required, Optional>, "optional" | "scale" | "scaled" | "stateShape">>,
): Mixer<Required, Optional> {
  const check = checks("defineMixer");
  const names = ["name", "inputs", "optional", "scale", "scaled", "stateShape", "mix"] as const;
  const { name, inputs, mix } = check.options(definition, names, "definition");
  check.type({ name }, "string");
  const fix = 'name the axes of each input: `{ query: "B H T K" }`.';
  check.each(
    { inputs },
    (value) => typeof value === "object" && value !== null,
    "axes by the name of an input",
    fix,
  );
  check.type({ mix }, "function");
  return {
    optional: {} as Record<Optional, string>,
    scale: ({ keyDim }) => 1 / Math.sqrt(keyDim),
    stateShape: ({ keyDim, valueDim }) => [keyDim, valueDim],
    ...definition,
  };
}

/** Refuses values that are not mixers, such as the function `gla` in place of `gla()`. */
export function checkMixer(fn: string, mixer: unknown): void {
  const fix = "call the function that makes it: `gla()`.";
  const holds = (value: unknown) => {
    const mixer = value as { mix?: unknown; ownForm?: unknown } | null | undefined;
    return typeof (mixer?.mix ?? mixer?.ownForm) === "function";
  };
  checks(fn).each({ mixer }, holds, "a mixer", fix);
}
