import { checks } from "@qkv/core";
import type { Tensor } from "../tensor.js";
import { mapTensors } from "../tree.js";
import { checkState, trainable, type Optimizer, type OptimizerState } from "./optimizer.js";

/** A group of params with its optimizer. */
export type ParamGroup = {
  /**
   * The params of the group: those whose path (such as `layers.0.norm.weight`) matches the regular expression, or for which the
   * function returns true. A group has one param or more.
   */
  params: RegExp | ((path: string, param: Tensor) => boolean);
  optimizer: Optimizer;
};

/**
 * An optimizer made of several: each param belongs to the first group that matches, or to `rest`. For example,
 * exclude norms and biases from weight decay, set learning rates per layer, or use another optimizer for matrices. Moments with
 * the same name form one tree: the state of two AdamW has the form of one.
 *
 * @param groups - In the order in which they are tested.
 * @param rest - The optimizer of all other params.
 * @throws {ArgumentError} If a group is not `{ params, optimizer }`, if params give one no param, or have a tensor twice.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { paramGroups, sgd } from "@qkv/tensor/optimizers";
 *
 * const params = { weight: tensor([2]), bias: tensor([2]) };
 * const plain = sgd({ learningRate: 0.5 });
 * const optimizer = paramGroups([{ params: /bias$/, optimizer: plain }], sgd({ learningRate: 0.5, weightDecay: 1 }));
 * optimizer.update(params, { weight: tensor([0]), bias: tensor([0]) }, optimizer.init(params));
 * [params.weight.toNested(), params.bias.toNested()]; // => [[1], [2]]
 * ```
 */
export function paramGroups(groups: readonly ParamGroup[], rest: Optimizer): Optimizer {
  const check = checks("paramGroups");
  const fix = "write `{ params: /bias$/, optimizer: adamW({ weightDecay: 0 }) }`.";
  check.list({ groups }, "groups: `params`, and their `optimizer`", isGroup, fix);
  groups.forEach((group, i) => check.options(group, ["params", "optimizer"], `groups[${i}]`));
  check.each(
    { rest },
    isOptimizer,
    "an optimizer",
    "give the optimizer of all other params, such as `adamW()`.",
  );
  const optimizers = [...groups.map(({ optimizer }) => optimizer), rest];
  const groupOf = (path: string, x: Tensor) => {
    const index = groups.findIndex(({ params }) =>
      params instanceof RegExp ? path.search(params) >= 0 : params(path, x),
    );
    return index < 0 ? groups.length : index;
  };
  /** The params of each optimizer, in the same nesting, without the others. */
  const divide = <P>(params: P) => {
    const groupIndices = new Map<string, number>();
    mapTensors(params, (x, path) => void groupIndices.set(path, groupOf(path, x)));
    const usedGroups = new Set(groupIndices.values());
    groups.forEach(({ params: received }, i) => {
      if (!usedGroups.has(i)) refuseUnused(`groups[${i}].params`, received, [...groupIndices.keys()]);
    });
    return optimizers.map((optimizer, i) => ({
      optimizer,
      select: <T>(tree: T): T =>
        mapTensors(tree, (x, path) => (groupIndices.get(path) === i ? x : undefined)),
    }));
  };
  return {
    init(params) {
      trainable("paramGroups", params);
      const moments: Record<string, (typeof params)[]> = {};
      for (const { optimizer, select } of divide(params))
        for (const [name, tree] of Object.entries(optimizer.init(select(params)).moments))
          (moments[name] ??= []).push(tree);
      const merged = Object.entries(moments).map(([name, trees]) => [name, merge(params, trees)] as const);
      return { step: 0, moments: Object.fromEntries(merged) };
    },
    update(params, gradients, state) {
      const { step, moments } = checkState("paramGroups", state);
      trainable("paramGroups", params);
      for (const { optimizer, select } of divide(params)) {
        const groupState: OptimizerState<typeof params> = {
          step,
          moments: Object.fromEntries(Object.entries(moments).map(([name, tree]) => [name, select(tree)])),
        };
        optimizer.update(select(params), select(gradients), groupState);
      }
      state.step += 1;
    },
  };
}

function refuseUnused(argument: string, received: unknown, paths: readonly string[]): never {
  const some = paths.slice(0, 5).join(", ") + (paths.length > 5 ? ` … ${paths.length} in all` : "");
  const expected = `one that finds a param which no earlier group has; there are ${some || "none"}`;
  const fix = "correct the name, or leave the group out.";
  return checks("paramGroups").refuse({ argument, received, expected, fix });
}

/** Params with each tensor replaced by the one that a tree has at its path. */
function merge<P>(params: P, trees: readonly P[]): P {
  const found = new Map<string, Tensor>();
  for (const tree of trees) mapTensors(tree, (x, path) => void found.set(path, x));
  return mapTensors(params, (_, path) => found.get(path));
}

function isOptimizer(value: unknown): boolean {
  const { init, update } = (value ?? {}) as Partial<Optimizer>;
  return typeof init === "function" && typeof update === "function";
}

function isGroup(value: unknown): boolean {
  const { params, optimizer } = (value ?? {}) as Partial<ParamGroup>;
  return (params instanceof RegExp || typeof params === "function") && isOptimizer(optimizer);
}
