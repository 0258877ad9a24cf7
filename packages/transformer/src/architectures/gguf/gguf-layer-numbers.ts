import type { GgufField, GgufHeader } from "@qkv/core";
import type { WeightFile } from "../../loading/weight-file.js";
import type { TensorToWrite } from "../tensor-to-write.js";

/** The layer index and the rest of a tensor name. */
const inLayer = (name: string): readonly [layer: number, rest: string] | undefined => {
  const [, layer, rest] = /^blk\.(\d+)\.(.+)$/.exec(name) ?? [];
  return rest === undefined ? undefined : [Number(layer), rest];
};

/**
 * A file in which metadata with one number per layer, or one number for all layers, can be read as tensors `[1]` named
 * `blk.0.KEY`.
 *
 * @param keys - The metadata keys.
 */
export function withLayerNumbers(
  file: WeightFile,
  metadata: GgufHeader["metadata"],
  keys: readonly string[],
): WeightFile {
  if (keys.length === 0) return file;
  const numberAt = (name: string): number | undefined => {
    const [layer, key] = inLayer(name) ?? [0, ""];
    const value = keys.includes(key) ? metadata.get(key) : undefined;
    const layerValue = Array.isArray(value) ? (value as readonly unknown[])[layer] : value;
    return typeof layerValue === "number" ? layerValue : undefined;
  };
  const tensorNames = keys.flatMap((key) => {
    const value = metadata.get(key);
    return Array.isArray(value) ? value.map((_, layer) => `blk.${layer}.${key}`) : [];
  });
  return {
    ...file,
    names: [...file.names, ...tensorNames],
    shape: (name) => (numberAt(name) === undefined ? file.shape(name) : [1]),
    async *chunks(name) {
      const number = numberAt(name);
      if (number === undefined) yield* file.chunks(name);
      else yield Float32Array.of(number);
    },
    half: (name) => (numberAt(name) === undefined ? file.half?.(name) : undefined),
  };
}

/** Splits tensors to write: those named after one of the keys become metadata lists, the others remain tensors. */
export function takeLayerNumbers(
  tensors: readonly TensorToWrite[],
  keys: readonly string[],
): { tensors: readonly TensorToWrite[]; lists: Readonly<Record<string, GgufField>> } {
  const isNumber = ({ name }: TensorToWrite) => keys.includes(inLayer(name)?.[1] ?? "");
  const lists = keys.map((key): [string, GgufField] => {
    const value = tensors
      .filter(({ name }) => inLayer(name)?.[1] === key)
      .map(({ rows }) => Number(rows(0, 1).data[0]));
    return [key, { type: "float32[]", value }];
  });
  return { tensors: tensors.filter((tensor) => !isNumber(tensor)), lists: Object.fromEntries(lists) };
}
