import { sizeOf } from "@qkv/core";
import { isTensor, tensor, type Device, type Tensor, type TypedArray } from "@qkv/tensor";

/** Tensors nested in objects and lists, as they are sent to another thread. */
export type SentTree = unknown;

type SentTensor = {
  readonly [key]: { readonly data: TypedArray | undefined } & Pick<Tensor, "shape" | "dtype">;
};

const key = "@qkv/tensor";

/** Copies a tree for another thread. @param values - False: shapes and types of tensors only. */
export async function toSentTree(tree: unknown, { values = true } = {}): Promise<SentTree> {
  if (isTensor(tree)) {
    const { shape, dtype } = tree;
    return { [key]: { shape, dtype, data: values ? await tree.read() : undefined } };
  }
  if (Array.isArray(tree)) return Promise.all(tree.map((child) => toSentTree(child, { values })));
  if (!isPlainObject(tree)) return tree;
  const entries = Object.entries(tree).map(
    async ([name, value]) => [name, await toSentTree(value, { values })] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** Restores a sent tree on a device. Tensors that were sent without values are zeros. */
export function fromSentTree(tree: SentTree, device: Device): unknown {
  if (Array.isArray(tree)) return tree.map((child) => fromSentTree(child, device));
  if (!isPlainObject(tree)) return tree;
  if (key in tree) {
    const { shape, dtype, data } = (tree as SentTensor)[key];
    return tensor(data ?? new Float32Array(sizeOf(shape)), { shape, dtype, device });
  }
  return Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, fromSentTree(value, device)]));
}

/** False for typed arrays and other class instances, which are sent unchanged. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
