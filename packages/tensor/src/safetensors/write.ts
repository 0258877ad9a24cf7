import { bytesPerElement, checks, littleEndianBytes, writeSafetensorsHeader } from "@qkv/core";
import type { Tensor } from "../tensor.js";
import { mapTensors } from "../tree.js";
import { storedTypes } from "./elements.js";

/**
 * Encodes tensors as a safetensors file. Wider dtypes come first, so that each tensor is aligned.
 *
 * @param tensors - By name, or nested in objects and lists: `{ layers: [{ w }] }` is stored as `layers.0.w`.
 * @param metadata - Texts by name. Default: none.
 * @throws {ArgumentError} If a value is not a tensor, or two tensors have the same name.
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { openSafetensors, writeSafetensors } from "@qkv/tensor/safetensors";
 *
 * const bytes = await writeSafetensors({ layers: [{ w: zeros([2]) }] });
 * (await openSafetensors(bytes)).names; // => ["layers.0.w"]
 * // On the disk: await writeFile("model.safetensors", bytes), and readSafetensors("model.safetensors").
 * ```
 */
export async function writeSafetensors(
  tensors: unknown,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const entries: { name: string; x: Tensor }[] = [];
  mapTensors(tensors, (x, name) => {
    entries.push({ name, x });
    return x;
  });
  if (entries.length === 0 && !isEmpty(tensors)) {
    checks("writeSafetensors").refuse({
      argument: "tensors",
      received: tensors,
      expected: "tensors by name, or nested in objects and lists",
      fix: "write `writeSafetensors({ weight })`.",
    });
  }
  entries.sort((a, b) => bytesPerElement(b.x.dtype) - bytesPerElement(a.x.dtype));
  const header = writeSafetensorsHeader(
    entries.map(({ name, x }) => ({ name, dtype: storedTypes[x.dtype], shape: x.shape })),
    metadata,
    "writeSafetensors",
  );
  const parts = [header];
  for (const { x } of entries) parts.push(littleEndianBytes(await x.read()));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Returns true for an empty object, which is a file without tensors. */
const isEmpty = (tree: unknown): boolean =>
  typeof tree === "object" &&
  tree !== null &&
  Object.getPrototypeOf(tree) === Object.prototype &&
  Object.keys(tree).length === 0;
