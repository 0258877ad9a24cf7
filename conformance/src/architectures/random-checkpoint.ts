import { cast, randn, type DType, type Tensor } from "@qkv/tensor";
import { writeSafetensors } from "@qkv/tensor/safetensors";
import { scratchData } from "../scratch-data.js";
import type { Rows } from "./reference.js";

/** The dtype of a checkpoint's tensors, and its number of shards. */
export type Storage = { dtype?: DType; shards?: number };

/** Random weights by their names in a checkpoint, and their values as arrays. */
export type RandomWeights = {
  tensors: Record<string, Tensor>;
  /** The rows of a matrix. */
  rows(name: string): Rows;
  /** A vector; undefined if it does not exist. */
  vector(name: string): number[];
  has(name: string): boolean;
};

/**
 * Draws weights of the given shapes. Matrices have the variance 1 / (length of their last axis), vectors have the mean 0, and
 * those named norm or ln the mean `normMean`.
 */
export function randomWeights(
  shapes: Readonly<Record<string, readonly number[]>>,
  { dtype = "float32", normMean = 1 }: { dtype?: DType; normMean?: number } = {},
): RandomWeights {
  const tensors = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => {
      const isGain = shape.length === 1 && /(norm|ln_\w+|LayerNorm)\.weight$/.test(name);
      const size = shape.length > 1 ? 1 / Math.sqrt(shape.at(-1)!) : 0.3;
      const { data } = randn(shape, { seed: 1000 + i });
      data.forEach((x, k) => (data[k] = x * size + (isGain ? normMean : 0)));
      const weight = randn(shape, { seed: 0 });
      weight.data.set(data);
      return [name, cast(weight, dtype)];
    }),
  );
  const values = (name: string) => {
    const x = tensors[name];
    if (!x) throw new Error(`${name} was not generated`);
    return Array.from(cast(x, "float64").data);
  };
  return {
    tensors,
    rows(name) {
      const width = tensors[name]!.shape.at(-1)!;
      const flat = values(name);
      return Array.from({ length: flat.length / width }, (_, r) => flat.slice(r * width, (r + 1) * width));
    },
    vector: values,
    has: (name) => name in tensors,
  };
}

/** Writes a checkpoint in Hugging Face's format, in one shard or several, and returns its folder. */
export async function writeCheckpoint(
  config: Readonly<Record<string, unknown>>,
  tensors: Readonly<Record<string, Tensor>>,
  { shards = 1 }: Storage = {},
): Promise<string> {
  const files: Record<string, unknown> = { "config.json": config };
  const names = Object.keys(tensors);
  if (shards === 1) files["model.safetensors"] = await writeSafetensors(tensors);
  else {
    const weight_map: Record<string, string> = {};
    for (let n = 0; n < shards; n++) {
      const file = `model-0000${n + 1}-of-0000${shards}.safetensors`;
      // Assigns tensors to shards in turn, so that those of a layer are in several shards.
      const shardNames = names.filter((_, i) => i % shards === n);
      for (const name of shardNames) weight_map[name] = file;
      files[file] = await writeSafetensors(
        Object.fromEntries(shardNames.map((name) => [name, tensors[name]])),
      );
    }
    files["model.safetensors.index.json"] = { metadata: {}, weight_map };
  }
  return scratchData(files);
}
