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

/** State of an optimizer: plain data that can be saved with the params. */
export type OptimizerState<P> = {
  /** Number of updates so far. */
  step: number;
  /** Running means (moments) by name, each nested like the params. */
  moments: Record<string, P>;
};

/** An optimizer, which updates params by their gradients. */
export type Optimizer = {
  /**
   * The state before the first update, all zeros.
   *
   * @param params - Tensors nested in objects and lists. Tensors that are not floats are not updated.
   * @throws {ArgumentError} If a tensor has a 16-bit dtype, in which small steps would be lost, or occurs twice.
   */
  init<P>(params: P): OptimizerState<P>;
  /**
   * Runs one step, which updates params and state in place; the change is visible in all their views.
   *
   * @param gradients - Nested like the params, as `grad` returns them.
   * @throws {ShapeError} If the shape of a gradient or of the state does not match a param, which the error names.
   */
  update<P>(params: P, gradients: P, state: OptimizerState<P>): void;
};

/** A param with its gradient and state, for the update rule of an optimizer. */
export type Slot = {
  readonly param: Tensor;
  readonly gradient: Tensor;
  /** Moments of the param, in the order of their names. */
  readonly moments: readonly Tensor[];
  readonly rate: number;
  /** Number of updates before this one. */
  readonly step: number;
};

/**
 * Defines an optimizer by the names of its moments and the rule that updates one param.
 *
 * @param fn - Its name, for errors.
 * @param shapeOf - Shape of a moment for a param of a given shape; undefined if the param does not have it. Default: the param's.
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
      const gradientTensors = byPath(gradients);
      const momentTensors = momentNames.map((name) => byPath(state.moments[name]));
      // Everything is checked before any param is written.
      const slots = [...trainable(fn, params)].map(([path, param]): Slot => {
        const gradient = fitting(fn, `gradients${path}`, gradientTensors.get(path), param, param.shape);
        const moments = momentTensors.flatMap((tensors, i) => {
          const shape = shapeOf(momentNames[i]!, param.shape);
          return shape
            ? [fitting(fn, `state.moments.${momentNames[i]}${path}`, tensors.get(path), param, shape)]
            : [];
        });
        return { param, gradient, moments, rate, step };
      });
      for (const slot of slots) rule(slot);
      state.step += 1;
    },
  };
}

/** Checks that an argument is the state of an optimizer, not for example gradients. */
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
  const tensors = new Map<string, Tensor>();
  mapTensors(tree, (x, path) => {
    tensors.set(path === "" ? "" : `.${path}`, x);
    return x;
  });
  return tensors;
}

/** The tensors that an optimizer updates, by path. */
export function trainable(fn: string, params: unknown): Map<string, Tensor> {
  const isTree = (value: unknown) =>
    value === undefined || (typeof value === "object" && value !== null && !("then" in value));
  checks(fn).each(
    { params },
    isTree,
    "tensors nested in objects and lists",
    "give what `model.init(seed)` returns.",
  );
  const tensors = byPath(params);
  const seen = new Map<unknown, string>();
  for (const [path, x] of tensors) {
    checkNoBroadcast(fn, `params${path}`, x);
    const firstPath = seen.get(x);
    if (isPacked(x.dtype) || firstPath !== undefined) {
      throw new ArgumentError({
        fn,
        argument: `params${path}`,
        received: firstPath === undefined ? x.dtype : `the tensor that is also params${firstPath}`,
        expected:
          firstPath === undefined
            ? "float32 or float64, which small steps are not lost in"
            : "each tensor once",
        fix:
          firstPath === undefined
            ? "train a float32 copy, and `cast` it to store it."
            : "keep a shared tensor in one place of the params, and use it twice inside the model.",
      });
    }
    if (isFloat(x.dtype)) seen.set(x, path);
    else tensors.delete(path);
  }
  return tensors;
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
