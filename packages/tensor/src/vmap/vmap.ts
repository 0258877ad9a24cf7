import { checks, type Checks, normalizeAxis, refuseShape } from "@qkv/core";
import type { Device } from "../contracts.js";
import { run } from "../op.js";
import { contiguous } from "../ops/contiguous.js";
import { permuteOp } from "../ops/permute.js";
import { isTensor, type Tensor } from "../tensor.js";
import { mapTensors } from "../tree.js";
import { type Batch, openBatch } from "./batch.js";
import { repeat } from "./batching-rules.js";

/**
 * The axis of the examples, for all tensors of an argument, or for each in the same nesting. `null`: all examples share the tensor.
 */
export type BatchAxes = number | null | readonly BatchAxes[] | { readonly [key: string]: BatchAxes };

/** Options of {@link vmap}. */
export type VmapOptions = {
  /** The axis of the examples in the arguments: one for all of them, or a list with one for each. Default 0. */
  inAxes?: BatchAxes;
  /** The axis of the examples in the results. `null` for results that do not depend on them. Default 0. */
  outAxes?: BatchAxes;
};

/**
 * Vectorizes a function of one example: each op runs once for all examples, with one more axis. Tensors that `f` captures from its
 * surroundings, and arguments that are not tensors, are shared by all examples.
 *
 * Inside of `f`, tensors have the shape of one example, and their numbers cannot be read. It can be combined with `grad`, `vjp` and
 * `jvp`, inside and outside: `vmap(grad(loss), { inAxes: [null, 0] })` gives the gradient of each example. Some ops, such as
 * `dropout`, convolutions and `attention`, run once for each example; `dropout` drops the same elements in each.
 *
 * @param f - From tensors, nested in objects and lists, to tensors.
 * @returns A function of the same arguments.
 * @throws {ArgumentError} If no argument has an axis of examples, or `f` reads numbers or writes in place (`item`, `unique`, `write`).
 * @throws {ShapeError} If the axes of examples differ in length.
 *
 * @example
 * ```ts
 * import { grad, mul, sum, tensor, vmap } from "@qkv/tensor";
 *
 * const dot = (a: ReturnType<typeof tensor>, b: ReturnType<typeof tensor>) => sum(mul(a, b));
 * vmap(dot)(tensor([[1, 2], [3, 4]]), tensor([[1, 1], [0, 1]])).toNested(); // => [3, 4]
 * vmap(dot, { inAxes: [1, null] })(tensor([[1, 2], [3, 4]]), tensor([1, 10])).toNested(); // => [31, 42]
 *
 * // The gradient of each example.
 * vmap(grad(dot), { inAxes: [null, 0] })(tensor([5, 6]), tensor([[1, 2], [3, 4]])).toNested(); // => [[1, 2], [3, 4]]
 * ```
 */
export function vmap<Args extends unknown[], Y>(
  f: (...args: Args) => Y,
  options?: VmapOptions,
): (...args: Args) => Y {
  check.type({ f }, "function");
  const { inAxes = 0, outAxes = 0 } = check.options(options, ["inAxes", "outAxes"]);
  return (...args) => {
    const axes: [Tensor, number][] = [];
    withAxes("inAxes", inAxes, args, (x, axis) => void (axis !== null && axes.push([x, axis])));
    const { device, size } = exampleCount(axes);
    return device.scope(() => {
      const batch = openBatch(size, device);
      try {
        return call(batch);
      } finally {
        batch.close();
      }
    });
    function call(batch: Batch): Y {
      const entered = withAxes("inAxes", inAxes, args, (x, axis) =>
        axis === null ? x : batch.enter(moved(x, normalizeAxis("vmap", axis, x.shape.length, "inAxes"), 0)),
      );
      // Scopes inside of f must not free the tensors that those of an example represent.
      const result = device.recording(() => f(...entered));
      return withAxes("outAxes", outAxes, result, (y, axis) => {
        const { x, batched } = batch.valueOf(y);
        if (axis !== null) {
          const all = batched ? x : contiguous(repeat(x, size));
          return moved(all, 0, normalizeAxis("vmap", axis, all.shape.length, "outAxes"));
        }
        if (!batched) return x;
        return check.refuse({
          argument: "outAxes",
          received: null,
          expected: "an axis, since the result differs from example to example",
          fix: "leave `outAxes` out, or reduce the result outside of `f`.",
        });
      });
    }
  };
}

/** Calls `visit` on each tensor of a tree with its axis. `axes` is nested like the tree, or applies to a whole subtree. */
function withAxes<T>(
  argument: "inAxes" | "outAxes",
  axes: BatchAxes,
  tree: T,
  visit: (x: Tensor, axis: number | null) => unknown,
): T {
  if (axes === null || Number.isInteger(axes))
    return mapTensors(tree, (x) => visit(x, axes as number | null));
  const inside = typeof axes === "object" && typeof tree === "object" && tree !== null && !isTensor(tree);
  const keys = inside ? Object.keys(tree) : [];
  const odd =
    inside &&
    [...Object.keys(axes), ...keys].find((key) => !Object.hasOwn(axes, key) || !Object.hasOwn(tree, key));
  if (!inside || odd !== undefined || Array.isArray(axes) !== Array.isArray(tree)) {
    check.refuse({
      argument,
      received: axes,
      expected: `an integer or null, or ${argument === "inAxes" ? "one for each argument" : "one for each result"}, nested as they are`,
      fix: "write 0 for the first axis, and null for what all examples share.",
    });
  }
  const of = (key: string) =>
    withAxes(
      argument,
      (axes as Record<string, BatchAxes>)[key]!,
      (tree as Record<string, unknown>)[key],
      visit,
    );
  return (Array.isArray(tree) ? keys.map(of) : Object.fromEntries(keys.map((key) => [key, of(key)]))) as T;
}

/** Number of examples, and their device. */
function exampleCount(axes: readonly (readonly [Tensor, number])[]): { device: Device; size: number } {
  const [first] = axes;
  if (!first)
    check.refuse({
      argument: "inAxes",
      received: null,
      expected: "an axis of examples in one argument or more, and a tensor there",
      fix: "call `f` itself, or give the axis of a tensor.",
    });
  const lengths = axes.map(([x, axis]) => x.shape[normalizeAxis("vmap", axis, x.shape.length, "inAxes")]!);
  const odd = lengths.findIndex((length) => length !== lengths[0]);
  if (odd >= 0)
    refuseShape(
      "vmap",
      "args",
      axes[odd]![0].shape,
      `${lengths[0]} examples along axis ${axes[odd]![1]}, as the first tensor has`,
      "give `null` in `inAxes` for what all examples share.",
    );
  return { device: first![0].device, size: lengths[0]! };
}

function moved(x: Tensor, from: number, to: number): Tensor {
  if (from === to) return x;
  const axes = x.shape.flatMap((_, axis) => (axis === from ? [] : [axis]));
  axes.splice(to, 0, from);
  return run(permuteOp, [x], { axes });
}

const check: Checks = /* @__PURE__ */ checks("vmap");
