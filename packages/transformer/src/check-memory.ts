import { checks, DeviceError } from "@qkv/core";
import type { AnyCheckpoint } from "./checkpoints/hugging-face/family.js";
import { cacheBytes, float32CacheBytes } from "./models/cache-bytes.js";
import type { WeightOptions } from "./loading/weights.js";

/** Number of tokens whose keys and values must fit in addition to the weights, unless the context is shorter. */
const leastTokens = 256;

/**
 * Refuses a model that does not fit into the free memory of its device, before any weights are read. Weights
 * are counted by the shapes in the file headers, keys and values by the configuration.
 *
 * @param read - Reads the model, or, with `plan`, only reports the bytes of each tensor.
 * @throws {DeviceError} With the bytes needed, the limit, and quantizations that would fit.
 */
export async function checkMemory(
  fn: string,
  weightOptions: WeightOptions,
  read: (weightOptions: WeightOptions) => Promise<AnyCheckpoint>,
): Promise<void> {
  const { device } = weightOptions;
  const { bytes: used = 0, maxBytes } = device?.memory() ?? {};
  if (!device || maxBytes === undefined) return;
  const freeBytes = maxBytes - used;
  const { weights, cache, tokens } = await bytesNeeded(weightOptions, read);
  if (weights + cache <= freeBytes) return;
  const smaller: string[] = [];
  const { deviceRounding } = await import("./quantization/quantize.js");
  for (const quantize of weightOptions.rounding ? [] : (["int8", "int4"] as const)) {
    const needed = await bytesNeeded({ ...weightOptions, rounding: deviceRounding(quantize, device) }, read);
    const total = needed.weights + needed.cache;
    if (total <= freeBytes) smaller.push(`\`quantize: "${quantize}"\` needs ${mebibytes(total)}`);
  }
  const forCache = cache > 0 ? `, and ${mebibytes(cache)} for keys and values of ${tokens} tokens` : "";
  checks(fn).refuse(
    {
      argument: "device",
      received: `${device.name}, which has ${mebibytes(freeBytes)} left of ${mebibytes(maxBytes)}`,
      expected: `${weights + cache} bytes: ${mebibytes(weights)} for the weights${forCache}`,
      fix: `${[...smaller, "`js()` of @qkv/tensor and GPUs have other limits"].join("; ")}; nothing of the weights was read.`,
    },
    DeviceError,
  );
}

/** Bytes of the weights of a model, and of the keys and values of a short text. */
async function bytesNeeded(
  weightOptions: WeightOptions,
  read: (weightOptions: WeightOptions) => Promise<AnyCheckpoint>,
): Promise<{ weights: number; cache: number; tokens: number }> {
  let weights = 0;
  const plan = (bytes: number) => {
    weights += bytes;
  };
  const checkpoint = await read({ ...weightOptions, plan });
  if (checkpoint.kind === "encoder" || checkpoint.kind === "vision" || checkpoint.kind === "dual-encoder")
    return { weights, cache: 0, tokens: 0 };
  // With tied weights, quantization adds a quantized output projection to the embedding matrix.
  const { embedding, output } = checkpoint.params;
  if (weightOptions.rounding && !output?.weight) plan(weightOptions.rounding.bytes(embedding.weight.shape));
  const tokens = Math.min(leastTokens, checkpoint.config.contextLength);
  if (checkpoint.kind === "encoder-decoder" || checkpoint.kind === "speech") {
    const { embedDim: C, numHeads, headDim = C / numHeads, numLayers } = checkpoint.config;
    // Twice, because cross-attention caches the keys and values of as many source tokens.
    return { weights, cache: 2 * float32CacheBytes(2 * numHeads * headDim, numLayers, tokens), tokens };
  }
  const { config } = checkpoint;
  return { weights, cache: config.bidirectional ? 0 : cacheBytes(config, tokens), tokens };
}

const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
