import { FormatError, readSafetensorsHeader, writeSafetensorsHeader } from "@qkv/core";
import { tensor, type Device, type Tensor } from "@qkv/tensor";

/** A layer as it is saved: tokens only, without spare room. */
export type SavedLayer = { key: Tensor; value: Tensor };

const format = "qkv-cache";
const version = "1";
const types = { float32: "F32", float64: "F64" } as const;

/** A cache's layers as one safetensors file, whose metadata tells the format, its version and the kind of cache. */
export function writeSaved(kind: string, layers: readonly (SavedLayer | undefined)[]): Uint8Array {
  const tensors = layers.flatMap((layer, i) =>
    layer ? [[`${i}.key`, layer.key] as const, [`${i}.value`, layer.value] as const] : [],
  );
  const header = writeSafetensorsHeader(
    tensors.map(([name, { dtype, shape }]) => ({
      name,
      dtype: types[dtype as "float32" | "float64"],
      shape,
    })),
    { format, version, kind, layers: String(layers.length) },
  );
  const parts = [
    header,
    ...tensors.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ];
  const file = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/** The layers of a saved cache, checked whole before anything is handed out. */
export function readSaved(
  kind: string,
  bytes: Uint8Array,
  numLayers: number,
  device: Device | undefined,
): (SavedLayer | undefined)[] {
  const source = "saved cache";
  const { tensors, metadata } = readSafetensorsHeader(bytes, { source });
  const expected = { format, version, kind, layers: String(numLayers) };
  for (const [field, value] of Object.entries(expected)) {
    if (metadata.get(field) !== value) {
      throw bad(
        field,
        metadata.get(field),
        JSON.stringify(value),
        "restore into a cache of the kind and the model that was saved.",
      );
    }
  }
  const read = (name: string): Tensor | undefined => {
    const entry = tensors.get(name);
    if (!entry) return undefined;
    if ((entry.dtype !== "F32" && entry.dtype !== "F64") || entry.shape.length !== 4) {
      throw bad(
        name,
        `${entry.dtype} [${entry.shape.join(", ")}]`,
        "F32 or F64 [B, heads, T, D]",
        "save the cache again.",
      );
    }
    const data = bytes.slice(entry.start, entry.end).buffer;
    const values = entry.dtype === "F32" ? new Float32Array(data) : new Float64Array(data);
    return tensor(values, { shape: entry.shape, ...(device && { device }) });
  };
  return Array.from({ length: numLayers }, (_, i) => {
    const [key, value] = [read(`${i}.key`), read(`${i}.value`)];
    if (!key && !value) return undefined;
    if (!key || !value || key.shape[2] !== value.shape[2] || key.shape[0] !== value.shape[0]) {
      throw bad(
        `${i}.value`,
        value?.shape,
        `one value for each key, [${key?.shape.join(", ")}]`,
        "save the cache again.",
      );
    }
    return { key, value };
  });
}

function bad(field: string, received: unknown, expected: string, fix: string): FormatError {
  return new FormatError({ fn: "restore", argument: `saved cache: ${field}`, received, expected, fix });
}
