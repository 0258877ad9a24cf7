import { checks, type Checks } from "@qkv/core";
import { slice, type Tensor } from "@qkv/tensor";
import type { Interventions } from "@qkv/transformer/inspection";
import { checkTensors, tensorNamed } from "./check-tensors.js";
import { hasHeads, positionAxis, replaceSlice } from "./slices.js";

/** Part of a tensor that is replaced. */
export type PatchPlace = {
  /** Full name: `layers.1.attention.heads`. */
  readonly name: string;
  /** Position, from 0. Default: all. */
  readonly position?: number;
  /** Head of a tensor with an axis of heads, from 0. Default: all. */
  readonly head?: number;
};

/**
 * Hooks that put tensors of one run into another: activation patching.
 *
 * @param tensors - Tensors of the source run, by full name. It has the same number of tokens as the patched run.
 * @param places - Tensors to patch, or parts of them. Default: all given tensors that can be replaced.
 * @returns Hooks for {@link runWithTrace}, or `interventions` of a trace.
 * @throws {ArgumentError} If a tensor was not traced; when the model runs, if a place is out of range.
 * @see "Interpretability in the Wild" (2022), arXiv:2211.00593
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { patch, runWithTrace } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const model = { config, params: init(1), apply };
 * const source = runWithTrace(model, [3, 1, 4]);
 * const hooks = patch(source.tensors, [{ name: "layers.0.output" }]);
 * const { logits } = runWithTrace(model, [2, 7, 1], { names: [], hooks });
 * logits.data[32] === source.logits.data[32]; // => true
 * ```
 */
export function patch(
  tensors: Readonly<Record<string, Tensor>>,
  places?: readonly PatchPlace[],
): Interventions {
  const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
  checkTensors(check, tensors);
  // Scores are traced but cannot be replaced.
  const replaceable = Object.keys(tensors).filter((name) => !/\.(dots|capped|scores|lse)$/.test(name));
  const chosen = places ?? replaceable.map((name): PatchPlace => ({ name }));
  check.list({ places: chosen }, "{ name, position, head }", isObject);
  const hooks: Record<string, (x: Tensor) => Tensor> = {};
  for (const place of chosen) {
    const { name, position, head } = check.options(place, ["name", "position", "head"], "places");
    check.type({ "places.name": name }, "string");
    const source = tensorNamed(check, tensors, name);
    const before = hooks[name];
    hooks[name] = (x) => patchTensor(before ? before(x) : x, source, { name, position, head });
  }
  return hooks;
}

/** x with a head, a position, or all of it replaced from `source`. */
function patchTensor(
  x: Tensor,
  source: Tensor,
  { name, position, head }: { name: string; position: number | undefined; head: number | undefined },
): Tensor {
  checkSameShape(name, x, source);
  if (head !== undefined) {
    const last = hasHeads(name) ? x.shape[1]! - 1 : -1;
    check.whole({ "places.head": head }, { min: 0, max: last, fix: "count heads from 0." });
    const patchedHead = slice(x, 1, head, head + 1);
    const sourceHead = slice(source, 1, head, head + 1);
    return replaceSlice(
      x,
      1,
      head,
      position === undefined ? sourceHead : atPosition(patchedHead, sourceHead, name, position),
    );
  }
  return position === undefined ? source : atPosition(x, source, name, position);
}

/** x with one position replaced from `source`. */
function atPosition(x: Tensor, source: Tensor, name: string, position: number): Tensor {
  const axis = positionAxis(name);
  check.whole(
    { "places.position": position },
    { min: 0, max: x.shape[axis]! - 1, fix: "count tokens from 0." },
  );
  return replaceSlice(x, axis, position, slice(source, axis, position, position + 1));
}

function checkSameShape(name: string, x: Tensor, source: Tensor): void {
  if (x.shape.join() === source.shape.join()) return;
  check.refuse({
    argument: `tensors["${name}"]`,
    received: source.shape,
    expected: `[${x.shape.join(", ")}], as in the run that is patched`,
    fix: "give both runs the same number of tokens.",
  });
}

const check: Checks = /* @__PURE__ */ checks("patch");
