import {
  ArgumentError,
  checkNoBroadcast,
  checks,
  isFloat,
  isPacked,
  sameShape,
  type Shape,
  ShapeError,
} from "@qkv/core";
import { zeros } from "../create.js";
import { resident } from "../resident.js";
import type { Tensor } from "../tensor.js";
import { mapTensors } from "../tree.js";
import { checkRate, rateAt, type Schedule } from "./schedules.js";

/** State of an optimizer: plain data, to be saved with the params. */
export type OptimizerState<P> = {
  /** Updates made so far. */
  step: number;
  /** Running means by name, each nested as the params are. */
  moments: Record<string, P>;
};

/** Changes params by their gradients. */
export type Optimizer = {
  /**
   * The state before the first update, all zeros.
   *
   * @param params - Tensors nested in objects and lists. Those that are not floats are left as they are.
   * @throws {ArgumentError} If a tensor has a 16-bit type, which steps would be lost in, or is there twice.
   */
  init<P>(params: P): OptimizerState<P>;
  /**
   * One step. Writes to params and state in place, so that every view of them sees it, and to nothing else.
   *
   * @param gradients - Nested as the params are, as `grad` returns them.
   * @throws {ShapeError} That names the first param whose gradient or state does not fit.
   */
  update<P>(params: P, gradients: P, state: OptimizerState<P>): void;
};

/** One param, and what a rule needs to change it in place. */
export type Slot = {
  readonly param: Tensor;
  readonly gradient: Tensor;
  /** Those that the param has, in the order of their names. */
  readonly moments: readonly Tensor[];
  readonly rate: number;
  /** Updates made before this one. */
  readonly step: number;
};

/**
 * An optimizer from the names of its running means and the rule that changes one param.
 *
 * @param fn - Its name, for errors.
 * @param shapeOf - The shape of a running mean of a param of a shape; undefined where it has none. Default: the param's.
 */
export function defineOptimizer(
  fn: string,
  learningRate: number | Schedule,
  momentNames: readonly string[],
  rule: (slot: Slot) => void,
  shapeOf: (name: string, shape: Shape) => Shape | undefined = (_, shape) => shape,
): Optimizer {
  if (typeof learningRate !== "function") checkRate(fn, "learningRate", learningRate);
  return {
    init(params) {
      trainable(fn, params);
      const none = (name: string) =>
        mapTensors(params, (x) => {
          if (!isFloat(x.dtype)) return x;
          const shape = shapeOf(name, x.shape);
          return shape && resident(zeros(shape, { dtype: x.dtype, device: x.device }));
        });
      return { step: 0, moments: Object.fromEntries(momentNames.map((name) => [name, none(name)])) };
    },
    update(params, gradients, state) {
      const { step } = checkState(fn, state);
      const rate = rateAt(fn, learningRate, step);
      const slopes = byPath(gradients);
      const kept = momentNames.map((name) => byPath(state.moments[name]));
      // All is checked before anything is written.
      const slots = [...trainable(fn, params)].map(([path, param]): Slot => {
        const gradient = fitting(fn, `gradients${path}`, slopes.get(path), param, param.shape);
        const moments = kept.flatMap((one, i) => {
          const shape = shapeOf(momentNames[i]!, param.shape);
          return shape
            ? [fitting(fn, `state.moments.${momentNames[i]}${path}`, one.get(path), param, shape)]
            : [];
        });
        return { param, gradient, moments, rate, step };
      });
      for (const slot of slots) rule(slot);
      state.step += 1;
    },
  };
}

/** Refuses what is no state: gradients in its place, or nothing. */
export function checkState<P>(fn: string, state: OptimizerState<P>): OptimizerState<P> {
  const { step, moments } = (state as Partial<OptimizerState<P>> | null | undefined) ?? {};
  if (Number.isSafeInteger(step) && typeof moments === "object" && moments !== null) return state;
  return checks(fn).refuse({
    argument: "state",
    received: state,
    expected: "what `init` returned, with its `step` and `moments`",
    fix: "call `update(params, gradients, state)`, in this order.",
  });
}

function byPath(tree: unknown): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  mapTensors(tree, (x, path) => {
    found.set(path === "" ? "" : `.${path}`, x);
    return x;
  });
  return found;
}

/** The tensors that an optimizer changes, by path. */
export function trainable(fn: string, params: unknown): Map<string, Tensor> {
  const isTree = (value: unknown) =>
    value === undefined || (typeof value === "object" && value !== null && !("then" in value));
  checks(fn).each(
    { params },
    isTree,
    "tensors nested in objects and lists",
    "give what `model.init(seed)` returns.",
  );
  const all = byPath(params);
  const seen = new Map<unknown, string>();
  for (const [path, x] of all) {
    checkNoBroadcast(fn, `params${path}`, x);
    const twin = seen.get(x);
    if (isPacked(x.dtype) || twin !== undefined) {
      throw new ArgumentError({
        fn,
        argument: `params${path}`,
        received: twin === undefined ? x.dtype : `the tensor that is also params${twin}`,
        expected:
          twin === undefined ? "float32 or float64, which small steps are not lost in" : "each tensor once",
        fix:
          twin === undefined
            ? "train a float32 copy, and `cast` it to store it."
            : "keep a shared tensor in one place of the params, and use it twice inside the model.",
      });
    }
    if (isFloat(x.dtype)) seen.set(x, path);
    else all.delete(path);
  }
  return all;
}

function fitting(fn: string, argument: string, x: Tensor | undefined, param: Tensor, shape: Shape): Tensor {
  if (x && x.dtype === param.dtype && x.device === param.device && sameShape(x.shape, shape)) return x;
  throw new ShapeError({
    fn,
    argument,
    received: x ? `${x.dtype} [${x.shape.join(", ")}] on ${x.device.name}` : "nothing",
    expected: `${param.dtype} [${shape.join(", ")}] on ${param.device.name}, as the param is`,
    fix: "nest gradients and state as the params are: `grad` and `init` return them so.",
  });
}
