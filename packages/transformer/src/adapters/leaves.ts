import { isTensor } from "@qkv/tensor";
import { isQuantized } from "@qkv/tensor/quantized";

/** Returns a copy of a tree with values replaced or added at some paths. Unchanged subtrees are shared. */
export function withLeaves<T>(tree: T, leaves: ReadonlyMap<string, unknown>): T {
  const keysAt = new Map<string, string[]>();
  for (const path of leaves.keys()) {
    const dot = path.lastIndexOf(".");
    const parent = path.slice(0, Math.max(0, dot));
    keysAt.set(parent, [...(keysAt.get(parent) ?? []), path.slice(dot + 1)]);
  }
  const visit = (value: unknown, path: string): unknown => {
    if (leaves.has(path)) return leaves.get(path);
    if (typeof value !== "object" || value === null || isTensor(value) || isQuantized(value)) return value;
    const before = value as Record<string, unknown>;
    const keys = new Set([...Object.keys(before), ...(keysAt.get(path) ?? [])]);
    const entries = Array.from(keys, (key) => {
      return [key, visit(before[key], path === "" ? key : `${path}.${key}`)] as const;
    });
    if (entries.every(([key, child]) => child === before[key])) return value;
    return Array.isArray(value) ? entries.map(([, child]) => child) : Object.fromEntries(entries);
  };
  return visit(tree, "") as T;
}

/** The value at a path of a tree. */
export function leafAt(tree: unknown, path: string): unknown {
  let value = tree;
  for (const key of path.split(".")) value = (value as Record<string, unknown>)[key];
  return value;
}
