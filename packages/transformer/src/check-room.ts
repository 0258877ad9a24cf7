import { checks, DeviceError } from "@qkv/core";
import type { AnyCheckpoint } from "./checkpoints/hugging-face/family.js";
import { cacheBytes, float32CacheBytes } from "./models/cache-bytes.js";
import { deviceRounding } from "./quantization/quantize.js";
import type { Placing } from "./loading/weights.js";

/** Number of tokens whose keys and values must fit besides the weights, unless the context is shorter. */
const leastTokens = 256;

/**
 * Refuses a model that does not fit into the free memory of its device, before any weights are read. Weights
 * are counted by the shapes in the file headers, keys and values by the configuration.
 *
 * @param read - Reads the model, or, with `plan`, only reports the bytes of each tensor.
 * @throws {DeviceError} With the bytes needed, the limit, and quantizations that would fit.
 */
export async function checkRoom(
  fn: string,
  placing: Placing,
  read: (placing: Placing) => Promise<AnyCheckpoint>,
): Promise<void> {
  const { device } = placing;
  const { bytes: used = 0, maxBytes } = device?.memory() ?? {};
  if (!device || maxBytes === undefined) return;
  const left = maxBytes - used;
  const { weights, cache, tokens } = await bytesNeeded(placing, read);
  if (weights + cache <= left) return;
  const smaller: string[] = [];
  for (const quantize of placing.rounding ? [] : (["int8", "int4"] as const)) {
    const needed = await bytesNeeded({ ...placing, rounding: deviceRounding(quantize, device) }, read);
    const all = needed.weights + needed.cache;
    if (all <= left) smaller.push(`\`quantize: "${quantize}"\` needs ${mebibytes(all)}`);
  }
  const held = cache > 0 ? `, and ${mebibytes(cache)} for keys and values of ${tokens} tokens` : "";
  checks(fn).refuse(
    {
      argument: "device",
      received: `${device.name}, which has ${mebibytes(left)} left of ${mebibytes(maxBytes)}`,
      expected: `${weights + cache} bytes: ${mebibytes(weights)} for the weights${held}`,
      fix: `${[...smaller, "`js()` of @qkv/tensor and GPUs have other limits"].join("; ")}; nothing of the weights was read.`,
    },
    DeviceError,
  );
}

/** Bytes of the weights of a model, and of the keys and values of a short text. */
async function bytesNeeded(
  placing: Placing,
  read: (placing: Placing) => Promise<AnyCheckpoint>,
): Promise<{ weights: number; cache: number; tokens: number }> {
  let weights = 0;
  const plan = (bytes: number) => {
    weights += bytes;
  };
  const checkpoint = await read({ ...placing, plan });
  if (checkpoint.kind === "encoder" || checkpoint.kind === "vision" || checkpoint.kind === "dual")
    return { weights, cache: 0, tokens: 0 };
  // With tied weights, quantization adds a quantized output projection to the embedding matrix.
  const { embedding, output } = checkpoint.params;
  if (placing.rounding && !output?.weight) plan(placing.rounding.bytes(embedding.weight.shape));
  const tokens = Math.min(leastTokens, checkpoint.config.contextLength);
  if (checkpoint.kind === "encoder-decoder" || checkpoint.kind === "speech") {
    const { embedDim: C, numHeads, headDim = C / numHeads, numLayers } = checkpoint.config;
    // And for as many source tokens.
    return { weights, cache: 2 * float32CacheBytes(2 * numHeads * headDim, numLayers, tokens), tokens };
  }
  const { config } = checkpoint;
  return { weights, cache: config.bidirectional ? 0 : cacheBytes(config, tokens), tokens };
}

const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
