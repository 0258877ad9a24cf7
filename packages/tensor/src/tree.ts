import { checks } from "@qkv/core";
import { isTensor, type Tensor } from "./tensor.js";

/** Calls `f` on each tensor of a nested object, and returns the results in the same nesting. Other leaves are not changed. */
export function mapTensors<T>(tree: T, f: (x: Tensor, path: string) => unknown, path = ""): T {
  if (typeof f !== "function") checks("mapTensors").type({ f }, "function");
  if (isTensor(tree)) return f(tree, path) as T;
  const at = (key: string | number) => (path === "" ? String(key) : `${path}.${key}`);
  if (Array.isArray(tree)) return tree.map((value, i) => mapTensors(value, f, at(i))) as T;
  if (isPlainObject(tree)) {
    return Object.fromEntries(
      Object.entries(tree).map(([key, value]) => [key, mapTensors(value, f, at(key))]),
    ) as T;
  }
  return tree;
}

/**
 * The tensors of a nested object in order, for instance of a model's `params`.
 *
 * @example
 * ```ts
 * import { sizeOf, tensorsOf, zeros } from "@qkv/tensor";
 *
 * const params = { layers: [{ weight: zeros([2, 3]) }], bias: zeros([3]) };
 * // The number of parameters.
 * tensorsOf(params).reduce((sum, { shape }) => sum + sizeOf(shape), 0); // => 9
 * ```
 */
export function tensorsOf(tree: unknown): Tensor[] {
  const found: Tensor[] = [];
  collect(tree, found);
  return found;
}

/** Collects tensors in the order of `mapTensors`, without building objects: it runs at the end of every scope. */
function collect(tree: unknown, found: Tensor[]): void {
  if (isTensor(tree)) found.push(tree);
  else if (Array.isArray(tree)) for (const value of tree) collect(value, found);
  else if (isPlainObject(tree)) for (const key of Object.keys(tree)) collect(tree[key], found);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}
