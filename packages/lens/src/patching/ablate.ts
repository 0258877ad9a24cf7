import { checks, type Checks } from "@qkv/core";
import { add, mean, mul, slice, type Tensor } from "@qkv/tensor";
import type { Interventions } from "@qkv/transformer/inspection";
import { checkTensors, tensorNamed } from "./check-tensors.js";
import { replaceSlice } from "./slices.js";

/** A part of a model to ablate. Indices are from 0. */
export type AblationTarget = {
  readonly layer: number;
  /** A head of the layer's attention. */
  readonly head?: number;
  /** A hidden unit of the layer's feed-forward layer. */
  readonly neuron?: number;
  /** Attention or the feed-forward layer. Default without `head` and `neuron`: both. */
  readonly part?: "attention" | "feedForward";
};

/** A kind of ablation: the values that replace ablated ones. */
export type Ablation = {
  readonly name: "zero" | "mean" | "resample";
  /** Returns the replacement of x, in its shape. `name`: full name. `span`: x is only the slice of length 1 at `start` of `axis`. */
  replacement(x: Tensor, name: string, span?: { axis: number; start: number }): Tensor;
};

/**
 * Zero ablation: replaces values by zeros.
 *
 * @returns A value for {@link ablate}.
 */
export function zeroAblation(): Ablation {
  return { name: "zero", replacement: (x) => mul(x, 0) };
}

/**
 * Mean ablation: replaces values by their mean over the texts and positions of another run, which removes information about this text.
 *
 * @param tensors - Tensors of a run over other texts, by full name.
 * @returns A value for {@link ablate}.
 */
export function meanAblation(tensors: Readonly<Record<string, Tensor>>): Ablation {
  const check = checks("meanAblation");
  checkTensors(check, tensors);
  return {
    name: "mean",
    replacement(x, name, span) {
      const source = sliceAt(tensorNamed(check, tensors, name), span);
      const axes = source.shape.length === 4 ? [0, 2] : [0, 1]; // batch and positions
      return add(mul(x, 0), mean(source, { axis: axes, keepDims: true }));
    },
  };
}

/**
 * Resample ablation: replaces values by those of another run at the same positions.
 *
 * @param tensors - Tensors of a run with as many texts and tokens, by full name.
 * @returns A value for {@link ablate}.
 */
export function resampleAblation(tensors: Readonly<Record<string, Tensor>>): Ablation {
  const check = checks("resampleAblation");
  checkTensors(check, tensors);
  return {
    name: "resample",
    replacement(x, name, span) {
      const source = sliceAt(tensorNamed(check, tensors, name), span);
      if (source.shape.join() === x.shape.join()) return source;
      const expected = `[${x.shape.join(", ")}], as in the run that is ablated`;
      const fix = "give both runs the same number of tokens.";
      return check.refuse({ argument: `tensors["${name}"]`, received: source.shape, expected, fix });
    },
  };
}

/**
 * Hooks that ablate heads, neurons, attention or feed-forward layers: by zeros, by means, or by values of another run.
 *
 * @param targets - `{ layer, head }`, `{ layer, neuron }`, `{ layer, part }`, or `{ layer }` for both parts of a layer. An
 *   empty list ablates nothing.
 * @param ablation - {@link zeroAblation}, {@link meanAblation} or {@link resampleAblation}. Default: zeros.
 * @returns Hooks for {@link runWithTrace}, or `interventions` of a trace.
 * @throws {ArgumentError} If a target is not valid; when the model runs, if a layer has no such head or neuron.
 * @see "Are Sixteen Heads Really Better than One?" (2019), arXiv:1905.10650
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { ablate, runWithTrace } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const hooks = ablate([{ layer: 0, head: 1 }, { layer: 0, neuron: 7 }]);
 * runWithTrace({ config, params: init(1), apply }, [3, 1, 4], { hooks }).logits.shape; // => [1, 3, 11]
 * ```
 */
export function ablate(
  targets: readonly AblationTarget[],
  ablation: Ablation = zeroAblation(),
): Interventions {
  const isObject = (value: unknown) => typeof value === "object" && value !== null;
  check.list({ targets }, "{ layer, head }", isObject);
  const isAblation = (value: unknown) =>
    typeof (value as Partial<Ablation> | null)?.replacement === "function";
  check.each(
    { ablation },
    isAblation,
    "`zeroAblation()`, `meanAblation(tensors)` or `resampleAblation(tensors)`",
  );
  const hooks: Record<string, (x: Tensor) => Tensor> = {};
  const chain = (name: string, change: (x: Tensor) => Tensor) => {
    const before = hooks[name];
    hooks[name] = before ? (x) => change(before(x)) : change;
  };
  for (const target of targets) {
    const { layer, head, neuron, part } = check.options(
      target,
      ["layer", "head", "neuron", "part"],
      "targets",
    );
    check.whole({ "targets.layer": layer }, { min: 0, fix: "count layers from 0." });
    const inside = { head, neuron };
    if (head !== undefined)
      ablateSlice(chain, `layers.${layer}.attention.heads`, "head", 1, inside, ablation);
    if (neuron !== undefined)
      ablateSlice(chain, `layers.${layer}.feedForwardHidden`, "neuron", 2, inside, ablation);
    if (head !== undefined || neuron !== undefined) {
      const fix = "give `{ layer, part }` for all of it, as a target of its own.";
      check.each({ "targets.part": part }, () => part === undefined, "none beside a head or a neuron", fix);
      continue;
    }
    if (part !== undefined) check.oneOf({ "targets.part": part }, ["attention", "feedForward"]);
    for (const sublayer of part ? [part] : (["attention", "feedForward"] as const)) {
      const name = `layers.${layer}.${sublayer}Output`;
      chain(name, (x) => ablation.replacement(x, name));
    }
  }
  return hooks;
}

/** Adds a hook that ablates one head or neuron of a tensor. */
function ablateSlice(
  chain: (name: string, change: (x: Tensor) => Tensor) => void,
  name: string,
  what: "head" | "neuron",
  axis: number,
  inside: { head: number | undefined; neuron: number | undefined },
  ablation: Ablation,
): void {
  const start = inside[what]!;
  check.whole({ [`targets.${what}`]: start }, { min: 0, fix: `count ${what}s from 0.` });
  chain(name, (x) => {
    check.whole({ [`targets.${what}`]: start }, { max: x.shape[axis]! - 1, fix: `count ${what}s from 0.` });
    return replaceSlice(
      x,
      axis,
      start,
      ablation.replacement(slice(x, axis, start, start + 1), name, { axis, start }),
    );
  });
}

const sliceAt = (x: Tensor, span: { axis: number; start: number } | undefined): Tensor =>
  span ? slice(x, span.axis, span.start, span.start + 1) : x;

const check: Checks = /* @__PURE__ */ checks("ablate");
